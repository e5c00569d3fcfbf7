// SPDX-License-Identifier: MIT

internal import Platform

/// Feeds any bytes to the protocol machines and looks for what must never be: the functions behind
/// the fuzz targets, which tests call as well.
///
/// Each returns what was found to be wrong, or nil.
package enum ProtocolProbe {
    static let routes = RouteTable([
        Route(.get, "/", id: 0),
        Route(.post, "/echo", id: 1, bodyBytesMax: 1024, requiresBody: true),
        Route(.get, "/equipment/{id}", id: 2),
        Route(.post, "/stream", id: 3, streamsBody: true),
    ])

    static var context: HTTP1Connection.Context {
        let context = HTTP1Connection.Context(
            routes: routes,
            limits: ServerLimits(),
            handler: ProbeHandler()
        )
        context.requestIDs = RequestIDMaker(prefix: 0)
        context.nowNanoseconds = 1
        return context
    }

    /// Requests of HTTP/1.1, with heads and bodies.
    package static func http1(_ bytes: [UInt8]) -> String? {
        let whole = HTTP1Probe(bytes, pieces: .max)
        // RFC 9110 §10.1.1: how an expectation is met depends on whether the body has come.
        if bytes.map(lowercased).contains("100-continue".utf8) { return whole.fault }
        for size in [1, 7] {
            let split = HTTP1Probe(bytes, pieces: size)
            if split.requests != whole.requests { return "pieces of \(size): other requests" }
            if split.output != whole.output { return "pieces of \(size): other answers" }
            if split.isClosed != whole.isClosed { return "pieces of \(size): another end" }
        }
        return whole.fault
    }

    /// A chunked body.
    package static func chunkedBody(_ bytes: [UInt8]) -> String? {
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        return http1(Array(head.utf8) + bytes)
    }

    /// Frames of HTTP/2, after the preface.
    package static func http2(_ bytes: [UInt8]) -> String? {
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        for size in [Int.max, 1, 16] {
            guard var probe = HTTP2Probe() else { return "no memory" }
            probe.feed(preface + [0, 0, 0, 4, 0, 0, 0, 0, 0] + bytes, pieces: size)
            if let fault = probe.fault { return "pieces of \(size): \(fault)" }
        }
        return nil
    }

    /// A gzip body, as it comes in and as it goes out.
    package static func gzip(_ bytes: [UInt8]) -> String? {
        let limit = 65_536
        let coder = ContentCoder()
        let body = try? coder.decodeWhole(bytes, byteCountMax: limit)
        if let decoded = body, decoded.count > limit {
            return "\(decoded.count) bytes are over the limit"
        }
        var response = Response()
        response.body = bytes
        coder.encode(&response)
        if response.body != bytes {
            let decoded = try? coder.decodeWhole(response.body, byteCountMax: bytes.count)
            if decoded != bytes { return "encoded and decoded it is another" }
        }
        return nil
    }
}

/// One HTTP/1.1 connection fed from start to end.
private struct HTTP1Probe {
    var requests: [[UInt8]] = []
    var output: [UInt8] = []
    var isClosed = false
    var fault: String?
    private var http = HTTP1Connection()
    private let context = ProtocolProbe.context

    init(_ bytes: [UInt8], pieces size: Int) {
        http.reset(listener: .main, loopIndex: 0)
        var offset = 0
        while offset < bytes.count, !isClosed {
            guard http.makeRoom(context) else {
                fault = "no room for the input"
                return
            }
            let room = http.input.count - http.inputEnd
            let count = min(size, room, bytes.count - offset)
            for index in 0..<count { http.input[http.inputEnd + index] = bytes[offset + index] }
            http.didReceive(count)
            offset += count
            run()
        }
        http.endInput()
        run()
        if !isClosed { fault = "open after the end" }
    }

    private mutating func handle() {
        let bytes = Array(http.input[http.requestBytes])
        requests.append(bytes)
        var response = Response()
        for index in http.request.body { response.body.append(bytes[index]) }
        http.answer(response, context)
    }

    private mutating func run() {
        while !isClosed {
            switch http.next(context) {
            case .receive, .wait: return collect()
            case .yield: break
            case .decode:
                guard let result = http.decoding?.body.decodeWhole() else {
                    return fault = "nothing to decode"
                }
                switch http.didDecode(result, to: http.sequence, context) {
                case .handle: handle()
                case .answered(let answer): check(answer)
                default: fault = "nobody waits for what was decoded"
                }
            case .answered(let answer): check(answer)
            case .close, .switchToHTTP2: isClosed = true
            case .handle: handle()
            case .handlePiece: handlePiece()
            }
            collect()
        }
    }

    private mutating func handlePiece() {
        guard let body = http.streamed else { return fault = "a piece of nothing" }
        let bytes = body.isDecoded ? body.decoded : Array(http.input[http.pieceBytes])
        var response = Response()
        body.stream.receive(bytes.span, body.event, response: &response)
        http.answer(response, context)
    }

    private mutating func check(_ answer: HTTP1Connection.OwnAnswer) {
        if !(100..<600 ~= answer.status) { fault = "\(answer.status)" }
    }

