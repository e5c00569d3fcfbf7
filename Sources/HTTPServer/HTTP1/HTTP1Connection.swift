// SPDX-License-Identifier: MIT

/// One HTTP/1.1 connection as a state machine without a socket: bytes and answers go in, what to do
/// next and bytes come out.
///
/// The owner appends what it receives to `input`, calls ``next(_:)`` until it asks for more,
/// gives each request its answer, and sends `output`.
struct HTTP1Connection {
    /// What the owner has to do.
    enum Action: Equatable {
        /// Receive more bytes, or wait for the next request.
        case receive
        /// Hand `request` to the handler, then call ``answer(_:_:)``.
        case handle
        /// Have the body of `decoding` decoded, then call ``didDecode(_:to:_:)``.
        case decode
        /// Hand the next piece of `streamed` to its stream, then call ``answer(_:_:)``.
        case handlePiece
        /// The server's own answer has been written to `output`; call ``next(_:)`` again.
        case answered(OwnAnswer)
        /// The client speaks HTTP/2: hand `unread` and what follows to an ``HTTP2Connection``.
        case switchToHTTP2
        /// Nothing until the deferred answer comes.
        case wait
        /// Call ``next(_:)`` again in the next turn: enough was done in this one.
        case yield
        /// Send `output`, then end the connection; `lingers` if unread bytes may be on their way.
        case close(lingers: Bool)
    }

    enum Phase {
        case head, body, chunks(ChunkedBody), decoding, handling, deferred, skipping, closing
    }

    /// The receive buffer: filled from `inputStart` to `inputEnd`; its count is its capacity.
    var input: [UInt8] = []
    var inputStart = 0
    var inputEnd = 0
    /// What has to be sent.
    var output: [UInt8] = []
    /// How much of it has been.
    var outputSent = 0

    /// What goes with the answers in it, and is let go when they have been sent.
    var reservations: [any AnswerReservation] = []
    /// Bytes of the output that those have memory for.
    var reservedByteCount = 0
    /// What the input has of the memory for bodies.
    var heldByteCount = 0
    /// What the output has of the memory for answers, where the socket does not take it all.
    var heldOutputByteCount = 0
    /// How fast what waits is read.
    var pace = ReadingPace()

    var request = Request()
    /// Counts requests, so that a late answer finds its own.
    private(set) var sequence: UInt64 = 0
    private(set) var parser = RequestParser()
    var phase = Phase.head
    /// What the route table says about the current request.
    var routing = Routing()
    /// The head that `parser`, `request` and `routing` tell of, where the next may equal it.
    private(set) var knownHead = KnownHead()
    /// The body of the current request where it is taken piece by piece.
    var streamed: StreamedBody?
    /// Bytes of a body with Content-Length; of a streamed one, those that were not taken.
    var bodyByteCount = 0
    /// Bytes still to come of a body that nobody wants, since its request has been answered.
    var skippedByteCount = 0
    var consumed = 0
    /// The gzip body that is being decoded.
    var decoding: BodyDecoding?
    var closesAfterAnswer = false
    var inputHasEnded = false
    /// Whether it is secured by TLS.
    var isEncrypted = false

    /// Starts anew for another socket.
    mutating func reset(listener: Listener, loopIndex: Int) {
        inputStart = 0
        inputEnd = 0
        output.removeAll(keepingCapacity: true)
        outputSent = 0
        request.listener = listener
        request.loopIndex = loopIndex
        inputHasEnded = false
        knownHead.forget()
        beginRequest()
    }

    /// Whether nothing of a next request has come.
    var isIdle: Bool {
        guard case .head = phase else { return false }
        return inputStart == inputEnd
    }

    /// Whether answers wait to be sent.
    var hasOutput: Bool { outputSent < output.count }

    /// Whether a head is being received.
    var isInHead: Bool {
        if case .head = phase { return !isIdle }
        return false
    }

    /// Whether the handler is to have a request, or has it.
    var isHandling: Bool {
        if case .handling = phase { return true }
        return false
    }

