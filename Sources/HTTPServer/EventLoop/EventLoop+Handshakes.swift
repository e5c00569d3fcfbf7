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
        if !connection.hasBegunHandshake { beginHandshake(of: connection) }
        switch connection.shakeHands(at: shared.wallClock.nowMicroseconds / 1_000_000) {
        case .needsInput: watch(connection, .input)
        case .needsOutput: watch(connection, .output)
        case .complete:
            handshakes.end()
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
            handshakes.end()
            counters.add(1, to: .tlsFailures)
            // The alert that says why is on its way; closing with unread bytes would reset it.
            connection.security = .ended
            connection.ending = .lingerAfterOutput
            settle(connection, &connection.http)
        }
    }

    /// Takes note of a first step; where too many wait for their clients, the one that has waited
    /// for longest makes room.
    ///
    /// So a flood of clients that begin and say no more has a bounded amount of memory, and others
    /// come in between: theirs takes a time to the client and back.
    private func beginHandshake(of connection: Connection) {
        handshakes.begin(connection.token)
        let oldest = handshakes.first { token in
            guard let connection = connections[token.descriptor] else { return false }
            return connection.token == token && connection.security == .handshake
        }
        guard handshakes.count > shared.limits.handshakesOpenMax, let oldest,
            let last = connections[oldest.descriptor]
        else { return }
        counters.add(1, to: .limitHits)
        counters.add(1, to: .tlsFailures)
        drop(last)
    }

    /// Tells a client that speaks in the clear that this is not done here.
    private func sayWhatIsSpoken(_ connection: Connection) {
        var answer = Response()
        Problem.needsTLS.render(into: &answer, &context.requestIDs)
        answers.count(status: answer.status, routeIndex: nil)
        sendPlain(answer, to: connection.socket)
    }
}
