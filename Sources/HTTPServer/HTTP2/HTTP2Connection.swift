// SPDX-License-Identifier: MIT

/// One HTTP/2 connection (RFC 9113) as a state machine without a socket: bytes and answers go in,
/// what to do next and bytes come out.
///
/// The owner hands over what it receives by ``receive(_:)``, calls ``next()`` until it waits, gives
/// each request its answer, and sends what ``write(to:)`` appends. nghttp2 knows frames, HPACK and
/// flow control; what is a request, and how much of anything there may be, is decided here.
final class HTTP2Connection {
    /// What the owner has to do.
    enum Action: Equatable {
        /// Hand the request of that slot to the handler, then call ``answer(_:with:)``.
        case handle(slot: Int)
        /// Hand the next piece of that slot's body to its stream, then call ``answer(_:with:)``.
        case handlePiece(slot: Int)
        /// The server's own answer has been queued; call ``next()`` again.
        case answered(HTTP1Connection.OwnAnswer)
        /// Nothing until something comes.
        case wait
    }

    /// The stages of a graceful end.
    enum Drain {
        case none
        /// The peer has been told to open no more streams, and asked whether it has read that.
        case announced
        /// It has: the streams that came before are the last.
        case last
    }

    let session: HTTP2Session
    let context: HTTP1Connection.Context
    private let listener: Listener
    private let loopIndex: Int

    var slots: [HTTP2Stream] = []
    private var freeSlots: [Int] = []
    /// Complete requests in order, by slot and stream; a stream that has gone is passed over.
    var ready: [(slot: Int, id: Int32)] = []
    private var readyStart = 0
    /// The slot whose header block is coming.
    var headSlot: Int?
    var continuationCount = 0
    var lastOpenedID: Int32 = -1
    /// The streams that the newest one has jumped over.
    var skippedIDs: Range<Int32> = 0..<0
    var head = HTTP2Head()

    private(set) var openCount = 0
    /// Handlers that owe an answer, also to streams that have gone.
    private(set) var deferredCount = 0
    /// Bytes of all requests that have not been handled.
    var requestByteCount = 0
    /// Bytes of all answers that have not gone out.
    var answerByteCount = 0

    var resets: HTTP2FloodGuard
    var controlFrames: HTTP2FloodGuard
    private(set) var drain = Drain.none
    /// When the last stream ended.
    private(set) var idleSince: Int64
    /// No stream's deadline is before this.
    private(set) var earliestDeadline = Int64.max
    /// Why the connection has to end at once.
    private(set) var failure: HTTP2ErrorCode?
    /// Whether the peer was told of an error.
    private(set) var refusal: HTTP1Connection.Refusal?
    private var hasSaidGoodbye = false

    /// Makes a connection that has our SETTINGS to send, or nil where there is no memory for it.
    init?(listener: Listener, loopIndex: Int, _ context: HTTP1Connection.Context) {
        guard let session = HTTP2Session() else { return nil }
        self.session = session
        self.listener = listener
        self.loopIndex = loopIndex
        self.context = context
        idleSince = context.nowNanoseconds
        let limits = context.limits
        let interval = limits.http2FloodInterval.nanoseconds
        resets = HTTP2FloodGuard(max: limits.http2ResetCountMax, interval: interval)
        controlFrames = HTTP2FloodGuard(max: limits.http2ControlFrameCountMax, interval: interval)
        self.session.setOwner(self)
        self.session.submitSettings(limits)
        if context.isDraining { beginDrain() }
    }

    /// Takes in what has come, all of it.
    func receive(_ bytes: Span<UInt8>) {
        guard failure == nil, !bytes.isEmpty, session.receive(bytes) < 0 else { return }
        if failure == nil { fail(.protocolError) }
    }

    /// Says what to do with the oldest request.
    func next() -> Action {
        while readyStart < ready.count {
            guard takesMore else { return .wait }
            let (slot, id) = ready[readyStart]
            let phase = slots[slot].id == id ? slots[slot].phase : .free
            // A body that takes longer holds up those behind it.
            if phase == .ready, slots[slot].error == nil, !decodeBody(slot) { return .wait }
            readyStart += 1
            if phase == .streaming, let action = nextPiece(slot) { return action }
            guard phase == .ready else { continue }
            if let error = slots[slot].error { return refuse(slot, error) }
            slots[slot].phase = .handling
            slots[slot].request.receivedNanoseconds = context.nowNanoseconds
            if slots[slot].routing.hasRoute { return .handle(slot: slot) }
            let stream = slots[slot]
            var own = stream.routing.answer(to: stream.request, in: stream.bytes.span, context)
            let status = own.status
            answer(slot, with: &own)
            return .answered(.init(status: status, refusal: nil, routeIndex: nil))
        }
        ready.removeAll(keepingCapacity: true)
        readyStart = 0
        return .wait
    }

    /// Whether ``next()`` has more to say without more bytes.
    var hasReady: Bool { readyStart < ready.count && takesMore }

