// SPDX-License-Identifier: MIT

import Dispatch
@testable import HTTPServer
import Synchronization
import Testing

/// A client of HTTP/2 on a socket: frames go out as given, answers are read by ``HTTP2Reader``.
struct HTTP2Client {
    let client: TestClient
    var reader = HTTP2Reader()
    private(set) var isClosed = false

    init?(port: UInt16) {
        guard let client = TestClient(port: port) else { return nil }
        self.client = client
        client.send(Frames.preface + Frames.settings())
    }

    /// Reads until `isDone`, or to the end of the stream.
    mutating func receive(until isDone: (HTTP2Reader) -> Bool) {
        while !isDone(reader), !isClosed {
            guard let bytes = client.receive() else {
                isClosed = true
                return
            }
            reader.read(bytes)
        }
    }

    /// Sends a request on a stream and returns its answer.
    mutating func ask(_ stream: UInt32, _ path: String) -> HTTP2Reader.Answer? {
        client.send(Frames.headers(stream, Frames.request("GET", path)))
        receive { $0.answers[stream]?.isComplete == true }
        return reader.answers[stream]
    }
}

struct HTTP2ServerTests {
    @Test func tellsTheVersionsApartByTheFirstBytes() throws {
        let server = try TestServer()
        let preface = Frames.preface
        for split in 1...preface.count {
            let client = try #require(TestClient(port: server.port))
            client.send(Array(preface[..<split]))
            client.send(preface[split...] + Frames.settings())
            client.send(Frames.headers(1, Frames.request("GET", "/")))
            var reader = HTTP2Reader()
            while reader.answers[1]?.isComplete != true, let bytes = client.receive() {
                reader.read(bytes)
            }
            #expect(reader.answers[1]?.text == "now;")
        }
    }

