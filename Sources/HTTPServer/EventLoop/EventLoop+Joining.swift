// SPDX-License-Identifier: MIT

/// Requests that have come together: the handler reads them all before it answers the first.
extension EventLoop {
    /// Requests that are answered together: so many rows take the network a third of the time that
    /// they take one by one, and the first waits for some 50 us of reading.
    private static let joinedCountMax = 16

    /// Lets a connection's request wait for those that come after it.
    func join(_ connection: Connection) {
        connection.isJoined = true
        joined.append(connection)
    }

    /// Whether enough requests have come together.
    var isGroupFull: Bool { joined.count >= EventLoop.joinedCountMax }

    /// Answers the requests that have come together, and what their connections bring next.
    func answerJoined() {
        while !joined.isEmpty {
            let count = min(joined.count, EventLoop.joinedCountMax)
            if count > 1 {
                for index in 0..<count { show(&joined[index].http, isFirst: index == 0) }
            }
            for index in 0..<count {
                let connection = joined[index]
                connection.isJoined = false
                answer(connection, &connection.http)
            }
            joined.removeFirst(count)
        }
    }

    private func show(_ http: inout HTTP1Connection, isFirst: Bool) {
        http.request.joinedIndex = shared.handler.join(
            http.request,
            bytes: http.input.span.extracting(http.requestBytes),
            isFirst: isFirst
        )
    }

    /// Connections that may be taken from a listener in a turn: where many requests that cost much
    /// wait, as many as were answered in the last one, so that clients that come, ask and go do not
    /// make the line longer, and those that stay and ask again keep nobody out.
    var acceptCountMax: Int {
        let countMax = shared.limits.acceptsPerTurnMax
        guard costly.count >= shared.limits.costlyRequestCountMax else { return countMax }
        return min(costlyAnsweredCount, countMax)
    }

    /// Lets a connection's request wait until all others of the turn are answered.
    func waitForOthers(_ connection: Connection) {
        connection.isJoined = true
        connection.deadline = .max
        timers.costlyAt = now
        costly.append(connection)
    }

    /// Answers requests that cost much, the oldest first, in a time of their own and one at least.
    func answerCostly() {
        timers.costlyAt = .max
        beginPart()
        var count = 0
        let waiting = costly.count
        repeat {
            let connection = costly[count]
            count += 1
            connection.isJoined = false
            answer(connection, &connection.http)
        } while count < waiting && !isTurnOver
        costly.removeFirst(count)
        costlyAnsweredCount = count
        if !costly.isEmpty { timers.costlyAt = now }
    }

    private func answer(_ connection: Connection, _ http: inout HTTP1Connection) {
        guard isOpen(connection) else { return }
        if http.isHandling { handle(connection, &http) }
        if !http.isIdle || http.inputHasEnded {
            if mustPause(http) {
                queue(connection)
            } else {
                _ = advance(connection, &http)
            }
        }
        settle(connection, &http)
    }
}
