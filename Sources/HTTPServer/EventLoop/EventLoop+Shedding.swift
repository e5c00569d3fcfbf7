// SPDX-License-Identifier: MIT

internal import Platform

/// Requests that are refused under overload, at as little cost as can be: what it takes to refuse
/// two is lost to a third.
extension EventLoop {
    /// What is read at first of a request that may be refused: a usual head.
    private static let headBytesExpected = 2048

    /// Whether a request of a connection is refused because it has waited too long.
    func sheds(_ connection: Connection) -> Bool {
        guard overload.isShedding else { return false }
        let sinceTurn = shared.clock.nowNanoseconds - now
        let before = max(0, now - connection.waitsSince)
        return overload.sheds(delay: before + sinceTurn, sinceTurn: sinceTurn)
    }

    /// How much is received at once. While requests are shed, not much more than a head: a body
    /// that goes unread need not be copied.
    func roomToReceive(_ http: borrowing HTTP1Connection) -> Int {
        let room = http.input.count - http.inputEnd
        guard overload.isShedding, http.isIdle else { return room }
        return min(room, EventLoop.headBytesExpected)
    }

    /// Refuses a request that has waited too long although its body has not been received yet, and
    /// has that thrown away as it comes.
    func shedUnread(_ connection: Connection, _ http: inout HTTP1Connection) {
        guard http.isInBody, http.routing.isSheddable, !connection.isEncrypted, sheds(connection)
        else { return }
        http.cutBody()
        counters.add(1, to: .requests)
        response.reset()
        writeOverloaded(http, &response)
        answers.count(status: response.status, routeIndex: http.routing.routeIndex)
        http.answer(response, context)
    }

    /// Writes the refusal into an empty response.
    func writeOverloaded(_ http: borrowing HTTP1Connection, _ response: inout Response) {
        counters.add(1, to: .requestsShed)
        http.write(.overloaded, into: &response, context)
        response.addField("retry-after", "\(shared.limits.retryAfterSeconds)")
    }
}
