// SPDX-License-Identifier: MIT

import Dispatch
@testable import HTTPServer
import Platform
import Synchronization
import Testing

/// Bodies that are taken piece by piece, over real sockets.
struct StreamServerTests {
    private static let abc = Array("abc".utf8)

    private func head(_ way: String, _ fields: String = "Content-Length: 6\r\n") -> [UInt8] {
        StreamCase.head(way, fields)
    }

    private func server(limits: ServerLimits = ServerLimits()) throws -> TestServer {
        try TestServer(loops: 1, limits: limits, hasTestClock: true)
    }

    @Test(arguments: ["loud", "later"])
    func answersWhileTheBodyComes(_ way: String) throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send(head(way))
        var all = ""
        let parts = [
            ("a", "1\r\nA\r\n"), ("bc", "2\r\nBC\r\n"), ("def", "DEF.\r\n0\r\n\r\n"),
        ]
        for (part, answer) in parts {
            client.send(part)
            let received = client.receive(until: answer)
            #expect(received.hasSuffix(answer))
            all += received
        }
        #expect(ParsedAnswer.all(Array(all.utf8)).map(\.description) == ["200 chunked ABCDEF."])
        client.send(StreamCase.get)
        #expect(client.receive(until: "now;").hasSuffix("now;"))
        let counters = server.server.counters
        #expect(counters.requests == 2)
        let answers = server.server.answerCounts
        #expect(answers.count == 2 && answers.allSatisfy { $0.status == 200 && $0.count == 1 })
        #expect(counters.requestsDeferred == 0)
    }

    @Test func answersOverTLSAndDecodesGzip() throws {
        let certificates = try Certificates.shared()
        let server = try TestServer(tls: certificates.configuration())
        var response = Response()
        response.body = (0..<300_000).map { UInt8(97 + $0 % 7) }
        let capitals = response.body.map { $0 - 32 } + Array(".".utf8)
        ContentCoder().encode(&response)
        let fields = "Connection: close\r\n" + StreamCase.gzip
        for way in ["loud", "later"] {
            let client = try #require(TLSTestClient(port: server.tlsPort))
            #expect(client.shakeHands())
            client.write(StreamCase.whole(way, response.body, fields: fields))
            let answers = ParsedAnswer.all(Array(client.receiveAll().utf8))
            #expect(answers.map { Array($0.body.utf8) == capitals } == [true])
            #expect(answers.map(\.isChunked) == [true])
        }
    }

    @Test func readsNoMoreThanAClientDoes() throws {
        let server = try TestServer(loops: 1)
        let client = try #require(TestClient(port: server.port))
        let count = 24 << 20
        client.send(head("loud", "Content-Length: \(count)\r\n"))
        let finished = Atomic(false)
        let piece = [UInt8](repeating: 0x61, count: 1 << 20)
        let worker = Worker {
            for _ in 0..<(count / piece.count) { client.send(piece) }
            finished.store(true, ordering: .releasing)
        }
        // Until nothing moves: the sockets' buffers hold a few megabytes each way.
        var (before, quiet) = (-1, 0)
        for asked in 0..<5000 where quiet < 50 {
            let now = server.server.counters.bytesIn - asked * StreamCase.get.count
            quiet = now == before && now > 0 ? quiet + 1 : 0
            before = now
            // A request on another connection is a turn of the loop, and it is answered.
            let other = try #require(TestClient(port: server.port))
            other.send(StreamCase.get)
            #expect(other.receive(until: "now;").hasSuffix("now;"))
        }
        #expect(quiet == 50)
        #expect(server.server.counters.bytesIn < 20 << 20)
        let isFinished = finished.load(ordering: .acquiring)
        #expect(!isFinished)
        var received = 0
        while received < count, let bytes = client.receive() {
            received += bytes.count { $0 == 0x41 }
        }
        #expect(received == count)
        // Closing frees a worker that still sends.
        client.reset()
        client.finishSending()
        worker.wait()
    }

    @Test func forgetsAClientThatGoesAway() throws {
        let server = try TestServer(loops: 1)
        for way in ["loud", "held"] {
            let client = try #require(TestClient(port: server.port))
            client.send(head(way) + Self.abc)
            let isHeld = way == "held"
            #expect(server.wait { isHeld ? $0.requestsDeferred == 1 : $0.bytesOut > 0 })
            client.reset()
        }
        #expect(server.wait { $0.connectionsOpen == 0 })
        server.handler.streams.release()
        #expect(server.wait { $0.answersDropped == 1 && $0.requestsDeferred == 0 })
    }

    @Test func answersAClientThatHasEndedItsSide() throws {
        let server = try TestServer()
        for way in ["loud", "later"] {
            let client = try #require(TestClient(port: server.port))
            client.send(head(way) + Array("abcdef".utf8))
            client.finishSending()
            let answers = ParsedAnswer.all(Array(client.receiveAll().utf8))
            #expect(answers.map(\.body) == ["ABCDEF."])
            let early = try #require(TestClient(port: server.port))
            early.send(head(way) + Self.abc)
            #expect(early.receive(until: "ABC\r\n").hasSuffix("ABC\r\n"))
            early.finishSending()
            #expect(early.receiveAll() == "4\r\n!400\r\n0\r\n\r\n")
        }
        #expect(server.wait { $0.connectionsOpen == 0 })
    }

    @Test func finishesAStreamBeforeItStops() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send(head("loud") + Self.abc)
        #expect(client.receive(until: "ABC\r\n").hasSuffix("ABC\r\n"))
        server.server.beginDrain(delay: .zero, timeout: .seconds(30))
        client.send("def")
        #expect(client.receiveAll() == "4\r\nDEF.\r\n0\r\n\r\n")
        server.server.waitUntilStopped()
        #expect(server.server.counters.connectionsCutOff == 0)
    }

    @Test func cutsAStreamOffWhenTheTimeToStopIsOver() throws {
        let server = try TestServer()
        let client = try #require(TestClient(port: server.port))
        client.send(head("loud") + Self.abc)
        #expect(client.receive(until: "ABC\r\n").hasSuffix("ABC\r\n"))
        server.server.beginDrain(delay: .zero, timeout: .milliseconds(10))
        server.server.waitUntilStopped()
        #expect(client.receiveAll() == "")
        #expect(server.server.counters.connectionsCutOff == 1)
    }

    @Test func endsAStreamThatStandsStill() throws {
        var limits = ServerLimits()
        limits.streamIdleTimeout = .seconds(10)
        let server = try server(limits: limits)
        let client = try #require(TestClient(port: server.port))
        client.send(head("loud"))
        for (letter, answer) in [("a", "A\r\n"), ("b", "B\r\n"), ("c", "C\r\n")] {
            client.send(letter)
            #expect(client.receive(until: answer).hasSuffix(answer))
            server.advance(by: .milliseconds(9_800))
        }
        #expect(server.server.counters.timeouts == 0)
        server.advance(by: .milliseconds(400))
        #expect(client.receiveAll() == "4\r\n!408\r\n0\r\n\r\n")
        #expect(server.server.counters.timeouts == 1)
    }

    /// Its stream says what that comes to, even if it has said nothing yet.
    @Test func aStreamMayGiveAPieceLessTime() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        let start = head("hurried") + Self.abc
        client.send(start)
        #expect(server.wait { $0.bytesIn == start.count })
        server.advance(by: .milliseconds(9_800))
        client.send("d")
        #expect(server.wait { $0.bytesIn == start.count + 1 })
        server.advance(by: .milliseconds(9_800))
        #expect(server.server.counters.timeouts == 0)
        server.advance(by: .milliseconds(400))
        #expect(ParsedAnswer.all(Array(client.receiveAll().utf8)).map(\.body) == ["4"])
        #expect(server.server.counters.timeouts == 1)
    }

    @Test func endsAStreamThatTakesTooLong() throws {
        var limits = ServerLimits()
        limits.streamTimeout = .seconds(25)
        limits.streamIdleTimeout = .seconds(10)
        let server = try server(limits: limits)
        let client = try #require(TestClient(port: server.port))
        client.send(head("loud"))
        for (letter, answer) in [("a", "A\r\n"), ("b", "B\r\n"), ("c", "C\r\n")] {
            client.send(letter)
            #expect(client.receive(until: answer).hasSuffix(answer))
            server.advance(by: .seconds(8))
        }
        #expect(server.server.counters.timeouts == 0)
        client.send("d")
        #expect(client.receive(until: "D\r\n").hasSuffix("D\r\n"))
        server.advance(by: .milliseconds(1_200))
        #expect(client.receiveAll() == "4\r\n!408\r\n0\r\n\r\n")
    }

    @Test func answers408WhereNothingWasSaid() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        client.send(head("quiet") + Self.abc)
        #expect(server.wait { $0.requests == 1 })
        server.advance(by: .seconds(61))
        #expect(statuses(of: client.receiveAll()) == [408])
    }

    @Test func boundsTheTimeForTheAnswerToAPiece() throws {
        let server = try server()
        let client = try #require(TestClient(port: server.port))
        client.send(head("held") + Self.abc)
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.advance(by: .milliseconds(60_200))
        #expect(statuses(of: client.receiveAll()) == [503])
        // One that has begun to speak can only be cut off.
        let other = try #require(TestClient(port: server.port))
        other.send(head("held") + Self.abc)
        #expect(server.wait { $0.requestsDeferred == 2 })
        server.handler.streams.release()
        #expect(other.receive(until: "ABC\r\n").hasSuffix("ABC\r\n"))
        other.send("d")
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.advance(by: .milliseconds(60_200))
        #expect(other.receiveAll() == "")
    }
}

/// Work on a thread of its own, to be waited for.
private struct Worker {
    private let group = DispatchGroup()

    init(_ work: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "test.client").async(group: group) { work() }
    }

    func wait() { group.wait() }
}