    private mutating func collect() {
        output += http.output
        http.output.removeAll(keepingCapacity: true)
    }
}

/// One HTTP/2 connection whose handler defers every third answer.
private struct HTTP2Probe {
    var fault: String?
    private let http2: HTTP2Connection
    private let context = ProtocolProbe.context
    private var deferred: [UInt64] = []
    private var requestCount = 0

    init?() {
        guard let made = HTTP2Connection(listener: .main, loopIndex: 0, context) else { return nil }
        http2 = made
    }

    mutating func feed(_ bytes: [UInt8], pieces size: Int) {
        var offset = 0
        while offset < bytes.count, !http2.isOver {
            let count = min(size, bytes.count - offset)
            offset += http2.receive(bytes.span.extracting(offset..<(offset + count)))
            run()
        }
        for sequence in deferred where http2.awaitsAnswer(to: sequence) {
            http2.giveDeferred(Response(), to: sequence)
        }
        run()
        check()
        if http2.deferredCount != 0 { fault = "\(http2.deferredCount) answers are owed" }
    }

    private mutating func run() {
        var output: [UInt8] = []
        repeat {
            while true {
                let action = http2.next()
                if action == .wait { break }
                take(action)
            }
            output.removeAll(keepingCapacity: true)
            http2.write(to: &output, limit: context.limits.outputBytesMax)
        } while http2.hasReady || http2.hasMoreToWrite
        check()
    }

    private mutating func take(_ action: HTTP2Connection.Action) {
        switch action {
        case .wait: break
        case .answered(let answer): check(answer)
        case .handle(let slot): handle(slot)
        case .decode(let slot):
            let stream = http2.slots[slot]
            guard let result = stream.decoding?.body.decodeWhole() else {
                return fault = "nothing to decode"
            }
            take(http2.didDecode(result, to: UInt64(stream.id)))
        case .handlePiece(let slot): handlePiece(slot)
        }
    }

    private mutating func handle(_ slot: Int) {
        requestCount += 1
        guard requestCount % 3 > 0 else {
            deferred.append(UInt64(http2.slots[slot].id))
            return http2.deferAnswer(slot)
        }
        let stream = http2.slots[slot]
        var response = Response()
        for index in stream.request.body { response.body.append(stream.bytes[index]) }
        for field in stream.request.fields {
            response.body.append(contentsOf: stream.bytes[field.name])
            response.body.append(contentsOf: stream.bytes[field.value])
        }
        http2.answer(slot, with: &response)
    }

    /// Answers each piece with itself, but for those whose answers are deferred.
    private mutating func handlePiece(_ slot: Int) {
        requestCount += 1
        guard requestCount % 3 > 0 else {
            deferred.append(UInt64(http2.slots[slot].id))
            return http2.deferAnswer(slot)
        }
        var response = Response()
        response.body = Array(http2.slots[slot].bytes[http2.pieceBytes(slot)])
        http2.answer(slot, with: &response)
    }

    private mutating func check(_ answer: HTTP1Connection.OwnAnswer) {
        if !(100..<600 ~= answer.status) { fault = "\(answer.status)" }
    }

    private mutating func check() {
        let open = http2.slots.filter { $0.phase != .free }
        if http2.openCount != open.count { fault = "\(open.count) streams, not as counted" }
        if open.count > context.limits.http2StreamCountMax { fault = "too many streams" }
        let requestBytes = open.reduce(0) { $0 + $1.requestByteCount }
        if http2.requestByteCount != requestBytes { fault = "\(requestBytes) bytes of requests" }
        let answerBytes = open.reduce(0) { $0 + $1.countedByteCount }
        if http2.answerByteCount != answerBytes { fault = "\(answerBytes) bytes of answers" }
        for stream in open {
            let own = stream.countedByteCount > 0 ? HTTP2Stream.ownByteCount : 0
            if stream.countedByteCount != stream.answerLeft + own { fault = "a stream's answer" }
        }
    }
}

/// Takes what is posted to `/stream` piece by piece.
private final class ProbeHandler: RequestHandler {
    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {}

    func openStream(for request: borrowing Request, bytes: Span<UInt8>) -> (any BodyStream)? {
        ProbeStream()
    }
}

/// Answers with the whole body at its end, so that pieces leave no trace.
private final class ProbeStream: BodyStream {
    private let body = Lock<[UInt8]>([])

    func receive(_ bytes: Span<UInt8>, _ event: StreamEvent, response: inout Response) {
        body.withLock { body in
            body.append(copying: bytes)
            if event != .piece { response.body = body }
        }
    }
}

extension ContentCoder {
    /// Decodes a body, here if it need not wait.
    func decodeWhole(_ bytes: [UInt8], byteCountMax: Int) throws(RequestError) -> [UInt8] {
        if let body = try decode(bytes.span, byteCountMax: byteCountMax) { return body }
        let body = try EncodedBody(
            bytes.span,
            byteCountMax: byteCountMax,
            since: 0,
            memory: ByteBudget(byteCountMax: .max)
        )
        return try body.decodeWhole().get()
    }
}