    /// Whether a deferred answer is awaited, or a body that is being decoded.
    var isDeferred: Bool {
        if let streamed { return streamed.isAwaited }
        if case .deferred = phase { return true }
        if case .decoding = phase { return true }
        return false
    }

    /// Whether the machine can do something with more bytes.
    var takesInput: Bool { !isDeferred && streamed?.isHungry ?? true }

    /// The bytes of the current request within `input`.
    var requestBytes: Range<Int> { inputStart..<(inputStart + consumed) }

    /// Looks at what has come and says what to do.
    mutating func next(_ context: Context) -> Action {
        if sequence == 1, case .head = phase, let isHTTP2 = hasHTTP2Preface() {
            if isHTTP2 { return .switchToHTTP2 }
            guard inputHasEnded else { return .receive }
        }
        do throws(RequestError) {
            if isIdle { return starved(context) }
            if case .head = phase, try !readHead(context) { return starved(context) }
            if let streamed { return try nextPiece(of: streamed, context) }
            switch phase {
            case .head, .body:
                guard inputEnd - inputStart >= parser.position + bodyByteCount else {
                    return starved(context)
                }
                request.body = parser.position..<(parser.position + bodyByteCount)
                consumed = request.body.upperBound
                return try dispatch(context)
            case .chunks(var chunks):
                let isComplete = try chunks.decode(
                    &input,
                    base: inputStart,
                    end: inputEnd,
                    bodyBytesMax: routing.bodyBytesMax,
                    limits: context.limits
                )
                phase = .chunks(chunks)
                guard isComplete else { return starved(context) }
                request.body = chunks.body
                consumed = chunks.position
                return try dispatch(context)
            case .decoding, .handling, .deferred:
                return .wait
            case .skipping:
                return inputHasEnded ? .close(lingers: false) : .receive
            case .closing:
                // RFC 9112 §9.6: something may be on its way, be it the end of TLS, and to close
                // would reset what the client has not read.
                return .close(lingers: true)
            }
        } catch {
            return refuse(error, context)
        }
    }

    /// Takes note that the handler answers later.
    mutating func deferAnswer() {
        if let streamed {
            streamed.isAwaited = true
        } else {
            phase = .deferred
        }
    }

    /// Writes the answer of the current request and goes on to the next; of a streamed one, writes
    /// the answer to its last piece.
    mutating func answer(_ response: borrowing Response, _ context: Context) {
        if response.isReserved { keepReservation(of: response) }
        if let streamed { return answerPiece(response, of: streamed, context) }
        answerWhole(response, context)
    }

    private mutating func keepReservation(of response: borrowing Response) {
        // Nothing of an answer without bytes waits to be sent.
        guard let reservation = response.reservation, !response.body.isEmpty else { return }
        reservations.append(reservation)
        if !routing.isHead { reservedByteCount += response.body.count }
    }

    /// Writes an answer in one and goes on to the next request.
    mutating func answerWhole(_ response: borrowing Response, _ context: Context) {
        if response.closesConnection { closesAfterAnswer = true }
        // A request that is already here is answered too before the connection ends.
        if context.isDraining, inputStart + consumed == inputEnd { closesAfterAnswer = true }
        write(response, context)
        finishRequest(context)
    }

    /// Goes on to the next request, or ends the connection, after an answer.
    mutating func finishRequest(_ context: Context) {
        streamed = nil
        if decoding != nil { decoding = nil }
        inputStart += consumed
        if inputStart == inputEnd {
            inputStart = 0
            inputEnd = 0
        }
        if closesAfterAnswer {
            phase = .closing
        } else {
            beginRequest()
            if skippedByteCount > 0 { phase = .skipping }
        }
        if heldByteCount > 0 { shrinkInput(context) }
    }

    mutating func write(_ response: borrowing Response, _ context: Context) {
        let persistence: ResponseWriter.Persistence =
            closesAfterAnswer ? .close : parser.isVersion10 ? .keepAlive : .standard
        ResponseWriter.write(
            response,
            to: &output,
            date: context.date,
            persistence: persistence,
            omitsBody: routing.isHead
        )
    }

    private mutating func beginRequest() {
        phase = .head
        closesAfterAnswer = false
        consumed = 0
        bodyByteCount = 0
        sequence &+= 1
        streamed = nil
        if knownHead.isEmpty { forgetHead() }
        request.joinedIndex = nil
    }

