// SPDX-License-Identifier: MIT

/// Requests that are turned away: for what they say, or before all of them has come.
extension HTTP1Connection {
    /// Refuses the current request and ends the connection.
    mutating func refuse(_ reason: RequestError, _ context: Context) -> Action {
        // A body that is not read any more has a reason of its own.
        let error = streamed?.failure ?? reason
        if let streamed, streamed.tellsFailure(at: context.nowNanoseconds) {
            streamed.fail(error)
            return .handlePiece
        }
        streamed = nil
        if isHeadUnread { forgetHead() }
        // RFC 9110 §9.3.2: no body either where the rest of the head was not read.
        if request.method == .head { routing.isHead = true }
        let problem = Problem(error)
        var response = Response()
        write(problem, into: &response, context)
        error.addFields(to: &response, context.limits)
        closesAfterAnswer = true
        decoding = nil
        write(response, context)
        phase = .closing
        if heldByteCount > 0 { shrinkInput(context) }
        let refusal: Refusal = error.isLimit ? .limit : .rule
        return .answered(
            OwnAnswer(status: problem.status, refusal: refusal, routeIndex: routing.routeIndex)
        )
    }

    /// Writes a problem into an empty response.
    ///
    /// It names the path and the client's request id if the head has been read to its end.
    func write(_ problem: Problem, into response: inout Response, _ context: Context) {
        guard parser.isComplete else {
            return problem.render(into: &response, &context.requestIDs)
        }
        let head = input.span.extracting(inputStart..<(inputStart + parser.position))
        problem.render(into: &response, for: request, in: head, &context.requestIDs)
    }

    /// Whether a request waits for its body, which has a known length and is wanted whole.
    var isInBody: Bool {
        guard case .body = phase, streamed == nil else { return false }
        return inputEnd - inputStart < parser.position + bodyByteCount
    }

    /// Takes the request for complete without the rest of its body, which is to be received by
    /// nobody: ``didSkip(_:)`` says how much of it has gone by.
    ///
    /// Its answer comes next, a refusal; if that ends the connection, closing waits for the body.
    mutating func cutBody() {
        consumed = inputEnd - inputStart
        skippedByteCount = parser.position + bodyByteCount - consumed
        // Whether a body follows that was asked for, and then refused, is the client's choice.
        if parser.expectsContinue { closesAfterAnswer = true }
        phase = .handling
    }

    /// Whether the last answer has been written.
    var isClosing: Bool {
        if case .closing = phase { return true }
        return false
    }

    /// Whether what comes next belongs to a request that has been answered.
    var isSkipping: Bool {
        if case .skipping = phase { return true }
        return false
    }

    /// Takes note of bytes of an unwanted body that have been thrown away.
    mutating func didSkip(_ count: Int) {
        skippedByteCount -= count
        if skippedByteCount == 0 { phase = .head }
    }
}
