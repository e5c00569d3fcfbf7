// SPDX-License-Identifier: MIT

@testable import HTTPServer

/// Drives the connection machine without a socket, with a handler that says what it saw.
struct Machine {
    static let routes = RouteTable([
        Route(.get, "/", id: 0),
        Route(.post, "/echo", id: 1, bodyBytesMax: 32, requiresBody: true),
        Route(.get, "/equipment/{id}", id: 2),
        Route(.post, "/equipment/{id}/maintenance", id: 3, listeners: [.admin]),
        Route(.post, "/optional", id: 4),
        StreamHandler.route,
    ])

    var http = HTTP1Connection()
    let context: HTTP1Connection.Context
    /// One line for each request that reached the handler.
    var requests: [String] = []
    /// All bytes that went out.
    var output: [UInt8] = []
    var isClosed = false
    /// Bodies that were decoded beside the loop, and whether the machine stops before that.
    var decodedCount = 0
    var stopsAtDecoding = false
    /// Whether the client turned out to speak HTTP/2; the machine stops there.
    var speaksHTTP2 = false
    /// Whether the answers to pieces are kept back.
    var defersPieces = false

    /// Makes one of its own loop, or of the loop that a context belongs to.
    init(
        listener: Listener = .main,
        limits: ServerLimits = ServerLimits(),
        of loop: HTTP1Connection.Context? = nil,
        handler: (any RequestHandler)? = nil
    ) {
        context =
            loop
            ?? HTTP1Connection.Context(routes: Machine.routes, limits: limits, handler: handler)
        context.requestIDs = RequestIDMaker(prefix: 0)
        http.reset(listener: listener, loopIndex: 0)
    }

    /// Feeds bytes in pieces of at most `size`.
    mutating func feed(_ text: String, pieces size: Int = .max) {
        feed(Array(text.utf8), pieces: size)
    }

    mutating func feed(_ bytes: [UInt8], pieces size: Int = .max) {
        var offset = 0
        while offset < bytes.count, !isClosed {
            guard http.makeRoom(context) else {
                _ = http.refuse(.noRoom, context)
                return run()
            }
            let room = http.input.count - http.inputEnd
            let count = min(size, room, bytes.count - offset)
            for index in 0..<count { http.input[http.inputEnd + index] = bytes[offset + index] }
            http.didReceive(count)
            offset += count
            run()
        }
    }

    /// Goes on after the machine has stopped.
    mutating func goOn() { run() }

    mutating func end() {
        http.endInput()
        run()
    }

    private mutating func run() {
        while !isClosed {
            switch http.next(context) {
            case .receive, .wait: return collect()
            case .yield: break
            case .decode where stopsAtDecoding: return
            case .decode: decode()
            case .handle: handle()
            case .handlePiece where defersPieces: http.deferAnswer()
            case .handlePiece: handlePiece()
            case .answered: break
            case .close: isClosed = true
            case .switchToHTTP2:
                speaksHTTP2 = true
                isClosed = true
            }
            collect()
        }
    }

    private mutating func collect() {
        output += http.output
        http.output.removeAll()
    }

    private mutating func decode() {
        guard let result = http.decoding?.body.decodeWhole() else { return }
        decodedCount += 1
        take(result, of: http.sequence)
    }

    /// Gives a request its decoded body.
    mutating func take(_ result: Result<[UInt8], RequestError>, of sequence: UInt64) {
        if http.didDecode(result, to: sequence, context) == .handle { handle() }
        collect()
    }

    private mutating func handle() {
        let bytes = Array(http.input[http.requestBytes])
        let request = http.request
        func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
        var line = "\(request.routeID) \(text(request.path))"
        if !request.query.isEmpty { line += " ?\(text(request.query))" }
        if !request.pathParameter.isEmpty { line += " {\(text(request.pathParameter))}" }
        if !request.body.isEmpty { line += " [\(text(request.body))]" }
        if request.failsPrecondition { line += " unmet" }
        requests.append(line)
        var response = Response()
        response.body = Array("ok".utf8)
        http.answer(response, context)
    }

    private mutating func handlePiece() {
        guard let body = http.streamed else { return }
        let bytes = body.isDecoded ? body.decoded : Array(http.input[http.pieceBytes])
        var response = Response()
        body.stream.receive(bytes.span, body.event, response: &response)
        http.answer(response, context)
    }

    /// Answers the piece whose answer was kept back.
    mutating func answerHeldPiece() {
        handlePiece()
        run()
    }

    var outputText: String { String(decoding: output, as: UTF8.self) }

    /// The status codes of the answers, in order.
    var statuses: [Int] { HTTPServerTests.statuses(of: outputText) }
}

/// The status codes of the answers in what a server sent, in order.
func statuses(of output: String) -> [Int] {
    let marker = Array("HTTP/1.1 ".utf8)
    let bytes = Array(output.utf8)
    var found: [Int] = []
    var index = 0
    while index + marker.count + 3 <= bytes.count {
        if bytes[index..<(index + marker.count)].elementsEqual(marker) {
            index += marker.count
            found.append(bytes[index..<(index + 3)].reduce(0) { $0 * 10 + Int($1 & 15) })
        }
        index += 1
    }
    return found
}