    /// Whether a request may be handed on: the next one of a slow reader waits, and so does that of
    /// a client that keeps resetting streams whose answers are being made.
    private var takesMore: Bool {
        failure == nil && answerByteCount <= context.limits.outputBytesMax
            && deferredCount < context.limits.http2StreamCountMax
    }

    /// Appends frames to the output, up to its limit.
    func write(to output: inout [UInt8]) {
        if failure == nil, !session.write(to: &output, limit: context.limits.outputBytesMax) {
            fail(.protocolError)
        }
        guard let failure, !hasSaidGoodbye else { return }
        hasSaidGoodbye = true
        output.append(goAway: failure, lastStreamID: session.lastStreamID)
    }

    /// Whether frames are left that could go out.
    var hasMoreToWrite: Bool { failure == nil && session.wantsWrite }

    /// Whether there is nothing left to receive or to send.
    var isOver: Bool { failure != nil || !session.wantsRead && !session.wantsWrite }

    /// Whether any stream still gets its answer when nothing more is received.
    var owesAnswers: Bool {
        slots.contains {
            [.ready, .handling, .answering].contains($0.phase)
                || $0.phase == .streaming && $0.hasEnded
        }
    }

    /// Queues the answer to the request of a slot; the response gives its body away.
    ///
    /// To a streamed request it is the answer to the last piece.
    func answer(_ slot: Int, with response: inout Response) {
        if slots[slot].phase == .streaming { return answerPiece(slot, with: &response) }
        let id = slots[slot].id
        requestByteCount -= slots[slot].bytes.count
        slots[slot].dropRequest()
        head.set(response, date: context.date)
        let hasBody = !response.body.isEmpty && !slots[slot].routing.isHead
        if hasBody { swap(&slots[slot].answer, &response.body) }
        answerByteCount += slots[slot].answer.count
        slots[slot].phase = .answering
        setDeadline(slot, context.limits.writeTimeout)
        if !session.submitAnswer(id, head, slot: slot, hasBody: hasBody) {
            session.submitReset(id, .cancel)
        }
        if response.closesConnection { beginDrain() }
    }

    /// Takes note that the handler answers later; its copy of the body is its own.
    func deferAnswer(_ slot: Int) {
        deferredCount += 1
        if let streamed = slots[slot].streamed {
            streamed.isAwaited = true
            return setStreamDeadline(slot)
        }
        slots[slot].acceptsGzip = slots[slot].clientAcceptsGzip
        setDeadline(slot, context.limits.answerTimeout)
        requestByteCount -= slots[slot].bytes.count
        slots[slot].dropRequest()
    }

    /// Whether the stream of a deferred answer still waits for it; otherwise it is written off.
    func awaitsAnswer(to sequence: UInt64) -> Bool {
        if waitingSlot(sequence) != nil { return true }
        deferredCount -= 1
        return false
    }

    /// The route of a request whose answer was deferred and is awaited.
    func routeIndex(for sequence: UInt64) -> Int? {
        waitingSlot(sequence).flatMap { slots[$0].routing.routeIndex }
    }

    /// Whether the client of that request takes gzip.
    func acceptsGzip(for sequence: UInt64) -> Bool {
        waitingSlot(sequence).map { slots[$0].acceptsGzip } ?? false
    }

    /// The body of that request where it is taken piece by piece.
    func streamed(for sequence: UInt64) -> StreamedBody? {
        waitingSlot(sequence).flatMap { slots[$0].streamed }
    }

    /// Queues a deferred answer to a stream that waits for it.
    func giveDeferred(_ response: Response, to sequence: UInt64) {
        guard let slot = waitingSlot(sequence) else { return }
        deferredCount -= 1
        var response = response
        answer(slot, with: &response)
    }

    private func waitingSlot(_ sequence: UInt64) -> Int? {
        guard failure == nil, let slot = session.slot(of: Int32(truncatingIfNeeded: sequence)),
            slots[slot].phase == .handling || slots[slot].streamed?.isAwaited == true
        else { return nil }
        return slot
    }

    /// Tells the peer to open no more streams; those that are under way are answered.
    func beginDrain() {
        guard drain == .none else { return }
        drain = .announced
        session.submitShutdownNotice()
    }

    /// Queues the last GOAWAY once the peer has read the first.
    func endDrain() {
        guard drain == .announced else { return }
        drain = .last
        session.submitGoAway()
    }

    /// Ends the connection with an error.
    func fail(_ code: HTTP2ErrorCode) {
        guard failure == nil else { return }
        failure = code
        refusal = code == .enhanceYourCalm ? .limit : .rule
    }

    /// Takes note that nghttp2 has found a fault with the connection.
    func noteRefusal() {
        refusal = refusal ?? .rule
    }

    func refuse(_ slot: Int, _ error: RequestError) -> Action {
        slots[slot].phase = .handling
        let problem = Problem(error)
        var response = Response()
        let stream = slots[slot]
        let routeIndex = stream.routing.routeIndex
        if stream.request.path.isEmpty {
            problem.render(into: &response, &context.requestIDs)
        } else {
            let bytes = stream.bytes.span
            problem.render(into: &response, for: stream.request, in: bytes, &context.requestIDs)
        }
        // RFC 9110 §15.5.16: a 415 for its coding says which are taken.
        if error == .codedContent { response.addField("accept-encoding", "gzip") }
        answer(slot, with: &response)
        let refusal: HTTP1Connection.Refusal = error.isLimit ? .limit : .rule
        return .answered(.init(status: problem.status, refusal: refusal, routeIndex: routeIndex))
    }
}

