// SPDX-License-Identifier: MIT

internal import Platform

/// One stream of an HTTP/2 connection: a request as it comes in and its answer as it goes out.
struct HTTP2Stream {
    enum Phase {
        /// The slot belongs to no stream.
        case free
        /// The header block is coming.
        case head
        /// DATA is coming.
        case body
        /// DATA is coming, and pieces of it are answered.
        case streaming
        /// The request is complete, or refused, and waits for its turn.
        case ready
        /// Its body is being decoded.
        case decoding
        /// The handler has it.
        case handling
        /// The answer is on its way.
        case answering
        /// The answer has gone out, and the rest of the request is thrown away.
        case lingering
    }

    var phase = Phase.free
    var id: Int32 = 0
    var request = Request()
    /// The path and the fields, then the body: what the ranges of `request` point into.
    var bytes: [UInt8] = []
    var bodyStart = 0
    var target = 0..<0
    /// Whether its scheme is http or https.
    var hasScheme = false
    /// What the fields say about the message, by the rules of HTTP/1.1.
    var parser = RequestParser()
    /// Why the server itself refuses the request.
    var error: RequestError?
    /// Bytes of the header list as RFC 9113 §6.5.2 counts them.
    var headListByteCount = 0
    /// Fields of trailers.
    var trailerCount = 0
    var routing = Routing()
    /// The body where it is taken piece by piece.
    var streamed: StreamedBody?
    /// Bytes of a streamed body that were taken and stand before the others yet.
    var bodyTakenCount = 0
    /// Whether a streamed body has come to its end.
    var hasEnded = false
    /// Whether a streamed body waits in line for its next piece.
    var isQueued = false
    /// Whether a deferred answer may be encoded; the request is gone by then.
    var acceptsGzip = false
    /// The gzip body that is being decoded.
    var decoding: BodyDecoding?
    var answer: [UInt8] = []
    var answerSent = 0
    /// What goes with the answer and is let go when that has been sent.
    private(set) var reservations: [any AnswerReservation] = []
    /// Bytes of the answer that the connection counts.
    private(set) var countedByteCount = 0
    /// Bytes that were thrown away after the answer, and when that ends at the latest.
    var lingeredByteCount = 0
    var lingerEnd = Int64.max
    /// When the current phase ends at the latest, on the monotonic clock.
    var deadline = Int64.max

    /// Buffers above this are not kept for the next stream, or while an answer waits: a connection
    /// may have a hundred, which nobody counts.
    private static let keptBytesMax = 1024
    /// What a stream has apart from buffers, here and in nghttp2, by measurement.
    static let ownByteCount = 1024
    /// Likewise for a body that is taken piece by piece, and for a field.
    private static let streamedByteCount = 3072
    private static let fieldByteCount = 32
    /// Likewise of fields: those of a usual client.
    private static let keptFieldCountMax = 16
    /// What the head of a usual client takes, with the places of its fields.
    private static let usualHeadByteCount = 4096
    /// The window of a stream at first, and the least of all.
    private static let windowBytesMin = 65_535

    /// What the request takes: its bytes, and until there is an answer the stream itself with the
    /// places of its fields.
    var requestByteCount: Int {
        switch phase {
        case .free, .answering, .lingering: return bytes.count
        case .head, .body, .streaming, .ready, .decoding, .handling:
            let fields = request.fields.count * HTTP2Stream.fieldByteCount
            let body = streamed == nil ? 0 : HTTP2Stream.streamedByteCount
            return bytes.count + HTTP2Stream.ownByteCount + fields + body
        }
    }
    /// What of it the connection has counted.
    var countedRequestByteCount = 0

    /// Bytes that a stream may be sent before some are taken, so that all that may be open fit
    /// what a connection may have: each has two windows at most, one of them taken and not moved.
    static func windowBytes(_ limits: borrowing ServerLimits) -> Int {
        let share = limits.http2RequestBytesMax / limits.http2StreamCountMax
        let bodyShare = share - ownByteCount - streamedByteCount - usualHeadByteCount
        return min(limits.http2WindowBytes, max(windowBytesMin, bodyShare / 2))
    }

    /// Starts with a new stream.
    mutating func begin(_ id: Int32, deadline: Int64) {
        self.id = id
        phase = .head
        parser.reset()
        error = nil
        headListByteCount = 0
        trailerCount = 0
        bodyStart = 0
        target = 0..<0
        hasScheme = false
        routing = Routing()
        request.reset()
        hasEnded = false
        isQueued = false
        self.deadline = deadline
    }

