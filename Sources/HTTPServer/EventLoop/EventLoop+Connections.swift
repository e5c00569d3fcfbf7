// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Platform
internal import Synchronization

extension EventLoop {
    /// Readings of one connection in one turn, so that others get theirs.
    static let readCountMax = 4

    /// Whether a connection is still in the table.
    func isOpen(_ connection: Connection) -> Bool {
        connections[connection.token.descriptor] === connection
    }

    /// The connection of a token, if it is there yet.
    func present(_ token: ConnectionToken) -> Connection? {
        guard token.descriptor < connections.count,
            let connection = connections[token.descriptor], connection.token == token
        else { return nil }
        return connection
    }

    /// Takes in what has come and answers it.
    ///
    /// Here and below the protocol state goes along as `inout`: it is looked up once for each
    /// event, and no one else touches it meanwhile.
    func receive(_ connection: Connection, _ http: inout HTTP1Connection) {
        if connection.ending == .lingering { return discardInput(connection, &http) }
        // What has been read is worked on in its turn; more would only take memory.
        if connection.isQueued || connection.isJoined { return }
        // Nothing is read while an answer is owed or unread: TCP then slows the client down.
        guard http.takesInput, !http.hasOutput, connection.ending == .open,
            !http.inputHasEnded
        else {
            connection.hasUnreadInput = true
            return settle(connection, &http)
        }
        connection.hasUnreadInput = false
        if http.isSkipping, !skipBody(connection, &http) { return settle(connection, &http) }
        for _ in 0..<EventLoop.readCountMax {
            buffers.lend(to: &http)
            guard http.makeRoom(context) else {
                if connection.http2 != nil { break }
                return refuse(connection, &http, .noRoom)
            }
            let room = overload.isShedding ? roomToRefuse(http) : http.input.count - http.inputEnd
            let count: Int?
            do throws(SystemError) {
                count = try connection.receive(
                    into: &http.input,
                    from: http.inputEnd,
                    atMost: room
                )
            } catch {
                return drop(connection)
            }
            guard let count else { break }
            if count == 0 {
                http.endInput()
            } else {
                http.didReceive(count)
                counters.add(count, to: .bytesIn)
                // Each piece of a streamed body puts its deadline off.
                if http.streamed != nil { connection.deadlineKind = .none }
            }
            guard advance(connection, &http) else { break }
            guard count == room || connection.isEncrypted && connection.hasBufferedInput else {
                break
            }
        }
        settle(connection, &http)
    }

    /// Goes on with a connection whose output has room, or that had to let others go first.
    func resume(_ connection: Connection, _ http: inout HTTP1Connection) {
        if http.hasOutput {
            guard flush(connection, &http) else { return }
        }
        if connection.ending == .open, !http.hasOutput, !http.isDeferred {
            buffers.lend(to: &http)
            if let http2 = connection.http2 {
                guard readAhead(connection, http2, &http) else { return }
            }
            if advance(connection, &http), connection.isEncrypted,
                connection.hasBufferedInput || connection.readsWhenWritable
            {
                return receive(connection, &http)
            }
        }
        settle(connection, &http)
    }

    /// Gives a deferred answer to its request, if that is still there.
    func giveDeferred(
        _ answer: Response,
        to token: ConnectionToken,
        sequence: UInt64,
        isEncoded: Bool
    ) {
        guard let connection = present(token), connection.awaitsAnswer(to: sequence) else {
            return dropAnswer(to: token)
        }
        if answer.isShed, !isEncoded { counters.add(1, to: .requestsShed) }
        if let body = connection.streamed(for: sequence) {
            return givePiece(answer, of: body, to: sequence, connection)
        }
        var answer = answer
        if !isEncoded, answer.body.count >= shared.limits.encodedBytesMin {
            ContentCoder.addVary(to: &answer)
            if connection.acceptsGzip(for: sequence) {
                return encodeDeferred(answer, to: sequence, connection.token)
            }
        }
        counters.add(-1, to: .requestsDeferred)
        answers.count(status: answer.status, routeIndex: connection.routeIndex(for: sequence))
        connection.answer(answer, to: sequence, context)
        proceed(connection, &connection.http)
    }

    /// Takes note of a deferred answer that nobody waits for any more.
    private func dropAnswer(to token: ConnectionToken) {
        counters.add(-1, to: .requestsDeferred)
        counters.add(1, to: .answersDropped)
        guard let connection = present(token), connection.http2 != nil else { return }
        // A stream that was reset has held its place until now, for which another may wait.
        proceed(connection, &connection.http)
    }