// Slots and deadlines.
extension HTTP2Connection {
    /// Gives a new stream a slot.
    func openSlot(_ id: Int32) -> Int {
        let slot = freeSlots.popLast() ?? slots.count
        if slot == slots.count {
            slots.append(HTTP2Stream())
            slots[slot].request.listener = listener
            slots[slot].request.loopIndex = loopIndex
        }
        slots[slot].begin(id, deadline: .max)
        setDeadline(slot, context.limits.headTimeout)
        openCount += 1
        return slot
    }

    /// Takes a slot back.
    func closeSlot(_ slot: Int) {
        if headSlot == slot { headSlot = nil }
        requestByteCount -= slots[slot].bytes.count
        answerByteCount -= slots[slot].answerLeft
        slots[slot].end()
        freeSlots.append(slot)
        openCount -= 1
        if openCount == 0 { idleSince = context.nowNanoseconds }
    }

    func setDeadline(_ slot: Int, _ timeout: Duration?, latest: Int64 = .max) {
        let end = timeout.map { context.nowNanoseconds + $0.nanoseconds } ?? .max
        let deadline = min(end, latest)
        slots[slot].deadline = deadline
        earliestDeadline = min(earliestDeadline, deadline)
    }

    /// Takes note of body bytes that go out.
    func didSendBody(_ slot: Int, _ count: Int) {
        slots[slot].answerSent += count
        answerByteCount -= count
        if slots[slot].phase == .streaming { return didSendPiece(slot) }
        setDeadline(slot, context.limits.writeTimeout)
    }

    /// Ends the streams whose time is over, and the connection where a header block is.
    ///
    /// - Returns: Their number, and the routes of those that waited for a handler and were answered
    ///   503.
    func expire() -> (count: Int, answeredRoutes: [Int?]) {
        var count = 0
        var answeredRoutes: [Int?] = []
        earliestDeadline = .max
        for slot in slots.indices where slots[slot].phase != .free {
            guard slots[slot].deadline <= context.nowNanoseconds else {
                earliestDeadline = min(earliestDeadline, slots[slot].deadline)
                continue
            }
            count += 1
            switch slots[slot].phase {
            case .head: fail(.enhanceYourCalm)
            case .body:
                slots[slot].error = .timedOut
                makeReady(slot)
            case .streaming:
                let routeIndex = slots[slot].routing.routeIndex
                if expirePiece(slot) { answeredRoutes.append(routeIndex) }
            case .handling:
                answeredRoutes.append(slots[slot].routing.routeIndex)
                answerForHandler(slot)
            case .free, .ready, .answering:
                slots[slot].deadline = .max
                session.submitReset(slots[slot].id, .cancel)
            }
        }
        return (count, answeredRoutes)
    }

    /// Answers where a handler takes too long; what it says later is dropped.
    func answerForHandler(_ slot: Int) {
        slots[slot].phase = .handling
        var response = Response()
        Problem.tooSlow.render(into: &response, &context.requestIDs)
        response.addField("retry-after", "\(context.limits.retryAfterSeconds)")
        answer(slot, with: &response)
    }

    /// Puts the decoded body in the place of the encoded one, or notes why it cannot be.
    ///
    /// - Returns: Whether that is done.
    private func decodeBody(_ slot: Int) -> Bool {
        let body = slots[slot].request.body
        guard slots[slot].routing.hasRoute, slots[slot].parser.hasGzip, !body.isEmpty
        else { return true }
        let bytes = slots[slot].bytes
        do throws(RequestError) {
            let decoded = try context.coder.decode(
                bytes.span.extracting(body),
                byteCountMax: slots[slot].routing.bodyBytesMax,
                with: &slots[slot].decoder
            )
            guard let decoded else { return false }
            slots[slot].bytes.replaceSubrange(body, with: decoded)
            slots[slot].request.body = body.lowerBound..<slots[slot].bytes.count
            requestByteCount += decoded.count - body.count
        } catch {
            slots[slot].error = error
        }
        return true
    }

    /// Puts a complete or refused request in line.
    func makeReady(_ slot: Int) {
        slots[slot].phase = .ready
        setDeadline(slot, nil)
        ready.append((slot, slots[slot].id))
    }
}

extension [UInt8] {
    /// Appends a GOAWAY frame (RFC 9113 §6.8), for a session that can no longer make one.
    fileprivate mutating func append(goAway code: HTTP2ErrorCode, lastStreamID: Int32) {
        append(contentsOf: [0, 0, 8, 7, 0, 0, 0, 0, 0])
        for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: lastStreamID >> shift)) }
        for shift in [24, 16, 8, 0] { append(UInt8(truncatingIfNeeded: code.rawValue >> shift)) }
    }
}