    /// Whether nothing but empty lines has come of a head.
    var isHeadUntouched: Bool {
        guard case .head = phase else { return false }
        return knownHead.isEmpty && parser.hasOnlyEmptyLines(of: inputEnd - inputStart)
    }

    /// Forgets what the last head has said.
    mutating func forgetHead() {
        knownHead.forget()
        parser.reset()
        request.reset()
        routing = Routing()
    }

    /// What to do when the bytes at hand are used up.
    mutating func starved(_ context: Context) -> Action {
        guard inputHasEnded else { return .receive }
        // Empty lines behind a request are no request (RFC 9112 §2.2).
        if isIdle || isHeadUntouched {
            phase = .closing
            return .close(lingers: false)
        }
        return refuse(.truncated, context)
    }

    /// Reads the head and decides how the body comes.
    ///
    /// - Returns: Whether the head is complete.
    private mutating func readHead(_ context: Context) throws(RequestError) -> Bool {
        // Moved out and back, so that the state can change while the bytes are read.
        var buffer: [UInt8] = []
        swap(&buffer, &input)
        defer { swap(&buffer, &input) }
        let bytes = buffer.span.extracting(inputStart..<inputEnd)
        if !knownHead.isEmpty {
            if takeKnownHead(of: bytes) { return true }
            forgetHead()
        }
        guard try parser.parseHead(bytes, into: &request, limits: context.limits) else {
            return false
        }
        let framing = try parser.framing()
        // RFC 9110 §7.4: only a connection that is secured may be asked for what is.
        if parser.wantsTLS, !isEncrypted { throw .unsecuredTarget }
        routing = Routing(
            &request,
            in: bytes,
            failsPrecondition: parser.failsPrecondition,
            context
        )
        closesAfterAnswer = !parser.keepsAlive
        if routing.streamsBody, framing != .none {
            streamed = try routing.openStream(
                for: &request,
                in: bytes,
                isEncoded: parser.hasGzip,
                owner: nil,
                context
            )
        }
        switch framing {
        case .none:
            if routing.requiresBody { throw .lengthRequired }
            phase = .body
        case .length(let count):
            guard count <= routing.bodyBytesMax else {
                throw .bodyTooLarge(limit: routing.bodyBytesMax)
            }
            bodyByteCount = count
            phase = .body
            if count > 0 { answerExpectation() }
        case .chunked:
            phase = .chunks(ChunkedBody(start: parser.position))
            answerExpectation()
        }
        if case .body = phase, streamed == nil, parser.keepsAlive, !parser.expectsContinue {
            let head = bytes.extracting(0..<parser.position)
            knownHead.keep(head, digits: parser.contentLengthDigits)
        }
        return true
    }

    /// RFC 9110 §10.1.1: 100 (Continue) unless the body is already coming or will not be wanted.
    private mutating func answerExpectation() {
        guard parser.expectsContinue, !parser.isVersion10,
            inputEnd - inputStart == parser.position
        else { return }
        if routing.hasRoute {
            output.append(contentsOf: StatusLine.all[0])
            output.append(0x0D)
            output.append(0x0A)
        } else {
            // The final answer comes at once; whether the body follows is the client's choice, so
            // that nothing behind it could be told apart.
            bodyByteCount = 0
            phase = .body
            closesAfterAnswer = true
        }
    }

    /// Gives a complete request to the handler, or answers it where no route takes it.
    private mutating func dispatch(_ context: Context) throws(RequestError) -> Action {
        phase = .handling
        request.receivedNanoseconds = context.nowNanoseconds
        if routing.hasRoute {
            if parser.hasGzip, !request.body.isEmpty, try !decodeContent(context) {
                phase = .decoding
                return .decode
            }
            return .handle
        }
        let buffer = input
        let bytes = buffer.span.extracting(requestBytes)
        let response = routing.answer(to: request, in: bytes, context)
        answer(response, context)
        return .answered(OwnAnswer(status: response.status, refusal: nil, routeIndex: nil))
    }
}
