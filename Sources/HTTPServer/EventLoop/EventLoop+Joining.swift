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

    /// Lets a connection's request wait until all others of the turn are answered.
    ///
    /// Only its end is watched for: what it sends meanwhile would be told in every turn.
    func waitForOthers(_ connection: Connection) {
        connection.isJoined = true
        connection.deadline = .max
        timers.costlyAt = now
        costly.append(connection)
        watch(connection, .peerEnd)
    }

    /// Takes note that the client of a request that cost much has ended its side, or is gone.
    ///
    /// Who has gone cannot be told from who only sends no more, so that those wait for all others,
    /// and of too many the oldest is dropped: clients that come, ask and go would make the line
    /// longer than it gets shorter.
    func noteEnd(of connection: Connection, isGone: Bool) {
        costly.removeAll { $0 === connection }
        costlyEnded.removeAll { $0 === connection }
        guard !isGone else { return drop(connection) }
        costlyEnded.append(connection)
        watch(connection, [])
        guard costlyEnded.count > shared.limits.endedRequestCountMax else { return }
        counters.add(1, to: .limitHits)
        drop(costlyEnded.removeFirst())
    }

    /// Answers requests that cost much, the oldest first, in a time of their own and one at least.
    func answerCostly() {
        timers.costlyAt = .max
        beginPart()
        if costly.isEmpty { swap(&costly, &costlyEnded) }
        // All may have gone.
        guard !costly.isEmpty else { return }
        var count = 0
        let waiting = costly.count
        repeat {
            let connection = costly[count]
            count += 1
            connection.isJoined = false
            answer(connection, &connection.http)
        } while count < waiting && !isTurnOver
        costly.removeFirst(count)
        if !costly.isEmpty || !costlyEnded.isEmpty { timers.costlyAt = now }
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
