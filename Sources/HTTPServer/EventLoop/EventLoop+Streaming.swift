// SPDX-License-Identifier: MIT

internal import Platform

/// Bodies that are taken piece by piece.
extension EventLoop {
    /// Hands the next piece of a body to its stream.
    func handlePiece(_ connection: Connection, _ http: inout HTTP1Connection) {
        guard let body = http.streamed else { return }
        // How long the next one may take is for the stream to say.
        connection.deadlineKind = .none
        if sheds(body, of: connection, isSheddable: http.routing.isSheddable) {
            http.write(.overloaded, into: &response, context)
            endShed()
        } else {
            response.destination?.connection = connection.token
            response.destination?.sequence = http.sequence
            call(body, http.input, http.pieceBytes)
            if response.isDeferred {
                counters.add(1, to: .requestsDeferred)
                return http.deferAnswer()
            }
        }
        let wasCounted = body.isHeadWritten
        let routeIndex = http.routing.routeIndex
        http.answer(response, context)
        if !wasCounted { countHead(of: body, status: response.status, routeIndex) }
    }

    /// Hands the next piece of the body of an HTTP/2 stream to its taker.
    func handlePiece(_ connection: Connection, _ http2: HTTP2Connection, _ slot: Int) {
        guard let body = http2.slots[slot].streamed else { return }
        if sheds(body, of: connection, isSheddable: http2.slots[slot].routing.isSheddable) {
            let stream = http2.slots[slot]
            Problem.overloaded.render(
                into: &response,
                for: stream.request,
                in: stream.bytes.span,
                &context.requestIDs
            )
            endShed()
        } else {
            response.destination?.connection = connection.token
            response.destination?.sequence = UInt64(http2.slots[slot].id)
            call(body, http2.slots[slot].bytes, http2.pieceBytes(slot))
            if response.isDeferred {
                counters.add(1, to: .requestsDeferred)
                return http2.deferAnswer(slot)
            }
        }
        let wasCounted = body.isHeadWritten
        let status = response.status
        let routeIndex = http2.slots[slot].routing.routeIndex
        http2.answer(slot, with: &response)
        if !wasCounted { countHead(of: body, status: status, routeIndex) }
    }

    /// Gives a deferred answer to a piece.
    func givePiece(
        _ answer: Response,
        of body: StreamedBody,
        to sequence: UInt64,
        _ connection: Connection
    ) {
        counters.add(-1, to: .requestsDeferred)
        context.nowNanoseconds = now
        // Each answer is awaited for a time of its own.
        connection.deadlineKind = .none
        let wasCounted = body.isHeadWritten
        let routeIndex = connection.routeIndex(for: sequence)
        connection.answer(answer, to: sequence, context)
        if !wasCounted { countHead(of: body, status: answer.status, routeIndex) }
        if connection.http2 == nil {
            // It goes out before the next piece is looked for.
            resume(connection, &connection.http)
        } else {
            proceed(connection, &connection.http)
        }
    }

    /// Empties the response for a piece.
    ///
    /// - Returns: Whether it is the first one of a body that is refused under overload.
    private func sheds(
        _ body: StreamedBody,
        of connection: Connection,
        isSheddable: Bool
    ) -> Bool {
        response.reset()
        guard !body.hasBegun else { return false }
        body.hasBegun = true
        counters.add(1, to: .requests)
        if isSheddable, sheds(connection) { return true }
        overload.noteServed()
        return false
    }

    private func endShed() {
        counters.add(1, to: .requestsShed)
        response.addField("retry-after", "\(shared.limits.retryAfterSeconds)")
        response.endsStream = true
    }

    /// Calls the stream with its piece: a part of the bytes, or what was decoded from it.
    private func call(_ body: StreamedBody, _ bytes: [UInt8], _ piece: Range<Int>) {
        let decoded = body.decoded
        let bytes = body.isDecoded ? decoded.span : bytes.span.extracting(piece)
        body.stream.receive(bytes, body.event, response: &response)
    }

    private func countHead(of body: StreamedBody, status: Int, _ routeIndex: Int?) {
        guard body.isHeadWritten else { return }
        answers.count(status: status, routeIndex: routeIndex)
    }
}