    @Test(arguments: ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r", "PRI * HTTP/2.0\r\n\r\n", "PRI *"])
    func takesAlmostAPrefaceForHTTP1(_ start: String) throws {
        for size in [1, .max] {
            var machine = Machine()
            machine.feed(start, pieces: size)
            #expect(!machine.speaksHTTP2)
            machine.end()
            #expect(machine.statuses == [start.count > 10 ? 505 : 400])
        }
    }

    @Test func seesThePrefaceOnlyAtTheStart() {
        var machine = Machine()
        machine.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        #expect(machine.statuses == [200, 505])
        #expect(!machine.speaksHTTP2)
    }

    @Test func wantsALPNOverTLS() throws {
        let certificates = try Certificates.shared()
        let server = try TestServer(tls: certificates.configuration())
        let client = try #require(TLSTestClient(port: server.tlsPort))
        #expect(client.shakeHands())
        client.write(Frames.preface + Frames.settings())
        #expect(statuses(of: client.receiveAll()) == [505])
    }

    @Test func answersManyStreamsOfOneConnection() throws {
        let server = try TestServer()
        var client = try #require(HTTP2Client(port: server.port))
        let streams = (0..<90).map { UInt32(2 * $0 + 1) }
        client.client.send(
            streams.flatMap { stream in
                Frames.headers(stream, Frames.request("POST", "/echo"), flags: 4)
                    + Frames.data(stream, "\(stream)")
            }
        )
        client.receive { reader in streams.allSatisfy { reader.answers[$0]?.isComplete == true } }
        for stream in streams { #expect(client.reader.answers[stream]?.text == "\(stream);") }
        #expect(server.server.counters.requests == 90)
        #expect(server.server.counters.connectionsAccepted == 1)
    }

    @Test func answersOthersWhileOneIsDeferred() throws {
        let server = try TestServer()
        var client = try #require(HTTP2Client(port: server.port))
        client.client.send(Frames.headers(1, Frames.request("GET", "/held")))
        #expect(client.ask(3, "/")?.text == "now;")
        #expect(client.ask(5, "/later")?.text == "later;")
        #expect(client.ask(7, "/dropped")?.statuses == [500])
        server.handler.release()
        client.receive { $0.answers[1]?.isComplete == true }
        #expect(client.reader.answers[1]?.text == "held;")
    }

    @Test func dropsTheAnswerToAStreamThatWasReset() throws {
        let server = try TestServer(loops: 1)
        var client = try #require(HTTP2Client(port: server.port))
        client.client.send(Frames.headers(1, Frames.request("GET", "/held")))
        #expect(server.wait { $0.requestsDeferred == 1 })
        client.client.send(Frames.reset(1))
        #expect(client.ask(3, "/")?.text == "now;")
        server.handler.release()
        #expect(server.wait { $0.requestsDeferred == 0 && $0.answersDropped == 1 })
        #expect(client.ask(5, "/")?.text == "now;")
        #expect(client.reader.answers[1] == nil)
    }

    /// What a client has sent behind its GOAWAY is nobody's, whatever buffer it stood in.
    @Test func forgetsWhatStandsBehindTheEnd() throws {
        let server = try TestServer(loops: 1)
        let large = try #require(TestClient(port: server.port))
        let body = String(repeating: "x", count: 60_000)
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
        large.send("\(head)60000\r\n\r\n\(body)")
        #expect(large.receive(until: "x;").hasSuffix("x;"))
        let client = try #require(HTTP2Client(port: server.port))
        // So many that the loop leaves what follows them for another turn.
        let streams = (0..<70).map { UInt32(2 * $0 + 1) }
        let get = Frames.request("GET", "/held")
        for stream in streams { client.client.send(Frames.headers(stream, get)) }
        #expect(server.wait { $0.requestsDeferred == 70 })
        let pings = (0..<3000).flatMap { _ in Frames.ping() }
        let end = streams.flatMap(Frames.reset) + Frames.goAway() + pings
        let received = server.server.counters.bytesIn + end.count
        client.client.send(end)
        #expect(server.wait { $0.bytesIn == received })
        // Another takes the large buffer, so that the late answer finds a small one.
        large.send("\(head)3\r\n\r\na")
        #expect(server.wait { $0.bytesIn > received })
        server.handler.release()
        #expect(server.wait { $0.requestsDeferred == 0 })
        large.send("bc")
        #expect(large.receive(until: ";").hasSuffix("abc;"))
    }

    /// A connection that nghttp2 has ended decodes nothing any more: there are four decoders.
    @Test func letsDecodersGoAtTheEnd() throws {
        // The clock stands still: no connection lingers to its end.
        let server = try TestServer(loops: 1, hasTestClock: true)
        let zeros = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        let post = Frames.request("POST", "/echo", [("content-encoding", "gzip")])
        let clients = try (0..<4).map { count in
            let client = try #require(HTTP2Client(port: server.port))
            let body = Frames.frame(0, flags: 1, stream: 1, zeros)
            // RFC 9113 §6.9: an increment of 0 ends the connection.
            let end = Frames.windowUpdate(0, 0)
            client.client.send(Frames.headers(1, post, flags: 4) + body + end)
            #expect(server.wait { $0.parseErrors == count + 1 })
            return client
        }
        let other = try #require(TestClient(port: server.port))
        let small = try ContentCodingTests.gzip([UInt8](repeating: 0x61, count: 100))
        other.send(ContentCodingTests.request(small))
        #expect(other.receive(until: "a;").hasSuffix("a;"))
        #expect(clients.count == 4)
    }

    /// What streams that were reset have held back goes on when their answers come.
    @Test func answersWhatWaitedForStreamsThatWereReset() throws {
        var limits = ServerLimits()
        limits.http2StreamCountMax = 2
        // The clock stands still: no time-out has the loop look at it.
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        var client = try #require(HTTP2Client(port: server.port))
        for stream: UInt32 in [1, 3] {
            client.client.send(Frames.headers(stream, Frames.request("GET", "/held")))
        }
        #expect(server.wait { $0.requestsDeferred == 2 })
        client.client.send(Frames.reset(1) + Frames.reset(3))
        client.client.send(Frames.headers(5, Frames.request("GET", "/")) + Frames.ping())
        client.receive { $0.pingAnswerCount == 1 }
        #expect(client.reader.answers[5] == nil)
        server.handler.release()
        client.receive { $0.answers[5]?.isComplete == true }
        #expect(client.reader.answers[5]?.text == "now;")
    }

    @Test func answersInTurnsWithoutTime() throws {
        var limits = ServerLimits()
        limits.turnTime = .zero
        let server = try TestServer(loops: 1, limits: limits)
        var client = try #require(HTTP2Client(port: server.port))
        for stream: UInt32 in [1, 3] { #expect(client.ask(stream, "/")?.text == "now;") }
        #expect(server.isIdle)
    }

    @Test func sendsALargeAnswerAsTheWindowsOpen() throws {
        let server = try TestServer()
        var client = try #require(HTTP2Client(port: server.port))
        client.client.send(Frames.headers(1, Frames.request("GET", "/large")))
        client.receive { ($0.answers[1]?.body.count ?? 0) == 65_535 }
        client.client.send(Frames.headers(3, Frames.request("GET", "/")))
        client.client.send(Frames.windowUpdate(0, 1 << 30) + Frames.windowUpdate(1, 1 << 30))
        client.receive { $0.answers[1]?.isComplete == true && $0.answers[3]?.isComplete == true }
        #expect(client.reader.answers[1]?.body.count == 8_000_001)
        #expect(client.reader.answers[3]?.text == "now;")
    }

    /// RFC 9113 §5: streams go on side by side, whatever windows a client gives.
    @Test func readsWhileALargeAnswerGoesOut() throws {
        let server = try TestServer(loops: 1)
        var client = try #require(HTTP2Client(port: server.port))
        client.client.send(Frames.settings([(4, 0x7FFF_FFFF)]))
        client.client.send(Frames.windowUpdate(0, 0x7000_0000))
        client.client.send(Frames.headers(1, Frames.request("GET", "/large")))
        client.receive { $0.answers[1].map { $0.body.count > 100_000 } == true }
        client.client.send(Frames.ping() + Frames.headers(3, Frames.request("GET", "/")))
        client.receive { $0.answers[3]?.isComplete == true }
        #expect(client.reader.answers[3]?.text == "now;" && client.reader.pingAnswerCount == 1)
        #expect(client.reader.answers[1]?.isComplete == false)
        client.receive { $0.answers[1]?.isComplete == true }
        #expect(client.reader.answers[1]?.body.count == 8_000_001)
    }

    @Test func endsTheConnectionOfAFlood() throws {
        let server = try TestServer()
        var client = try #require(HTTP2Client(port: server.port))
        for index in UInt32(0)..<1000 {
            client.client.send(
                Frames.headers(2 * index + 1, Frames.request("GET", "/held"))
                    + Frames.reset(2 * index + 1)
            )
        }
        client.receive { _ in false }
        #expect(client.reader.goAways.last?.code == 11)
        #expect(server.wait { $0.limitHits == 1 && $0.connectionsOpen == 0 })
        server.handler.release()
        #expect(server.wait { $0.requestsDeferred == 0 })
    }
}

struct HTTP2ServerTimeTests {
    private func server() throws -> TestServer {
        var limits = ServerLimits()
        limits.idleTimeout = .seconds(60)
        limits.bodyTimeout = .seconds(20)
        return try TestServer(loops: 1, limits: limits, hasTestClock: true)
    }

    @Test func closesAConnectionThatOnlyPings() throws {
        let server = try server()
        var client = try #require(HTTP2Client(port: server.port))
        #expect(client.ask(1, "/")?.statuses == [200])
        server.advance(by: .seconds(59))
        client.client.send(Frames.ping())
        client.receive { $0.pingAnswerCount == 1 }
        #expect(server.server.counters.timeouts == 0)
        server.advance(by: .seconds(2))
        #expect(server.wait { $0.timeouts == 1 })
        // RFC 9113 §6.8: what crosses the end on its way has not been looked at.
        client.receive { _ in false }
        #expect(client.reader.goAways.map(\.code) == [0] && client.isClosed)
        server.advance(by: .seconds(3))
        #expect(server.wait { $0.connectionsOpen == 0 })
    }

    @Test func answers408ToASlowBodyAndGoesOn() throws {
        let server = try server()
        var client = try #require(HTTP2Client(port: server.port))
        let open = Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
        client.client.send(open)
        #expect(client.ask(3, "/")?.statuses == [200])
        server.advance(by: .seconds(21))
        client.receive { $0.answers[1]?.isComplete == true }
        #expect(client.reader.answers[1]?.statuses == [408])
        #expect(server.server.counters.timeouts == 1)
        #expect(client.ask(5, "/")?.statuses == [200])
    }
}

struct HTTP2ServerDrainTests {
    @Test func losesNothingUnderLoad() throws {
        for _ in 0..<3 {
            let server = try TestServer()
            let answered = Atomic(0)
            let lost = Atomic(0)
            let workers = DispatchGroup()
            for _ in 0..<4 {
                DispatchQueue(label: "client").async(group: workers) { [port = server.port] in
                    // Until the port is closed; every request that went out gets its answer.
                    while var client = HTTP2Client(port: port) {
                        var stream: UInt32 = 1
                        while client.reader.goAways.isEmpty {
                            guard client.ask(stream, "/")?.statuses == [200] else {
                                lost.wrappingAdd(1, ordering: .relaxed)
                                break
                            }
                            answered.wrappingAdd(1, ordering: .relaxed)
                            stream += 2
                        }
                        client.client.send(Frames.ping(flags: Frames.Flag.acknowledgement))
                        client.receive { _ in false }
                    }
                }
            }
            #expect(server.wait { $0.requests > 300 })
            server.server.beginDrain(delay: .milliseconds(20), timeout: .seconds(10))
            server.server.waitUntilStopped()
            workers.wait()
            #expect(lost.load(ordering: .relaxed) == 0)
            #expect(answered.load(ordering: .relaxed) == server.server.counters.requests)
            #expect(server.server.counters.connectionsCutOff == 0)
        }
    }

    @Test func waitsForDeferredAnswers() throws {
        let server = try TestServer()
        var client = try #require(HTTP2Client(port: server.port))
        client.client.send(Frames.headers(1, Frames.request("GET", "/held")))
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.server.beginDrain(delay: .zero, timeout: .seconds(30))
        client.receive { !$0.goAways.isEmpty }
        client.client.send(Frames.ping(flags: Frames.Flag.acknowledgement))
        client.receive { $0.goAways.count == 2 }
        server.handler.release()
        client.receive { _ in false }
        #expect(client.reader.answers[1]?.text == "held;")
        server.server.waitUntilStopped()
    }

    /// A body has more time where its client reads other answers slowly, if none want its memory.
    ///
    /// It is not read meanwhile. A head has more time in any case.
    @Test func timeRunsForOthersWhileAnAnswerIsNotRead() throws {
        var limits = ServerLimits()
        limits.writeTimeout = .seconds(3600)
        limits.bodyBytesPendingMax = 300_000
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port, receiveBytes: 4096))
        let windows = Frames.settings([(4, 0x7FFF_FFFF)]) + Frames.windowUpdate(0, 0x7000_0000)
        let post = Frames.headers(1, Frames.request("POST", "/echo"), flags: 4)
        let body = (0..<15).flatMap { _ in
            Frames.data(1, String(repeating: "a", count: 16_000), flags: 0)
        }
        let large = Frames.headers(3, Frames.request("GET", "/large"))
        let head = Frames.frame(1, flags: 1, stream: 5, [0x82])
        client.send(Frames.preface + windows + post + body + large + head)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        /// A part of the answer is read.
        func goOn() {
            let sent = server.server.counters.bytesOut
            while server.server.counters.bytesOut == sent, client.receive() != nil {}
        }
        for _ in 0..<3 {
            // The socket is full again.
            #expect(server.isIdle)
            server.advance(by: .seconds(29))
            goOn()
        }
        #expect(server.server.counters.timeouts == 0)
        let other = try #require(TestClient(port: server.port))
        let text = String(repeating: "b", count: 100_000)
        other.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + text)
        #expect(other.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 503 "))
        #expect(server.isIdle)
        server.advance(by: .seconds(2))
        goOn()
        #expect(server.wait { $0.timeouts == 1 })
        #expect(server.wait { $0.connectionsOpen == 1 })
    }
}
