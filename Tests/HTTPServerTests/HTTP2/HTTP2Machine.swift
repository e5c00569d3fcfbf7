// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// Drives an HTTP/2 connection without a socket, with the routes and the handler of ``Machine``.
struct HTTP2Machine {
    let http2: HTTP2Connection
    let context: HTTP1Connection.Context
    /// One line for each request that reached the handler.
    var requests: [String] = []
    var reader = HTTP2Reader()
    /// All bytes that went out.
    var output: [UInt8] = []
    /// What the handler answers with.
    var body = Array("ok".utf8)
    /// Whether the handler keeps its answers back.
    var defers = false
    /// Whether bodies that are to be decoded beside the loop stay as they are.
    var leavesEncoded = false
    var isOver: Bool { http2.isOver }

    /// Makes one of its own loop, or of the loop that a context belongs to.
    init(
        listener: Listener = .main,
        limits: ServerLimits = ServerLimits(),
        sendsPreface: Bool = true,
        isDraining: Bool = false,
        of loop: HTTP1Connection.Context? = nil,
        handler: (any RequestHandler)? = nil
    ) throws {
        context =
            loop
            ?? HTTP1Connection.Context(routes: Machine.routes, limits: limits, handler: handler)
        context.requestIDs = RequestIDMaker(prefix: 0)
        context.nowNanoseconds = 1_000_000_000
        context.isDraining = isDraining
        http2 = try #require(HTTP2Connection(listener: listener, loopIndex: 0, context))
        if sendsPreface { feed(Frames.preface + Frames.settings()) }
    }

    /// Makes one with other limits than usual.
    init(changing change: (inout ServerLimits) -> Void) throws {
        var limits = ServerLimits()
        change(&limits)
        try self.init(limits: limits)
    }

    /// Feeds bytes in pieces of at most `size`.
    mutating func feed(_ bytes: [UInt8], pieces size: Int = .max) {
        var offset = 0
        while offset < bytes.count, !isOver {
            let count = min(size, bytes.count - offset)
            offset += http2.receive(bytes.span.extracting(offset..<(offset + count)))
            run()
        }
    }

    mutating func run() {
        repeat {
            answerReady()
            var written: [UInt8] = []
            http2.write(to: &written, limit: context.limits.outputBytesMax)
            output += written
            reader.read(written)
        } while http2.hasReady || http2.hasMoreToWrite
    }

    mutating func advance(by duration: Duration) {
        context.nowNanoseconds += duration.nanoseconds
    }

    private mutating func answerReady() {
        while true {
            let action = http2.next()
            if action == .wait { return }
            take(action)
        }
    }

    private mutating func take(_ action: HTTP2Connection.Action) {
        switch action {
        case .wait, .answered: break
        case .decode where leavesEncoded: break
        case .decode(let slot): decode(slot)
        case .handle(let slot):
            note(http2.slots[slot])
            guard !defers else { return http2.deferAnswer(slot) }
            var response = Response()
            response.body = body
            http2.answer(slot, with: &response)
        case .handlePiece(let slot) where defers: http2.deferAnswer(slot)
        case .handlePiece(let slot): handlePiece(slot)
        }
    }

    /// Has the body of a slot decoded.
    mutating func decode(_ slot: Int) {
        let stream = http2.slots[slot]
        guard let result = stream.decoding?.body.decodeWhole() else { return }
        take(http2.didDecode(result, to: UInt64(stream.id)))
    }

    private func handlePiece(_ slot: Int) {
        guard let body = http2.slots[slot].streamed else { return }
        let piece = http2.slots[slot].bytes[http2.pieceBytes(slot)]
        let bytes = body.isDecoded ? body.decoded : Array(piece)
        var response = Response()
        body.stream.receive(bytes.span, body.event, response: &response)
        http2.answer(slot, with: &response)
    }

    private mutating func note(_ stream: HTTP2Stream) {
        let request = stream.request
        func text(_ range: Range<Int>) -> String {
            String(decoding: stream.bytes[range], as: UTF8.self)
        }
        var line = "\(request.routeID) \(text(request.path))"
        if !request.query.isEmpty { line += " ?\(text(request.query))" }
        if !request.pathParameter.isEmpty { line += " {\(text(request.pathParameter))}" }
        if !request.body.isEmpty { line += " [\(text(request.body))]" }
        if request.failsPrecondition { line += " unmet" }
        requests.append(line)
    }
}
