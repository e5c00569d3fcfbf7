// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// Requests whose bodies are decoded beside the loop.
struct DecodingTests {
    private static let encoded: [(String, String)] = [("content-encoding", "gzip")]

    private static func zeros(_ count: Int) throws -> [UInt8] {
        try ContentCodingTests.gzip([UInt8](repeating: 0, count: count))
    }

    private static func request(_ stream: UInt32, _ body: [UInt8]) -> [UInt8] {
        Frames.headers(stream, Frames.request("POST", "/optional", encoded), flags: 4)
            + Frames.frame(0, flags: 1, stream: stream, body)
    }

    /// The slot that the connection wants decoded.
    private static func decoding(_ machine: HTTP2Machine) throws -> Int {
        try #require(machine.http2.slots.firstIndex { $0.phase == .decoding })
    }

    @Test(arguments: [(32_768, 0), (32_769, 1)])
    func onlyLargeOnesAre(_ byteCount: Int, _ decodedCount: Int) throws {
        var machine = Machine()
        let body = try Self.zeros(byteCount)
        machine.feed(ContentCodingTests.request(body, path: "/optional"))
        #expect(machine.statuses == [200] && machine.decodedCount == decodedCount)
    }

    @Test func theNextRequestWaits() throws {
        var machine = Machine()
        machine.stopsAtDecoding = true
        let body = try Self.zeros(100_000)
        let get = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        machine.feed(ContentCodingTests.request(body, path: "/optional") + get)
        #expect(machine.statuses == [] && machine.http.isDeferred && !machine.http.takesInput)
        let decoded = try #require(machine.http.decoding?.body.decodeWhole())
        // Of a request that has gone.
        machine.take(decoded, of: machine.http.sequence - 1)
        machine.goOn()
        #expect(machine.statuses == [])
        machine.take(decoded, of: machine.http.sequence)
        machine.goOn()
        #expect(machine.statuses == [200, 200])
        #expect(machine.http.decoding == nil && machine.http.isIdle)
    }

    @Test func aFailureIsARefusal() throws {
        var machine = Machine()
        machine.stopsAtDecoding = true
        machine.feed(ContentCodingTests.request(try Self.zeros(100_000), path: "/optional"))
        machine.take(.failure(.tooManyDecoders), of: machine.http.sequence)
        machine.goOn()
        #expect(machine.statuses == [503] && machine.isClosed)
        #expect(machine.outputText.contains("retry-after: 1\r\n"))
    }

    /// As behind a proxy, where the requests are those of many clients.
    @Test func aBodyThatIsDecodedHoldsUpNoOtherStream() throws {
        var machine = try HTTP2Machine()
        machine.leavesEncoded = true
        machine.feed(Self.request(1, try Self.zeros(1_000_000)))
        machine.feed(Frames.headers(3, Frames.request("GET", "/")))
        #expect(machine.reader.statuses == [3: 200])
        #expect(machine.http2.owesAnswers)
        machine.decode(try Self.decoding(machine))
        machine.run()
        #expect(machine.reader.statuses == [1: 200, 3: 200])
        #expect(machine.http2.ready.isEmpty && machine.http2.requestByteCount == 0)
        #expect(machine.context.bodies.byteCount == 0)
    }

    /// A client that does not read its answers is no reason to keep what was decoded.
    @Test func aDecodedBodyIsHandledWhileAnswersWait() throws {
        var machine = try HTTP2Machine()
        machine.leavesEncoded = true
        machine.feed(Self.request(1, try Self.zeros(1_000_000)))
        let slot = try Self.decoding(machine)
        machine.body = [UInt8](repeating: 0, count: 70_000)
        for stream in 1..<25 {
            machine.feed(Frames.headers(UInt32(2 * stream + 1), Frames.request("GET", "/")))
        }
        #expect(!machine.http2.takesMore)
        let count = machine.requests.count
        machine.decode(slot)
        machine.run()
        #expect(machine.requests.count == count + 1)
        #expect(machine.requests.last?.hasPrefix("4 /optional") == true)
    }

    /// Unless answers have all memory.
    @Test func aDecodedBodyIsRefusedWhereAnswersFindNoMemory() throws {
        var machine = try HTTP2Machine { $0.answerBytesPendingMax = 65_536 }
        machine.leavesEncoded = true
        machine.feed(Frames.settings([(4, 0)]) + Self.request(1, try Self.zeros(1_000_000)))
        let slot = try Self.decoding(machine)
        machine.body = [UInt8](repeating: 0, count: 40_000)
        machine.feed(Frames.headers(3, Frames.request("GET", "/")))
        try #require(machine.context.unread.reserve(65_536))
        machine.decode(slot)
        machine.run()
        #expect(machine.requests.count == 1 && machine.reader.statuses == [1: 503, 3: 200])
        #expect(machine.context.bodies.byteCount == 0 && machine.http2.requestByteCount == 0)
    }

    @Test func aResetGivesTheBodyUp() throws {
        var machine = try HTTP2Machine()
        machine.leavesEncoded = true
        machine.feed(Self.request(1, try Self.zeros(1_000_000)))
        let slot = try Self.decoding(machine)
        let body = try #require(machine.http2.slots[slot].decoding?.body)
        machine.feed(Frames.frame(3, flags: 0, stream: 1, [0, 0, 0, 8]))
        #expect(body.isGivenUp)
        // Another stream has the slot, and is not taken for the one that has gone.
        machine.feed(Self.request(3, try Self.zeros(1_000_000)))
        #expect(try Self.decoding(machine) == slot)
        #expect(machine.http2.didDecode(.success([1]), to: 1) == .wait)
        #expect(machine.http2.slots[slot].phase == .decoding)
        machine.decode(slot)
        machine.run()
        #expect(machine.reader.statuses == [3: 200])
    }

    @Test func whoWaitsForeverIsAnswered() throws {
        var machine = try HTTP2Machine()
        machine.leavesEncoded = true
        machine.feed(Self.request(1, try Self.zeros(1_000_000)))
        machine.advance(by: machine.context.limits.answerTimeout)
        let expired = machine.http2.expire()
        #expect(expired.count == 1 && expired.answeredRoutes.count == 1)
        machine.run()
        #expect(machine.reader.statuses == [1: 503])
        #expect(machine.http2.deferredCount == 0 && machine.http2.requestByteCount == 0)
    }

    @Test func aServerDecodesThem() throws {
        let server = try TestServer()
        let body = try ContentCodingTests.gzip([UInt8](repeating: 0x61, count: 1_000_000))
        let client = try #require(TestClient(port: server.port))
        let request = ContentCodingTests.request(body, path: "/echo")
        client.send(request + request)
        #expect(client.receive(until: "a;", count: 2).utf8.count > 2_000_000)
        client.finishSending()
        do {
            let other = try #require(TestClient(port: server.port))
            other.send(request)
            other.reset()
        }
        #expect(server.wait { $0.bodyBytesPending == 0 && $0.connectionsOpen == 0 })
    }
}
