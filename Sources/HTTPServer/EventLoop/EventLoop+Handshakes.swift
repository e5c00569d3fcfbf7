// SPDX-License-Identifier: MIT

internal import Platform

extension EventLoop {
    /// Goes on with a connection's TLS handshake.
    ///
    /// A handshake costs as much as hundreds of requests, so that a turn takes a bounded number of
    /// steps; further ones wait for the next turn.
    func shakeHands(_ connection: Connection) {
        guard handshakeStepCount < shared.limits.handshakesPerTurnMax else {
            return queue(connection)
        }
        handshakeStepCount += 1
        switch connection.shakeHands(at: shared.wallClock.nowMicroseconds / 1_000_000) {
        case .needsInput: watch(connection, .input)
        case .needsOutput: watch(connection, .output)
        case .complete:
            // Its requests have not waited in the line of handshakes.
            connection.waitsSince = now
            counters.add(1, to: .tlsHandshakes)
            if connection.isResumed { counters.add(1, to: .tlsResumptions) }
            if connection.applicationProtocol == .http2 { startHTTP2(connection, &connection.http) }
            watch(connection, .input)
            // The last segment of a handshake may have brought the first request.
            receive(connection, &connection.http)
        case .isPlainHTTP:
            sayWhatIsSpoken(connection)
            fallthrough
        case .failed:
            counters.add(1, to: .tlsFailures)
            // The alert that says why is on its way; closing with unread bytes would reset it.
            connection.security = .ended
            connection.ending = .lingerAfterOutput
            settle(connection, &connection.http)
        }
    }

    /// Tells a client that speaks in the clear that this is not done here.
    private func sayWhatIsSpoken(_ connection: Connection) {
        var answer = Response()
        Problem.needsTLS.render(into: &answer, &context.requestIDs)
        answers.count(status: answer.status, routeIndex: nil)
        sendPlain(answer, to: connection.socket)
    }
}
