// SPDX-License-Identifier: MIT

internal import Platform

extension EventLoop {
    /// Time after which what stands in line is looked at again, in nanoseconds.
    private static let lineNanoseconds: Int64 = 100_000_000

    /// How long what a socket had no room for is a reason not to have read.
    private static let blockedNanoseconds: Int64 = 1_000_000_000

    /// Speaks HTTP/2 from here on: the client's preface has come, or ALPN has chosen it.
    ///
    /// The input and output buffers stay those of `http`.
    func startHTTP2(_ connection: Connection, _ http: inout HTTP1Connection) {
        context.nowNanoseconds = now
        let made = HTTP2Connection(listener: http.request.listener, loopIndex: index, context)
        guard let made else {
            connection.ending = .closeAfterOutput
            return
        }
        connection.http2 = made
    }

    /// Takes in what a client has sent while its answers went out: with windows as large as these
    /// they would leave no moment for it, and frames of other streams would wait for the last byte.
    ///
    /// - Returns: Whether the connection is still there.
    func readAhead(
        _ connection: Connection,
        _ http2: HTTP2Connection,
        _ http: inout HTTP1Connection
    ) -> Bool {
        context.nowNanoseconds = now
        for _ in 0..<EventLoop.readCountMax {
            guard http.unread.isEmpty, !http.inputHasEnded, http.makeRoom(context) else { break }
            let count: Int?
            do throws(SystemError) {
                count = try connection.receive(
                    into: &http.input,
                    from: http.inputEnd,
                    atMost: http.input.count - http.inputEnd
                )
            } catch {
                drop(connection)
                return false
            }
            guard let count else { break }
            guard count > 0 else {
                http.endInput()
                break
            }
            http.didReceive(count)
            counters.add(count, to: .bytesIn)
            http.dropInput(http2.receive(http.input.span.extracting(http.unread)))
        }
        return true
    }

    /// Lets HTTP/2 go on with what has been received.
    ///
    /// - Returns: Whether it wants more bytes.
    func advance(
        _ connection: Connection,
        _ http2: HTTP2Connection,
        _ http: inout HTTP1Connection
    ) -> Bool {
        http.dropInput(http2.receive(http.input.span.extracting(http.unread)))
        if http2.lacksRoom {
            http2.lacksRoom = false
            counters.add(1, to: .limitHits)
            makeRoom(for: connection)
        } else if http2.hasLine, http2.lacksMemory {
            makeRoom(for: connection)
        }
        answerReady(connection, http2)
        write(http2, &http)
        if http2.refuseWaiting() { write(http2, &http) }
        let isRead = http.unread.isEmpty
        if http2.isOver || http.inputHasEnded && isRead && !http2.owesAnswers {
            switch http2.refusal {
            case .rule: counters.add(1, to: .parseErrors)
            case .limit: counters.add(1, to: .limitHits)
            case nil: break
            }
            connection.ending = http.inputHasEnded ? .closeAfterOutput : .lingerAfterOutput
            return false
        }
        guard !isRead || http2.hasReady || http2.hasUndecoded || http2.hasMoreToWrite else {
            return true
        }
        queue(connection)
        if http2.hasUndecoded { connection.waitsSince = now }
        return false
    }

    /// Writes what is free in any case, and more where there is memory for it.
    private func write(_ http2: HTTP2Connection, _ http: inout HTTP1Connection) {
        let limit = shared.limits.outputBytesMax
        let free = min(limit, ByteBudget.freeByteCount)
        http2.write(to: &http.output, limit: free)
        guard http2.hasMoreToWrite, free < limit, http.holdOutput(limit, context) else { return }
        http2.write(to: &http.output, limit: limit)
    }

    private func answerReady(_ connection: Connection, _ http2: HTTP2Connection) {
        // All of a connection's streams wait together, so that their answers go out together; one
        // that has waited is served, however short a turn is.
        if isTurnOver, connection.waitsSince == .max { return }
        for _ in 0..<shared.limits.pipelinedRequestCountMax {
            let action = http2.next()
            if action == .wait { return }
            take(action, connection, http2)
            if isTurnOver { return }
        }
    }

    /// Does what the connection asks for.
    func take(
        _ action: HTTP2Connection.Action,
        _ connection: Connection,
        _ http2: HTTP2Connection
    ) {
        switch action {
        case .handle(let slot): handle(connection, http2, slot)
        case .decode(let slot):
            let stream = http2.slots[slot]
            decode(stream.decoding, of: connection, sequence: UInt64(stream.id))
        case .handlePiece(let slot): handlePiece(connection, http2, slot)
        case .answered(let answer): countOwnAnswer(answer)
        case .wait: break
        }
    }

