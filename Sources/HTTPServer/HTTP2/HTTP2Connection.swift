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
        /// Have the body of that slot's `decoding` decoded, then call ``didDecode(_:to:)``.
        case decode(slot: Int)
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
    let listener: Listener
    let loopIndex: Int

    var slots: [HTTP2Stream] = []
    var freeSlots: [Int] = []
    /// Complete requests in order, by slot and stream; a stream that has gone is passed over.
    var ready: [(slot: Int, id: Int32)] = []
    var readyStart = 0
    /// Whether streamed bodies have more to decode, of those that were looked at last.
    var hasUndecoded = false
    /// The slot whose header block is coming.
    var headSlot: Int?
    var continuationCount = 0
    /// Frames that have begun in this call of ``receive(_:)``.
    var frameCount = 0
    var lastOpenedID: Int32 = -1
    /// The streams that the newest one has jumped over.
    var skippedIDs: Range<Int32> = 0..<0
    var head = HTTP2Head()

    var openCount = 0
    /// Handlers that owe an answer, also to streams that have gone.
    private(set) var deferredCount = 0
    /// Bytes of all requests that have not been answered, and of their streams.
    var requestByteCount = 0 {
        didSet { if requestByteCount < oldValue, heldByteCount > 0 { _ = holdRequests() } }
    }
    /// What they have of the memory for bodies.
    private(set) var heldByteCount = 0
    /// Bytes of all answers that have not gone out, but for those that have a reservation.
    var answerByteCount = 0 {
        didSet {
            guard answerByteCount < oldValue, heldAnswerByteCount > 0 else { return }
            _ = context.unread.follow(&heldAnswerByteCount, byteCount: answerByteCount)
        }
    }
    /// What they have of the memory for answers, beyond what waits for free.
    private(set) var heldAnswerByteCount = 0
    /// Whether the last request was refused for want of it.
    var lacksRoom = false
    /// Answers that wait and have memory of their own.
    var reservationCount = 0

    var resets: HTTP2FloodGuard
    var controlFrames: HTTP2FloodGuard
    private(set) var drain = Drain.none
    /// When the last stream ended.
    var idleSince: Int64
    /// No stream's deadline is before this.
    var earliestDeadline = Int64.max
    /// When bytes of an answer's body went out last.
    var bodySentAt: Int64
    /// Why the connection has to end at once.
    private(set) var failure: HTTP2ErrorCode?
    /// Whether the peer was told of an error.
    private(set) var refusal: HTTP1Connection.Refusal?
    private var hasSaidGoodbye = false
    /// Whether the last GOAWAY is to be queued with what goes out next: by then all that was read
    /// with the answer to the PING counts.
    private var owesGoAway = false

    /// Frames after which others have their turn: a stream that is opened and reset takes two, and
    /// 2 us.
    private static let framesPerCallMax = 64
    /// How much more than waits for free may wait on a connection: 1 MiB by default.
    private static let waitingAnswersFactor = 16
    /// Time in which a client that reads opens a window, however long its way: 1 s.
    private static let closedWindowNanoseconds: Int64 = 1_000_000_000
    /// Bytes after which frames are counted: the smallest take 9.
    private static let stepBytesMin = 1024
    private static let stepBytesMax = 16_384

    /// Makes a connection that has our SETTINGS to send, or nil where there is no memory for it.
    init?(listener: Listener, loopIndex: Int, _ context: HTTP1Connection.Context) {
        guard let session = HTTP2Session() else { return nil }
        self.session = session
        self.listener = listener
        self.loopIndex = loopIndex
        self.context = context
        idleSince = context.nowNanoseconds
        bodySentAt = idleSince
        let limits = context.limits
        let interval = limits.http2FloodInterval.nanoseconds
        resets = HTTP2FloodGuard(max: limits.http2ResetCountMax, interval: interval)
        controlFrames = HTTP2FloodGuard(max: limits.http2ControlFrameCountMax, interval: interval)
        self.session.setOwner(self)
        self.session.submitSettings(limits)
        if context.isDraining { beginDrain() }
    }

    deinit {
        context.bodies.release(heldByteCount)
        context.unread.release(heldAnswerByteCount)
    }

    /// Takes memory for the requests and so many bytes more, or gives back what they had before.
    ///
    /// - Returns: Whether there was as much.
    func holdRequests(adding count: Int = 0) -> Bool {
        context.bodies.follow(&heldByteCount, byteCount: requestByteCount + count)
    }

    /// Takes in what has come, until enough frames have for others to have their turn.
    ///
    /// - Returns: How many bytes that was; of a connection that has failed, all.
    func receive(_ bytes: Span<UInt8>) -> Int {
        var count = 0
        var stepBytes = Self.stepBytesMin
        frameCount = 0
        while failure == nil, count < bytes.count, frameCount < Self.framesPerCallMax {
            let end = min(bytes.count, count + stepBytes)
            let frameCountBefore = frameCount
            if session.receive(bytes.extracting(count..<end)) < 0, failure == nil {
                fail(.protocolError)
            }
            count = end
            // Within a frame, which is one of DATA, there is nothing to count.
            stepBytes = frameCount == frameCountBefore ? Self.stepBytesMax : Self.stepBytesMin
        }
        return failure == nil ? count : bytes.count
    }

    /// Whether ``next()`` has more to say without more bytes.
    var hasReady: Bool { readyStart < ready.count && takesMore }

    /// Whether a request may be handed on: the next one of a slow reader waits, and so does that of
    /// a client that keeps resetting streams whose answers are being made.
    var takesMore: Bool { mayHaveMoreAnswers && takesDecoded }

    /// Whether one may be handed on that has been decoded and cannot wait: where answers that wait
    /// have their memory, however many they are.
    var takesDecoded: Bool {
        failure == nil && deferredCount < context.limits.http2StreamCountMax && hasAnswerMemory
    }

    /// Whether there is memory for the answers that wait, beyond what waits for free.
    private var hasAnswerMemory: Bool {
        context.unread.follow(&heldAnswerByteCount, byteCount: answerByteCount)
    }

    /// Takes memory for the answers that wait, as far as there is some.
    ///
    /// - Returns: Whether they are more than wait for free.
    func holdAnswers() -> Bool {
        let hasMemory = hasAnswerMemory
        return !hasMemory || heldAnswerByteCount > 0
    }

    /// Whether they have some of it.
    var hasHeldAnswers: Bool { heldAnswerByteCount > 0 }

    /// Whether more answers may wait here: so many that a stream which is read slowly does not hold
    /// up the others (RFC 9113 §5.2), which may be those of other clients behind a proxy.
    private var mayHaveMoreAnswers: Bool {
        answerByteCount <= Self.waitingAnswersFactor * context.limits.outputBytesMax
    }

    /// Whether a request may come in: not where answers that wait, to this client and others, have
    /// all the memory.
    ///
    /// One whose own answers alone are too many to have more waits instead.
    func hasRoomForRequest() -> Bool {
        lacksRoom = lacksMemory
        return !lacksRoom
    }

    /// Whether memory for answers is what requests wait for, and not that their client reads those
    /// that it has.
    var lacksMemory: Bool { mayHaveMoreAnswers && !hasAnswerMemory }

    /// Gives requests back that wait behind answers which no window has let out for a second, where
    /// all memory for answers is taken.
    ///
    /// - Returns: Whether there were some.
    func refuseWaiting() -> Bool {
        guard readyStart < ready.count, !hasMoreToWrite,
            context.nowNanoseconds - bodySentAt >= Self.closedWindowNanoseconds
        else { return false }
        let refused = ready[readyStart...].filter { slots[$0.slot].phase(of: $0.id) == .ready }
        guard !refused.isEmpty, !hasRoomForRequest() else { return false }
        for (_, id) in refused { session.submitReset(id, .refusedStream) }
        return true
    }

    /// Appends frames to the output, until it has so many bytes.
    func write(to output: inout [UInt8], limit: Int) {
        if owesGoAway {
            owesGoAway = false
            session.submitGoAway()
        }
        if failure == nil, !session.write(to: &output, limit: limit) { fail(.protocolError) }
        guard let failure, !hasSaidGoodbye else { return }
        hasSaidGoodbye = true
        output.append(goAway: failure, lastStreamID: session.lastStreamID)
    }

    /// Whether frames are left that could go out.
    var hasMoreToWrite: Bool { failure == nil && session.wantsWrite }

    /// Whether there is nothing left to receive or to send.
    var isOver: Bool { failure != nil || !session.wantsRead && !session.wantsWrite }

    /// Whether any stream still gets its answer when nothing more is received.
    ///
    /// One that only a window holds back gets none: nobody is there to open it.
    var owesAnswers: Bool {
        let isWriting = session.wantsWrite
        // Those in line have a turn only where those before them get their answers out.
        let goesOn = isWriting || deferredCount > 0 || hasUndecoded || takesMore
        return slots.contains {
            $0.phase == .handling || $0.phase == .decoding || $0.phase == .answering && isWriting
                || goesOn && ($0.phase == .ready || $0.phase == .streaming && $0.hasEnded)
        }
    }

    /// Queues the answer to the request of a slot; the response gives its body away.
    ///
    /// To a streamed request it is the answer to the last piece.
    func answer(_ slot: Int, with response: inout Response) {
        if slots[slot].phase == .streaming { return answerPiece(slot, with: &response) }
        head.set(response, date: context.date)
        let deadline = context.nowNanoseconds + context.timeouts.write
        let id = slots[slot].id
        slots[slot].beginAnswer(&response.body, deadline: deadline)
        recount(slot)
        let answerBytes = slots[slot].answer.count
        answerByteCount += slots[slot].count(answerBytes, response.reservation)
        if response.isReserved { reservationCount += 1 }
        earliestDeadline = min(earliestDeadline, deadline)
        let hasBody = answerBytes > 0
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
        setDeadline(slot, context.timeouts.answer)
        slots[slot].dropRequest()
        recount(slot)
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

    /// Follows what the request of a slot takes.
    func recount(_ slot: Int) {
        let count = slots[slot].requestByteCount
        requestByteCount += count - slots[slot].countedRequestByteCount
        slots[slot].countedRequestByteCount = count
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
        owesGoAway = true
    }

    /// Ends a connection without streams: what the peer has sent behind its last one counts for
    /// nothing (RFC 9113 §6.8).
    ///
    /// - Returns: False where that has been said already.
    func endIdle() -> Bool {
        guard drain != .last, failure == nil else { return false }
        drain = .last
        session.submitGoAway()
        return true
    }

    /// Ends the connection with an error.
    ///
    /// - Returns: False: it does not go on.
    @discardableResult
    func fail(_ code: HTTP2ErrorCode) -> Bool {
        guard failure == nil else { return false }
        failure = code
        refusal = code == .enhanceYourCalm ? .limit : .rule
        return false
    }

    /// Takes note that nghttp2 has found a fault with the connection.
    func noteRefusal() {
        refusal = refusal ?? .rule
    }
}
