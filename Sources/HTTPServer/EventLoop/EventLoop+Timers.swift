// SPDX-License-Identifier: MIT

internal import Platform

extension EventLoop {
    /// Least time between two looks at all connections: deadlines are late by as much at most.
    private static let sweepIntervalNanoseconds: Int64 = 100_000_000
    /// Connections looked at in one turn, and those of them that are ended.
    private static let sweptSlotCountMax = 2048
    private static let expiredCountMax = 4
    /// Time between the filter and the close of a listener: a handshake's last segment is on its
    /// way for less.
    private static let handshakeNanoseconds: Int64 = 10_000_000

    /// Does what is due.
    func fireTimers() {
        if now >= timers.acceptResume { resumeAccepting() }
        if now >= timers.sweepAt || timers.sweepSlot > 0 { sweep() }
        if now >= timers.holderLookAt { lookAtHolders() }
        if now >= timers.costlyAt { answerCostly() }
        switch timers.drain {
        case .none: break
        case .accepting(let closeAt, let stopAt):
            guard now >= closeAt else { return }
            // Without the filter a handshake may be lost, which is not worth failing for.
            for listener in listeners { try? listener.socket.dropNewConnections() }
            timers.drain = .filtering(
                closeAt: now + EventLoop.handshakeNanoseconds,
                stopAt: stopAt
            )
        case .filtering(let closeAt, let stopAt):
            guard now >= closeAt else { return }
            for listener in listeners {
                while accept(from: listener) {}
            }
            listeners.removeAll()
            timers.drain = .closed(stopAt: stopAt)
            if connectionCount == 0 { stop() }
        case .closed(let stopAt):
            if connectionCount == 0 || now >= stopAt { stop() }
        }
    }

    /// Sets the deadline that the connection's state asks for.
    ///
    /// The one of a head or a body stays
    /// as it is while that goes on, whatever trickles in.
    func setDeadline(of connection: Connection, _ http: inout HTTP1Connection) {
        if let http2 = connection.http2 {
            let hasOutput = http.hasOutput || connection.readsWhenWritable
            return setDeadline(of: connection, http2, hasOutput: hasOutput)
        }
        let kind = deadlineKind(of: connection, &http)
        let sequence = http.sequence
        let isSame = kind == connection.deadlineKind && sequence == connection.deadlineSequence
        guard !isSame else { return }
        connection.deadlineKind = kind
        connection.deadlineSequence = sequence
        let timeout: Int64
        switch kind {
        case .none, .streams:
            connection.deadline = .max
            return
        case .handshake: timeout = timeouts.handshake
        case .idle: timeout = timeouts.idle
        case .head: timeout = timeouts.head
        case .body: timeout = timeouts.body
        case .piece:
            let timeoutMax = timeouts.piece
            timeout = http.streamed?.pieceTimeout(timeoutMax, at: now) ?? timeoutMax
        case .answer: timeout = timeouts.answer
        case .write: timeout = timeouts.write
        case .linger: timeout = min(timeouts.linger, connection.lingerEnd - now)
        }
        connection.deadline = min(now + timeout, http.streamed?.deadline ?? .max)
        timers.sweepAt = min(timers.sweepAt, connection.deadline)
    }

    private func deadlineKind(
        of connection: Connection,
        _ http: inout HTTP1Connection
    ) -> Connection.DeadlineKind {
        if http.hasOutput { return .write }
        if connection.ending == .lingering { return .linger }
        if connection.readsWhenWritable { return .write }
        if connection.isEncrypted, connection.security == .handshake { return .handshake }
        if http.isDeferred { return .answer }
        // Empty lines are no request (RFC 9112 §2.2).
        if http.isIdle || http.isSkipping || http.isHeadUntouched { return .idle }
        if http.streamed != nil { return .piece }
        return http.isInHead ? .head : .body
    }

    /// Ends the connections whose deadline has passed: so many in a turn, so that those of a
    /// thousand clients that fall silent together hold no one up.
    private func sweep() {
        // What is noted from here on, and those looked at, make the time of the next look.
        if timers.sweepSlot == 0 { timers.sweepAt = .max }
        var expiredCount = 0
        let end = min(connections.count, timers.sweepSlot + EventLoop.sweptSlotCountMax)
        while timers.sweepSlot < end, expiredCount < EventLoop.expiredCountMax {
            let slot = timers.sweepSlot
            timers.sweepSlot += 1
            guard let connection = connections[slot] else { continue }
            if connection.deadline <= now {
                expiredCount += 1
                expire(connection)
            }
            if isOpen(connection) { timers.sweepAt = min(timers.sweepAt, connection.deadline) }
        }
        guard timers.sweepSlot >= connections.count else { return }
        timers.sweepSlot = 0
        guard timers.sweepAt < .max else { return }
        timers.sweepAt = max(timers.sweepAt, now + EventLoop.sweepIntervalNanoseconds)
    }

    private func expire(_ connection: Connection) {
        let kind = connection.deadlineKind
        if let http2 = connection.http2,
            kind == .streams || kind == .write && connection.socketDeadline > now
        {
            return expireStreams(connection, http2)
        }
        if rest(connection) { return }
        if kind != .linger { counters.add(1, to: .timeouts) }
        if kind == .handshake { counters.add(1, to: .tlsFailures) }
        if kind == .answer, connection.http.isDeferred {
            return answerForHandler(connection, &connection.http)
        }
        if kind == .idle, let http2 = connection.http2, http2.endIdle() {
            return proceed(connection, &connection.http)
        }
        guard kind == .head || kind == .body || kind == .piece, !connection.http.isClosing else {
            return close(connection)
        }
        refuse(connection, &connection.http, .timedOut)
    }

    /// Refuses a request that has not come to its end, or ends the answer to one that is streamed.
    func refuse(
        _ connection: Connection,
        _ http: inout HTTP1Connection,
        _ error: RequestError
    ) {
        buffers.lend(to: &http)
        context.nowNanoseconds = now
        switch http.refuse(error, context) {
        case .answered(let answer): countOwnAnswer(answer)
        case .handlePiece: handlePiece(connection, &http)
        case .receive, .yield, .handle, .decode, .switchToHTTP2, .wait, .close: break
        }
        proceed(connection, &http)
    }

    /// Answers 503 where a handler takes too long; what it says later is dropped.
    private func answerForHandler(_ connection: Connection, _ http: inout HTTP1Connection) {
        // There is no other way to say that an answer is not whole.
        if http.streamed?.isHeadWritten == true { return close(connection) }
        var answer = Response()
        answer.endsStream = true
        http.write(.tooSlow, into: &answer, context)
        answer.addField("retry-after", "\(shared.limits.retryAfterSeconds)")
        answers.count(status: answer.status, routeIndex: http.routing.routeIndex)
        http.answer(answer, context)
        proceed(connection, &http)
    }

    /// Closes everything, after the last turn.
    func endAll() {
        for connection in connections {
            guard let connection else { continue }
            if connection.isBusy, connection.ending != .lingering {
                counters.add(1, to: .connectionsCutOff)
            }
            close(connection)
        }
        pending.removeAll()
        listeners.removeAll()
    }
}