    /// Calls the handler with a complete request.
    private func handle(_ connection: Connection, _ http2: HTTP2Connection, _ slot: Int) {
        counters.add(1, to: .requests)
        response.reset()
        let routing = http2.slots[slot].routing
        if routing.isSheddable, sheds(connection) {
            counters.add(1, to: .requestsShed)
            let stream = http2.slots[slot]
            Problem.overloaded.render(
                into: &response,
                for: stream.request,
                in: stream.bytes.span,
                &context.requestIDs
            )
            response.addField("retry-after", "\(shared.limits.retryAfterSeconds)")
        } else {
            overload.noteServed()
            response.destination?.connection = connection.token
            response.destination?.sequence = UInt64(http2.slots[slot].id)
            callHandler(http2, slot)
            if response.isDeferred {
                counters.add(1, to: .requestsDeferred)
                return http2.deferAnswer(slot)
            }
        }
        answers.count(status: response.status, routeIndex: routing.routeIndex)
        http2.answer(slot, with: &response)
    }

    // A function of its own, so that the request's memory has one owner again when it returns.
    private func callHandler(_ http2: HTTP2Connection, _ slot: Int) {
        let request = http2.slots[slot].request
        let bytes = http2.slots[slot].bytes
        shared.handler.respond(to: request, bytes: bytes.span, response: &response)
        guard !response.isDeferred, response.body.count >= shared.limits.encodedBytesMin else {
            return
        }
        context.coder.encode(&response, for: request, bytes.span)
    }

    /// Sets the deadline of an HTTP/2 connection: that of its socket, of a stream, or of idleness,
    /// which no frame without a request puts off.
    func setDeadline(
        of connection: Connection,
        _ http2: HTTP2Connection,
        hasOutput: Bool
    ) {
        if connection.ending == .lingering || hasOutput {
            let kind: Connection.DeadlineKind = hasOutput ? .write : .linger
            if hasOutput { connection.blockedAt = now }
            if kind != connection.deadlineKind {
                connection.deadlineKind = kind
                let linger = min(timeouts.linger, connection.lingerEnd - now)
                connection.socketDeadline = now + (hasOutput ? timeouts.write : linger)
            }
            // That its client reads something now and then is no progress of every stream.
            connection.deadline = min(connection.socketDeadline, http2.earliestDeadline)
        } else if http2.openCount > 0 {
            connection.deadlineKind = .streams
            // What stands in line may wait for memory that others have: nobody says when they have
            // given it back.
            let looksAgain = http2.hasLine && !connection.isQueued
            let lineEnd = looksAgain ? now + Self.lineNanoseconds : .max
            connection.deadline = min(http2.earliestDeadline, lineEnd)
        } else {
            connection.deadlineKind = .idle
            connection.deadline = min(http2.restsAt ?? .max, http2.idleSince + timeouts.idle)
        }
        timers.sweepAt = min(timers.sweepAt, connection.deadline)
    }

    /// Lets a connection that has been without streams for a while give memory back.
    ///
    /// - Returns: Whether that was due, and nothing else.
    func rest(_ connection: Connection) -> Bool {
        context.nowNanoseconds = now
        guard connection.deadlineKind == .idle, let http2 = connection.http2, http2.rest() else {
            return false
        }
        setDeadline(of: connection, http2, hasOutput: false)
        return true
    }

    /// Ends the streams of a connection whose time is over, and looks again at what stands in line.
    func expireStreams(_ connection: Connection, _ http2: HTTP2Connection) {
        context.nowNanoseconds = now
        // It may have room just now, and nothing has been read yet.
        let isBlocked = now - connection.blockedAt < Self.blockedNanoseconds
        let expired = http2.expire(isBlocked: isBlocked || connection.deadlineKind == .write)
        counters.add(expired.count, to: .timeouts)
        for routeIndex in expired.answeredRoutes {
            answers.count(status: Problem.tooSlow.status, routeIndex: routeIndex)
        }
        // Most often nobody has given memory back, and there is nothing else to do.
        if expired.count == 0, http2.hasLine, !http2.takesMore, !http2.hasMoreToWrite {
            if http2.lacksMemory { makeRoom(for: connection) }
            guard http2.takesMore || http2.refuseWaiting() else {
                return setDeadline(of: connection, &connection.http)
            }
        }
        proceed(connection, &connection.http)
    }

    /// Tells all clients that speak HTTP/2 to open no more streams.
    func announceDrain() {
        for connection in connections {
            guard let connection, let http2 = connection.http2, connection.ending == .open else {
                continue
            }
            http2.beginDrain()
            proceed(connection, &connection.http)
        }
    }
}