    /// Encodes a deferred answer, which may be large, beside the loop and has it come again.
    private func encodeDeferred(
        _ answer: Response,
        to sequence: UInt64,
        _ token: ConnectionToken
    ) {
        let mailbox = mailbox
        shared.encoding.async {
            var answer = answer
            ContentCoder().encode(&answer)
            answer.reservation?.shrink(to: answer.body.count)
            mailbox.post(
                .answer(connection: token, sequence: sequence, answer, isEncoded: true)
            )
        }
    }

    /// Goes on after an answer that came late, unless nothing more is said than what waits.
    func proceed(_ connection: Connection, _ http: inout HTTP1Connection) {
        if connection.ending == .open {
            if connection.http2 == nil, mustPause(http) {
                queue(connection)
            } else {
                buffers.lend(to: &http)
                _ = advance(connection, &http)
            }
        }
        settle(connection, &http)
    }

    /// Lets the protocol go on with what has been received.
    ///
    /// - Returns: Whether it wants more bytes.
    func advance(_ connection: Connection, _ http: inout HTTP1Connection) -> Bool {
        context.nowNanoseconds = now
        if let http2 = connection.http2 { return advance(connection, http2, &http) }
        for _ in 0..<shared.limits.pipelinedRequestCountMax {
            switch http.next(context) {
            case .receive:
                guard overload.isShedding else { return true }
                // After a refusal, what the connection does next.
                guard shedUnread(connection, &http) else { return !http.isSkipping }
            case .wait: return false
            case .yield:
                queue(connection)
                // It is being worked on.
                connection.waitsSince = now
                return false
            case .decode:
                decode(http.decoding, of: connection, sequence: http.sequence)
                return false
            case .handle:
                if http.routing.isCostly {
                    waitForOthers(connection)
                    return false
                }
                if joinsRequests, http.routing.joinsOthers {
                    join(connection)
                    return false
                }
                handle(connection, &http)
            case .handlePiece:
                handlePiece(connection, &http)
                // The next piece comes when the answer to this one has gone out.
                guard http.streamed == nil else {
                    if !http.isDeferred { queue(connection) }
                    return false
                }
            case .answered(let answer): countOwnAnswer(answer)
            case .switchToHTTP2:
                startHTTP2(connection, &http)
                guard let http2 = connection.http2 else { return false }
                return advance(connection, http2, &http)
            case .close(let lingers):
                connection.ending = lingers ? .lingerAfterOutput : .closeAfterOutput
                return false
            }
            if http.isIdle, !http.inputHasEnded { return true }
            if mustPause(http) { break }
        }
        queue(connection)
        return false
    }

    /// Whether the next request of the connection is left for another turn.
    func mustPause(_ http: borrowing HTTP1Connection) -> Bool {
        http.output.count > shared.limits.outputBytesMax || !http.unread.isEmpty && isTurnOver
    }

    /// Comes back to a connection in the next turn.
    func queue(_ connection: Connection) {
        guard !connection.isQueued else { return }
        connection.isQueued = true
        connection.waitsSince = min(connection.waitsSince, now)
        pending.append(connection)
    }

    /// Calls the handler with a complete request.
    func handle(_ connection: Connection, _ http: inout HTTP1Connection) {
        handle(connection, &http, &response)
    }

    /// As above; the response goes along as `inout`, so that handing it on copies nothing.
    private func handle(
        _ connection: Connection,
        _ http: inout HTTP1Connection,
        _ response: inout Response
    ) {
        counters.add(1, to: .requests)
        response.reset()
        if http.routing.isSheddable, sheds(connection) {
            writeOverloaded(http, &response)
        } else {
            overload.noteServed()
            response.destination?.connection = connection.token
            response.destination?.sequence = http.sequence
            shared.handler.respond(
                to: http.request,
                bytes: http.input.span.extracting(http.requestBytes),
                response: &response
            )
            if response.isDeferred {
                counters.add(1, to: .requestsDeferred)
                return http.deferAnswer()
            }
        }
        answers.count(status: response.status, routeIndex: http.routing.routeIndex)
        if response.body.count >= shared.limits.encodedBytesMin {
            let bytes = http.input.span.extracting(http.requestBytes)
            context.coder.encode(&response, for: http.request, bytes)
        }
        http.answer(response, context)
    }

    func countOwnAnswer(_ answer: HTTP1Connection.OwnAnswer) {
        answers.count(status: answer.status, routeIndex: answer.routeIndex)
        switch answer.refusal {
        case .rule: counters.add(1, to: .parseErrors)
        case .limit: counters.add(1, to: .limitHits)
        case nil: counters.add(1, to: .requests)
        }
    }

