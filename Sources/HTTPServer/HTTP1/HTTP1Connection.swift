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
        /// The server's own answer has been written to `output`; call ``next(_:)`` again.
        case answered(status: Int, Refusal?)
        /// Nothing until the deferred answer comes.
        case wait
        /// Send `output`, then end the connection; `lingers` if unread bytes may be on their way.
        case close(lingers: Bool)
    }

    /// Why the server itself refused a request.
    enum Refusal: Equatable {
        /// A rule of the protocol was broken.
        case rule
        /// A limit was passed.
        case limit
    }

    private static let requestID: FieldName = "X-Request-ID"

    private enum Phase {
        case head, body, chunks(ChunkedBody), handling, deferred, closing
    }

    /// The receive buffer: filled from `inputStart` to `inputEnd`; its count is its capacity.
    var input: [UInt8] = []
    private(set) var inputStart = 0
    private(set) var inputEnd = 0
    /// What has to be sent.
    var output: [UInt8] = []
    /// How much of it has been.
    var outputSent = 0

    private(set) var request = Request()
    /// Counts requests, so that a late answer finds its own.
    private(set) var sequence: UInt64 = 0
    private var parser = RequestParser()
    private var phase = Phase.head
    private var isHead = false
    /// Whether the current request may be refused under overload.
    private(set) var isSheddable = false
    private var resolution = RouteTable.Resolution.notFound
    private var bodyBytesMax = 0
    private var bodyByteCount = 0
    private var consumed = 0
    private var closesAfterAnswer = false
    private var lingersAfterAnswer = false
    private(set) var inputHasEnded = false

    /// Starts anew for another socket.
    mutating func reset(listener: Listener, loopIndex: Int) {
        inputStart = 0
        inputEnd = 0
        output.removeAll(keepingCapacity: true)
        outputSent = 0
        request.listener = listener
        request.loopIndex = loopIndex
        inputHasEnded = false
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

    /// Whether a deferred answer is awaited.
    var isDeferred: Bool {
        if case .deferred = phase { return true }
        return false
    }

    /// The bytes of the current request within `input`.
    var requestBytes: Range<Int> { inputStart..<(inputStart + consumed) }

    /// Takes note that the client will send no more.
    mutating func endInput() {
        inputHasEnded = true
    }

    /// Takes note of bytes that were put at the end of the input.
    mutating func didReceive(_ count: Int) {
        inputEnd += count
    }

    /// Makes room at the end of the input.
    mutating func makeRoom() {
        guard inputEnd == input.count else { return }
        if case .chunks(var chunks) = phase {
            inputEnd -= chunks.closeGap(&input, base: inputStart, end: inputEnd)
            phase = .chunks(chunks)
        }
        if inputStart > 0 {
            input.moveBytes(inputStart..<inputEnd, to: 0)
            inputEnd -= inputStart
            inputStart = 0
        }
        if inputEnd >= input.count / 2 {
            input.append(contentsOf: repeatElement(0, count: max(input.count, 4096)))
        }
    }

    /// Looks at what has come and says what to do.
    mutating func next(_ context: Context) -> Action {
        do throws(RequestError) {
            if case .head = phase, try !readHead(context) { return starved(context) }
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
                    bodyBytesMax: bodyBytesMax,
                    limits: context.limits
                )
                phase = .chunks(chunks)
                guard isComplete else { return starved(context) }
                request.body = chunks.body
                consumed = chunks.position
                return try dispatch(context)
            case .handling, .deferred:
                return .wait
            case .closing:
                return .close(lingers: lingersAfterAnswer)
            }
        } catch {
            return refuse(error, context)
        }
    }

    /// Refuses the current request and ends the connection.
    mutating func refuse(_ error: RequestError, _ context: Context) -> Action {
        let problem = Problem(error)
        var response = Response()
        write(problem, into: &response)
        // RFC 9110 §15.5.16: a 415 for its coding says which are taken.
        if error == .codedContent { response.addField("accept-encoding", "gzip") }
        closesAfterAnswer = true
        lingersAfterAnswer = true
        write(response, context)
        phase = .closing
        return .answered(status: problem.status, error.isLimit ? .limit : .rule)
    }

    /// Writes a problem into an empty response.
    ///
    /// It names the path and the request id if the head has been read to its end.
    func write(_ problem: Problem, into response: inout Response) {
        guard parser.isComplete else { return problem.render(into: &response) }
        let head = input.span.extracting(inputStart..<(inputStart + parser.position))
        var identity = 0..<0
        if let value = request.value(of: Self.requestID, in: head), value.count <= 128 {
            identity = value
            response.addField(Self.requestID, value, of: head)
        }
        problem.render(
            into: &response,
            instance: head.extracting(request.path),
            requestID: head.extracting(identity)
        )
    }

    /// Takes note that the handler answers later.
    mutating func deferAnswer() {
        phase = .deferred
    }

    /// Writes the answer of the current request and goes on to the next.
    mutating func answer(_ response: borrowing Response, _ context: Context) {
        if response.closesConnection { closesAfterAnswer = true }
        // A request that is already here is answered too before the connection ends.
        if context.isDraining, inputStart + consumed == inputEnd {
            closesAfterAnswer = true
            lingersAfterAnswer = true
        }
        write(response, context)
        inputStart += consumed
        if inputStart == inputEnd {
            inputStart = 0
            inputEnd = 0
        }
        if closesAfterAnswer {
            phase = .closing
            if inputStart < inputEnd { lingersAfterAnswer = true }
        } else {
            beginRequest()
        }
    }

    private mutating func write(_ response: borrowing Response, _ context: Context) {
        let persistence: ResponseWriter.Persistence =
            closesAfterAnswer ? .close : parser.isVersion10 ? .keepAlive : .standard
        ResponseWriter.write(
            response,
            to: &output,
            date: context.date,
            persistence: persistence,
            omitsBody: isHead
        )
    }

    private mutating func beginRequest() {
        phase = .head
        parser.reset()
        closesAfterAnswer = false
        lingersAfterAnswer = false
        consumed = 0
        bodyByteCount = 0
        sequence &+= 1
        request.fields.removeAll(keepingCapacity: true)
        request.query = 0..<0
        request.pathParameter = 0..<0
        request.body = 0..<0
        request.routeID = -1
        isHead = false
    }

    /// What to do when the bytes at hand are used up.
    private mutating func starved(_ context: Context) -> Action {
        guard inputHasEnded else { return .receive }
        if isIdle {
            phase = .closing
            return .close(lingers: false)
        }
        return refuse(.truncated, context)
    }

    /// Reads the head and decides how the body comes.
    ///
    /// - Returns: Whether the head is complete.
    private mutating func readHead(_ context: Context) throws(RequestError) -> Bool {
        // A reference of its own, so that the state can change while the bytes are read.
        let buffer = input
        let bytes = buffer.span.extracting(inputStart..<inputEnd)
        guard try parser.parseHead(bytes, into: &request, limits: context.limits) else {
            return false
        }
        let framing = try parser.framing()
        resolution = context.routes.resolve(
            request.method,
            path: request.path,
            in: bytes,
            listener: request.listener
        )
        bodyBytesMax = context.limits.bodyBytesMax
        isHead = request.method == .head
        var requiresBody = false
        if case .route(let index, let parameter) = resolution {
            let route = context.routes.routes[index]
            request.routeID = route.id
            request.method = route.method
            request.pathParameter = parameter
            bodyBytesMax = route.bodyBytesMax ?? bodyBytesMax
            requiresBody = route.requiresBody
            isSheddable = route.isSheddable && request.listener == .main
        }
        closesAfterAnswer = !parser.keepsAlive
        switch framing {
        case .none:
            if requiresBody { throw .lengthRequired }
            phase = .body
        case .length(let count):
            guard count <= bodyBytesMax else { throw .bodyTooLarge(limit: bodyBytesMax) }
            bodyByteCount = count
            phase = .body
            if count > 0 { answerExpectation() }
        case .chunked:
            phase = .chunks(ChunkedBody(start: parser.position))
            answerExpectation()
        }
        return true
    }

    /// RFC 9110 §10.1.1: 100 (Continue) unless the body is already coming or will not be wanted.
    private mutating func answerExpectation() {
        guard parser.expectsContinue, !parser.isVersion10,
            inputEnd - inputStart == parser.position
        else { return }
        if case .route = resolution {
            output.append(contentsOf: StatusLine.all[0])
            output.append(0x0D)
            output.append(0x0A)
        } else {
            // The final answer comes at once; whether the body follows is the client's choice, so
            // that nothing behind it could be told apart.
            bodyByteCount = 0
            phase = .body
            closesAfterAnswer = true
            lingersAfterAnswer = true
        }
    }

    /// Gives a complete request to the handler, or answers it where no route takes it.
    private mutating func dispatch(_ context: Context) throws(RequestError) -> Action {
        phase = .handling
        request.receivedNanoseconds = context.nowNanoseconds
        let pathIndex: Int
        switch resolution {
        case .route:
            if parser.hasGzip, !request.body.isEmpty { try decodeContent(context) }
            return .handle
        case .notFound:
            if request.method == .options, isAsterisk {
                return answerItself(allow: Array("GET, HEAD, POST, OPTIONS".utf8), context)
            }
            return answerItself(.notFound, context)
        case .options(let index):
            let allow = context.routes.allow(index, on: request.listener)
            return answerItself(allow: allow, context)
        case .methodNotAllowed(let index): pathIndex = index
        }
        let allow = context.routes.allow(pathIndex, on: request.listener)
        return answerItself(.methodNotAllowed, allow: allow, context)
    }

    /// Puts the decoded body in the place of the encoded one; what follows moves along.
    private mutating func decodeContent(_ context: Context) throws(RequestError) {
        let start = request.body.lowerBound
        let body = try decodedBody(context)
        input.replaceSubrange((inputStart + start)..<(inputStart + consumed), with: body)
        let growth = start + body.count - consumed
        inputEnd += growth
        // The buffer's count is its capacity, which is not to shrink.
        if growth < 0 { input.append(contentsOf: repeatElement(0, count: -growth)) }
        request.body = start..<(start + body.count)
        consumed = request.body.upperBound
    }

    private func decodedBody(_ context: Context) throws(RequestError) -> [UInt8] {
        let bytes = input.span.extracting(requestBytes).extracting(request.body)
        return try context.coder.decode(bytes, byteCountMax: bodyBytesMax)
    }

    private var isAsterisk: Bool {
        request.path.count == 1
            && input[inputStart + request.path.lowerBound] == UInt8(ascii: "*")
    }

    private mutating func answerItself(
        _ problem: Problem,
        allow: [UInt8] = [],
        _ context: Context
    ) -> Action {
        var response = Response()
        write(problem, into: &response)
        if !allow.isEmpty { response.addField("allow", 0..<allow.count, of: allow.span) }
        answer(response, context)
        return .answered(status: problem.status, nil)
    }

    private mutating func answerItself(
        allow: [UInt8],
        _ context: Context
    ) -> Action {
        var response = Response()
        response.status = 204
        response.addField("allow", 0..<allow.count, of: allow.span)
        answer(response, context)
        return .answered(status: 204, nil)
    }
}
