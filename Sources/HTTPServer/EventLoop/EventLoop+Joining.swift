// SPDX-License-Identifier: MIT

internal import Platform

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
        connection.line = .open
        connection.deadline = .max
        timers.costlyAt = now
        costly.append(connection.token)
        watch(connection, .peerEnd)
    }

    /// Takes note of an event of a connection whose request waits for others.
    ///
    /// Who has gone cannot be told from who only sends no more, so that those come after all
    /// others, and of too many the oldest is dropped: clients that come, ask and go would make the
    /// line longer than it gets shorter.
    func noteEvent(_ readiness: Readiness, of connection: Connection) {
        // Nobody waits for an answer that may cost much.
        guard readiness.isDisjoint(with: .failure) else { return drop(connection) }
        // An event may be older than the wait.
        guard connection.line == .open, readiness.contains(.peerEnd) else { return }
        connection.line = .ended
        costlyEnded.append(connection.token)
        watch(connection, [])
        guard costlyEnded.count > shared.limits.endedRequestCountMax,
            let oldest = costlyEnded.popFirst().flatMap(present), oldest.line == .ended
        else { return }
        counters.add(1, to: .limitHits)
        drop(oldest)
    }

    /// Answers requests that cost much, the oldest first, in a time of their own: of those whose
    /// clients have not ended their side one at least, and then of the others.
    func answerCostly() {
        timers.costlyAt = .max
        beginPart()
        answerSome(of: .open, count: costly.count) { costly.popFirst() }
        answerSome(of: .ended, count: costlyEnded.count) { costlyEnded.popFirst() }
        if !costly.isEmpty || !costlyEnded.isEmpty { timers.costlyAt = now }
    }

    private func answerSome(
        of line: Connection.Line,
        count: Int,
        next: () -> ConnectionToken?
    ) {
        for _ in 0..<count {
            // One may have gone, or wait in the other line by now.
            guard let connection = next().flatMap(present), connection.line == line else {
                continue
            }
            connection.line = .none
            connection.isJoined = false
            answer(connection, &connection.http)
            if isTurnOver { return }
        }
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