    /// Gives the memory of the request back.
    mutating func dropRequest() {
        decoding = nil
        streamed = nil
        bodyTakenCount = 0
        HTTP2Stream.empty(&bytes)
        if request.fields.capacity > HTTP2Stream.keptFieldCountMax { request.fields = [] }
        bodyStart = 0
    }

    /// Gives all memory of a free slot back but its own.
    mutating func dropBuffers() {
        bytes = []
        answer = []
        request.fields = []
    }

    /// The phase of a stream, if the slot is still its own.
    func phase(of id: Int32) -> Phase { self.id == id ? phase : .free }

    /// Whether the body has to be decoded before the handler gets it.
    var isEncoded: Bool {
        parser.hasGzip && error == nil && routing.hasRoute && !request.body.isEmpty
    }

    /// Gives the body to be decoded elsewhere.
    mutating func beginDecoding(_ body: EncodedBody) {
        phase = .decoding
        decoding = BodyDecoding(body)
        dropTaken(request.body)
        request.body = request.body.lowerBound..<request.body.lowerBound
    }

    /// Takes what came out, whose memory goes with `decoding` until the request is given up.
    mutating func endDecoding(_ body: [UInt8]) {
        bytes.append(contentsOf: body)
        request.body = request.body.lowerBound..<bytes.count
    }

    /// Gives the request to the handler, unless there is a reason to refuse it.
    mutating func beginHandling(at now: Int64) -> RequestError? {
        if let error { return error }
        phase = .handling
        request.receivedNanoseconds = now
        return nil
    }

    /// Gives up the request for its answer, which takes the body where one is sent.
    mutating func beginAnswer(_ body: inout [UInt8], deadline: Int64) {
        dropRequest()
        if !routing.isHead, !body.isEmpty { swap(&answer, &body) }
        phase = .answering
        self.deadline = deadline
    }

    /// Takes note of further bytes of the answer and of what goes with them.
    ///
    /// - Returns: How many of them the connection is to count: none where they are reserved, else
    ///   with the first those that the stream itself has until it ends.
    mutating func count(_ byteCount: Int, _ reservation: (any AnswerReservation)?) -> Int {
        if let reservation {
            reservations.append(reservation)
            return 0
        }
        let count = byteCount + (countedByteCount == 0 ? HTTP2Stream.ownByteCount : 0)
        countedByteCount += count
        return count
    }

    /// Takes note of bytes of the answer that have gone out.
    ///
    /// - Returns: How many of them the connection has counted.
    mutating func send(_ byteCount: Int) -> Int {
        answerSent += byteCount
        let counted = min(byteCount, max(0, countedByteCount - HTTP2Stream.ownByteCount))
        countedByteCount -= counted
        return counted
    }

    /// Forgets an answer that has been sent.
    ///
    /// - Returns: How many bytes the connection has counted yet.
    mutating func dropAnswer() -> Int {
        HTTP2Stream.empty(&answer)
        answerSent = 0
        if !reservations.isEmpty { reservations.removeAll() }
        defer { countedByteCount = 0 }
        return countedByteCount
    }

    /// Gives the slot back.
    ///
    /// - Precondition: The answer has been dropped.
    mutating func end() {
        phase = .free
        id = 0
        deadline = .max
        dropRequest()
    }

    /// Whether the client takes gzip, read from the request.
    var clientAcceptsGzip: Bool { ContentCoder.accepts(request, bytes.span) }

    /// The bytes of the answer that have not gone out.
    var answerLeft: Int { answer.count - answerSent }

    private static func empty(_ buffer: inout [UInt8]) {
        buffer.removeAll(keepingCapacity: buffer.capacity <= keptBytesMax)
    }

    /// Whether a streamed body is to be looked at again in the next turn, where it stands in line.
    mutating func goesOnDecoding() -> Bool {
        isQueued = isQueued || streamed?.isDecoding == true
        return streamed?.isDecoding == true
    }

    /// Forgets a part of the body that was taken; memory is counted by what it holds.
    mutating func dropTaken(_ taken: Range<Int>) {
        guard bytes.capacity > HTTP2Stream.keptBytesMax else {
            return bytes.removeSubrange(taken)
        }
        let (head, rest) = (bytes[..<taken.lowerBound], bytes[taken.upperBound...])
        bytes = [UInt8](capacity: head.count + rest.count) {
            $0.append(copying: head.span)
            $0.append(copying: rest.span)
        }
    }

    /// Forgets the body of a request that is refused.
    mutating func dropBody() {
        bytes.removeSubrange(bodyStart...)
    }
}
