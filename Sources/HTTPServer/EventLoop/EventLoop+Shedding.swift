// SPDX-License-Identifier: MIT

internal import Platform

/// Requests that are refused under overload, at as little cost as can be: what it takes to refuse
/// two is lost to a third.
extension EventLoop {
    /// What is read at first of a request that may be refused: a usual head.
    private static let headBytesExpected = 2048

    /// Bytes thrown away at once after a refusal, which the kernel copies nowhere.
    private static let discardedBytesMax = 1 << 20

    /// Whether a request of a connection is refused because it has waited too long.
    func sheds(_ connection: Connection) -> Bool {
        guard overload.isShedding else { return false }
        let sinceTurn = shared.clock.nowNanoseconds - now
        let before = max(0, now - connection.waitsSince)
        return overload.sheds(delay: before + sinceTurn, sinceTurn: sinceTurn)
    }

    /// How much is received at once while requests are shed: at first not much more than a head,
    /// since a body that goes unread need not be copied.
    func roomToRefuse(_ http: borrowing HTTP1Connection) -> Int {
        let room = http.input.count - http.inputEnd
        return http.isIdle ? min(room, EventLoop.headBytesExpected) : room
    }

    /// Refuses a request that has waited too long although its body has not been received yet, and
    /// throws that away as it comes.
    ///
    /// - Returns: Whether it was refused.
    func shedUnread(_ connection: Connection, _ http: inout HTTP1Connection) -> Bool {
        guard http.isInBody, http.routing.isSheddable, !connection.isEncrypted, sheds(connection)
        else { return false }
        http.cutBody()
        counters.add(1, to: .requests)
        response.reset()
        writeOverloaded(http, &response)
        answers.count(status: response.status, routeIndex: http.routing.routeIndex)
        http.answer(response, context)
        _ = skipBody(connection, &http)
        return true
    }

    /// Throws away what has come of the body of a request that has been refused.
    ///
    /// - Returns: Whether that was all of it.
    func skipBody(_ connection: Connection, _ http: inout HTTP1Connection) -> Bool {
        for _ in 0..<EventLoop.readCountMax where http.isSkipping {
            let count: Int?
            do throws(SystemError) {
                count = try connection.socket.discard(http.skippedByteCount)
            } catch {
                count = 0
            }
            guard let count else { return false }
            guard count > 0 else {
                // The client has closed, or is gone: nothing more is owed to it.
                connection.ending = .closeAfterOutput
                return false
            }
            http.didSkip(count)
            counters.add(count, to: .bytesIn)
        }
        return !http.isSkipping
    }

    /// Reads away what a client sends after a refusal, so that closing does not reset it.
    ///
    /// RFC 9112 §9.6: a reset could take the answer from a client that has not read it yet, and one
    /// that writes a long body reads after that.
    func discardInput(_ connection: Connection, _ http: inout HTTP1Connection) {
        let count: Int?
        do throws(SystemError) {
            count = try connection.socket.discard(EventLoop.discardedBytesMax)
        } catch {
            return close(connection)
        }
        if let count {
            connection.lingeredByteCount += count
            counters.add(count, to: .bytesIn)
            guard count > 0, connection.lingeredByteCount <= shared.limits.lingerBytesMax else {
                return close(connection)
            }
            connection.deadlineKind = .none
        }
        settle(connection, &http)
    }

    /// Writes the refusal into an empty response.
    func writeOverloaded(_ http: borrowing HTTP1Connection, _ response: inout Response) {
        counters.add(1, to: .requestsShed)
        http.write(.overloaded, into: &response, context)
        response.addField("retry-after", "\(shared.limits.retryAfterSeconds)")
    }
}