    /// Sends what there is, then closes, waits or gives the buffers back, as the state asks.
    func settle(_ connection: Connection, _ http: inout HTTP1Connection) {
        if connection.isJoined {
            // Most are answered in this turn; the others keep back nothing that is before them.
            if http.hasOutput, http.routing.isCostly { _ = flush(connection, &http) }
            return
        }
        let hadOutput = http.hasOutput
        if hadOutput {
            guard flush(connection, &http) else { return }
            // Of HTTP/2 no more is written than there is memory for.
            if http.hasOutput, connection.http2 == nil {
                guard holdOutput(of: connection, &http) else { return }
            }
        }
        if !http.hasOutput {
            switch connection.ending {
            case .open:
                // What had to wait for room goes on, which nothing else would say.
                if hadOutput, mayGoOn(connection, http) { queue(connection) }
            case .lingering: break
            case .closeAfterOutput: return close(connection)
            case .lingerAfterOutput:
                connection.ending = .lingering
                connection.lingerEnd = now + timeouts.lingerTotal
                connection.shutDownSession()
                connection.socket.shutDownSending()
                // No more is said to anybody: what requests and decoders have is free.
                connection.http2 = nil
                if http.inputHasEnded { return close(connection) }
            }
            if http.heldOutputByteCount > 0 { _ = http.holdOutput(0, context) }
            if connection.http2 == nil { http.pace.follow(isWaiting: false, at: now) }
            buffers.takeOutput(from: &http)
            // What has come behind the end is nobody's.
            if connection.ending == .lingering { http.dropInput(http.unread.count) }
            if http.isIdle || connection.ending == .lingering {
                buffers.takeInput(from: &http)
                if http.heldByteCount > 0 { _ = http.holdInput(0, context) }
            }
        }
        if let http2 = connection.http2 {
            // What it takes that others could have: answers, and output that nobody takes.
            let isWaiting = http2.holdAnswers() || http.heldOutputByteCount > 0
            http.pace.follow(isWaiting: isWaiting || http2.reservationCount > 0, at: now)
            if http2.hasAnswers { lookAtHoldersLater() }
        }
        if http.pace.isWaiting { lookAtHoldersLater() }
        // The poller knows nothing of what has left the socket.
        if connection.isEncrypted, connection.hasBufferedInput, connection.ending == .open,
            !http.hasOutput, !http.isDeferred
        {
            queue(connection)
        }
        watch(connection, &http)
        setDeadline(of: connection, &http)
    }

    /// Sends as much as the socket takes.
    ///
    /// - Returns: Whether the connection is still there.
    private func flush(_ connection: Connection, _ http: inout HTTP1Connection) -> Bool {
        do throws(SystemError) {
            while http.hasOutput {
                let sent = try connection.send(http.output, from: http.outputSent)
                guard let sent else { return true }
                http.outputSent += sent
                http.pace.didSend(sent)
                connection.deadlineKind = .none
                counters.add(sent, to: .bytesOut)
            }
        } catch {
            drop(connection)
            return false
        }
        http.outputSent = 0
        http.output.removeAll(keepingCapacity: true)
        if !http.reservations.isEmpty { http.dropReservations() }
        return true
    }

    /// Watches for what the connection's state waits for.
    private func watch(_ connection: Connection, _ http: inout HTTP1Connection) {
        var wanted = Readiness.input
        let reads = connection.readsWhenWritable && connection.ending == .open
        if http.hasOutput || reads && http.takesInput {
            wanted = .output
        } else if http.inputHasEnded
            || !http.takesInput && connection.hasUnreadInput
        {
            wanted = []
        }
        watch(connection, wanted)
    }

    /// Watches for what is told.
    func watch(_ connection: Connection, _ wanted: Readiness) {
        guard wanted != connection.readiness else { return }
        connection.readiness = wanted
        do throws(SystemError) {
            try poller.change(connection.socket.rawValue, wanted, token: connection.token)
        } catch {
            close(connection)
        }
    }

    /// Ends a connection in good order.
    func close(_ connection: Connection) {
        connection.shutDownSession()
        drop(connection)
    }

    /// Forgets a connection; its socket is closed with its last reference.
    func drop(_ connection: Connection) {
        let slot = connection.token.descriptor
        guard connections[slot] === connection else { return }
        connections[slot] = nil
        if connection.hasBegunHandshake, connection.security == .handshake { handshakes.end() }
        connectionCount -= 1
        shared.connectionCount.wrappingSubtract(1, ordering: .relaxed)
        counters.add(-1, to: .connectionsOpen)
    }
}
