// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
private let getLarge = "GET /large HTTP/1.1\r\nHost: a\r\n\r\n"

/// Answers that clients do not read, or not fast.
@Suite(.serialized) struct UnreadAnswerTests {
    private func server() throws -> TestServer {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 65_536
        limits.writeTimeout = .seconds(3600)
        return try TestServer(loops: 1, limits: limits, hasTestClock: true)
    }

    private func client(_ server: TestServer) throws -> TestClient {
        try #require(TestClient(port: server.port, receiveBytes: 4096))
    }

    @Test func whoHasNotReadForLongestIsLetGoFirst() throws {
        let second: Int64 = 1_000_000_000
        func pace(from start: Int64, _ reads: (Int64, Int)...) -> ReadingPace {
            var pace = ReadingPace()
            pace.didSend(1_000_000)
            pace.follow(isWaiting: true, at: start * second)
            for (time, byteCount) in reads {
                pace.didSend(byteCount)
                pace.follow(isWaiting: true, at: time * second)
            }
            return pace
        }
        // In the order in which they go, at 20 s: two that are slow, then by their last reading.
        let paces = [
            pace(from: 1), pace(from: 1, (19, 1)), pace(from: 5), pace(from: 1, (9, 20_000)),
            pace(from: 10, (11, 1)), pace(from: 12), pace(from: 1, (19, 200_000)), pace(from: 20),
        ]
        let standings = try paces.map { try #require($0.standing(at: 20 * second)) }
        #expect(standings == standings.sorted())
        #expect(standings.map(\.isSlow) == [true, true] + [Bool](repeating: false, count: 6))
        var done = paces[0]
        done.follow(isWaiting: false, at: 20 * second)
        #expect(done.standing(at: 21 * second) == nil)
    }

    @Test func theSlowestReaderIsLetGo() throws {
        let server = try server()
        let silent = try client(server)
        silent.send(getLarge)
        // One alone finds room for 8 MB.
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        server.advance(by: .seconds(10))
        let reader = try client(server)
        reader.send(getLarge)
        #expect(server.wait { $0.limitHits == 1 && $0.connectionsOpen == 1 })
        #expect(!silent.receiveAll().hasSuffix("x;"))
        // An answer that is read takes none of it.
        let other = try #require(TestClient(port: server.port))
        other.send(get)
        #expect(other.receive(until: "now;").hasSuffix("now;"))
        #expect(reader.receive(until: "x;").hasSuffix("x;"))
        #expect(server.wait { $0.answerBytesPending == 0 && $0.limitHits == 1 })
    }

    /// Answers that have their memory, as those to batches, count for nobody's pace.
    @Test func whatIsReservedIsNotCounted() throws {
        let server = try server()
        let clients = try (0..<3).map { _ in try client(server) }
        for client in clients { client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(server.wait { $0.requestsDeferred == 3 })
        var answer = TestHandler.answer(String(repeating: "x", count: 6_000_000) + ";")
        answer.reservation = TestReservation()
        server.handler.release(answer)
        #expect(server.wait { $0.requestsDeferred == 0 })
        server.advance(by: .seconds(10))
        for client in clients { #expect(client.receive(until: "x;").hasSuffix("x;")) }
        #expect(server.server.counters.limitHits == 0)
    }

    /// One answer that has its memory does not make room for others beside it.
    @Test func whatStandsBesideAReservationIsCounted() throws {
        let server = try server()
        let client = try client(server)
        client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n" + getLarge)
        #expect(server.wait { $0.requestsDeferred == 1 })
        var answer = TestHandler.answer("held;")
        answer.reservation = TestReservation()
        server.handler.release(answer)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        #expect(client.receive(until: "x;").contains("held;"))
        #expect(server.wait { $0.answerBytesPending == 0 && $0.limitHits == 0 })
    }

    /// Answers that come late wait for their client as others do.
    @Test func noRequestIsTakenWhileALateAnswerIsNotRead() throws {
        let server = try server()
        let client = try client(server)
        let getHeld = "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(getHeld + getHeld)
        for count in 1...2 {
            #expect(server.wait { $0.requestsDeferred == 1 })
            server.handler.release(
                TestHandler.answer(String(repeating: "x", count: 8_000_000) + ";")
            )
            #expect(server.wait { $0.answerBytesPending > 5_000_000 })
            #expect(server.server.counters.requests == count)
            #expect(client.receive(until: "x;").hasSuffix("x;"))
        }
    }

    /// Bodies are decoded for others while clients do not read what theirs have become.
    @Test(arguments: [false, true])
    func noOneIsKeptFromDecoding(speaksHTTP2: Bool) throws {
        var limits = ServerLimits()
        limits.outputBytesMax = 16_000_000
        limits.answerBytesPendingMax = 64_000_000
        limits.turnTime = .seconds(10)
        // Whose clock stands still, so that none waits for too long on a busy machine.
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let zeros = try ContentCodingTests.gzip([UInt8](repeating: 0, count: 1_000_000))
        let small = try ContentCodingTests.gzip([UInt8](repeating: 0x61, count: 100))
        let fields = [("content-encoding", "gzip")]
        let post = Frames.request("POST", "/echo", fields)
        func frames(_ stream: UInt32, _ body: [UInt8]) -> [UInt8] {
            Frames.headers(stream, post, flags: 4) + Frames.frame(0, flags: 1, stream: stream, body)
        }
        // One begins in a turn.
        let silent = try (1...4).map { count in
            let client = try client(server)
            if speaksHTTP2 {
                let window = Frames.settings([(4, 0x7FFF_FFFF)])
                let open = Frames.windowUpdate(0, 0x7000_0000)
                let large = Frames.headers(1, Frames.request("GET", "/large"))
                client.send(Frames.preface + window + open + large + frames(3, zeros))
            } else {
                client.send(Array(getLarge.utf8) + ContentCodingTests.request(zeros))
            }
            #expect(server.wait { $0.requests == 2 * count })
            return client
        }
        #expect(server.wait { $0.answerBytesPending > 0 })
        let other = try #require(TestClient(port: server.port))
        for _ in 0..<20 {
            other.send(ContentCodingTests.request(small))
            #expect(other.receive(until: "a;").hasSuffix("a;"))
        }
        // Over HTTP/2 the bodies are decoded meanwhile.
        #expect((0..<50).contains { _ in server.isIdle })
        guard !speaksHTTP2 else { return }
        #expect(silent[0].receive(until: "\0;").hasSuffix("\0;"))
    }

    /// Who reads stays, however long that takes, and whoever comes and reads nothing.
    @Test func whoReadsStays() throws {
        let server = try server()
        let reader = try client(server)
        reader.send(getLarge)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        /// Reads as much as has all of it read in 30 s, were it the last of a second.
        func readSome() {
            let sent = server.server.counters.bytesOut
            var count = 0
            while count < 500_000 { count += reader.receive()?.count ?? 500_000 }
            #expect(server.wait { $0.bytesOut > sent + 300_000 })
        }
        for number in 1...3 {
            readSome()
            server.advance(by: .seconds(1))
            readSome()
            let silent = try client(server)
            silent.send(getLarge)
            #expect(server.wait { $0.limitHits == number && $0.connectionsOpen == 1 })
        }
        #expect(reader.receive(until: "x;").hasSuffix("x;"))
    }

    /// A stream that is not read, with a byte now and then, keeps no memory that others need.
    @Test func aDripKeepsNoOneOut() throws {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 65_536
        limits.outputBytesMax = 16_384
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        var silent = try #require(HTTP2Client(port: server.port))
        silent.client.send(Frames.settings([(4, 0)]))
        let head = Frames.request("POST", "/echo")
        func ask(_ client: HTTP2Client, _ stream: UInt32) {
            client.client.send(Frames.headers(stream, head, flags: 4))
            client.client.send(Frames.data(stream, String(repeating: "a", count: 10_000)))
        }
        for stream in 0..<UInt32(8) { ask(silent, 2 * stream + 1) }
        // With what each stream has of its own.
        #expect(server.wait { $0.answerBytesPending == 81_920 })
        for _ in 0..<5 {
            server.advance(by: .seconds(5))
            silent.client.send(Frames.windowUpdate(1, 1))
        }
        let other = try #require(HTTP2Client(port: server.port))
        other.client.send(Frames.settings([(4, 0)]))
        for stream in 0..<UInt32(4) { ask(other, 2 * stream + 1) }
        #expect(server.wait { $0.limitHits > 0 && $0.connectionsOpen == 1 })
        silent.receive { _ in false }
        #expect(silent.isClosed)
    }

    /// Who has too many answers of his own to have more waits for himself, not for others.
    @Test func nobodyIsLetGoWhereThereIsMemory() throws {
        var limits = ServerLimits()
        limits.outputBytesMax = 16_384
        limits.writeTimeout = .seconds(3600)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let slow = try client(server)
        slow.send(getLarge)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        // By now it reads too slowly to keep others waiting.
        server.advance(by: .seconds(50))
        let other = try #require(HTTP2Client(port: server.port))
        let large = Frames.headers(1, Frames.request("GET", "/large"))
        let get = Frames.headers(3, Frames.request("GET", "/"))
        other.client.send(Frames.settings([(4, 0)]) + large)
        #expect(server.wait { $0.answerBytesPending > 13_000_000 })
        other.client.send(get)
        for _ in 0..<5 {
            server.advance(by: .milliseconds(200))
            #expect(server.isIdle)
        }
        #expect(server.server.counters.limitHits == 0)
        #expect(slow.receive(until: "x;").hasSuffix("x;"))
    }

    /// Requests that have come at once, before the first was answered, are given back too.
    @Test func noRequestWaitsBehindAnswersThatNoWindowLetsOut() throws {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 65_536
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let silent = try client(server)
        silent.send(getLarge)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        var other = try #require(HTTP2Client(port: server.port))
        let path = "/" + String(repeating: "x", count: 5000)
        let streams = (0..<20).map { UInt32(2 * $0 + 1) }
        let requests = streams.flatMap { Frames.headers($0, Frames.request("GET", path)) }
        other.client.send(Frames.settings([(4, 0)]) + requests)
        // Two answers of 5 KB wait for free, with what their streams have, and a third is let in.
        other.receive { $0.statuses.count == 3 }
        server.advance(by: .seconds(1))
        other.receive { $0.resets.count == 17 }
        let resets = other.reader.resets.values
        #expect(resets.count == 17 && resets.allSatisfy { $0 == 7 })
    }

    /// But not before a client that reads has had time to open a window, nor as long as it does.
    @Test func requestsWaitASecondForAWindow() throws {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 65_536
        // So much that the large answer is not too many for others to be had.
        limits.outputBytesMax = 600_000
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let silent = try client(server)
        silent.send(getLarge)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        var other = try #require(HTTP2Client(port: server.port))
        let large = Frames.headers(1, Frames.request("GET", "/large"))
        let small = [UInt32(3), 5].flatMap { Frames.headers($0, Frames.request("GET", "/")) }
        other.client.send(Frames.settings([(4, 0)]) + large + small)
        other.receive { $0.statuses.count == 1 }
        server.advance(by: .milliseconds(600))
        other.client.send(Frames.windowUpdate(1, 1000))
        other.receive { $0.answers[1]?.body.count == 1000 }
        server.advance(by: .milliseconds(999))
        other.client.send(Frames.ping())
        other.receive { $0.pingAnswerCount == 1 }
        #expect(other.reader.resets.isEmpty)
        // It is looked for ten times a second.
        server.advance(by: .milliseconds(100))
        other.receive { $0.resets.count == 2 }
        #expect(other.reader.resets == [3: 7, 5: 7])
    }

    /// Nothing is said on its connection when others have given memory back.
    @Test(arguments: [false, true])
    func aPieceGoesOnWhenOthersMakeRoom(theyGo: Bool) throws {
        let server = try server()
        var other = try #require(HTTP2Client(port: server.port))
        func echo(_ stream: UInt32) -> [UInt8] {
            let head = Frames.headers(stream, Frames.request("POST", "/echo"), flags: 4)
            return head + Frames.data(stream, String(repeating: "a", count: 10_000))
        }
        let head = Frames.headers(1, Frames.request("POST", "/stream/loud"), flags: 4)
        other.client.send(Frames.settings([(4, 0)]) + head + Frames.windowUpdate(1, 1000))
        other.client.send(Frames.data(1, "abc", flags: 0))
        other.receive { $0.answers[1]?.text == "ABC" }
        // An answer that no window lets out, which waits for free.
        other.client.send(echo(3))
        #expect(server.wait { $0.requests == 2 })
        var silent: TestClient? = try client(server)
        silent?.send(getLarge)
        #expect(server.wait { $0.answerBytesPending > 5_000_000 })
        // With the second one there is no memory for more.
        let before = server.server.counters.bytesIn
        let bytes = echo(5) + Frames.data(1, "def", flags: 0)
        other.client.send(bytes)
        #expect(server.wait { $0.bytesIn == before + bytes.count && $0.requests == 4 })
        if theyGo {
            silent = nil
            #expect(server.wait { $0.connectionsOpen == 1 && $0.answerBytesPending == 0 })
            server.advance(by: .milliseconds(200))
        } else {
            // By now it reads too slowly to keep others waiting.
            server.advance(by: .seconds(50))
        }
        other.receive { $0.answers[1]?.text == "ABCDEF" }
        #expect(other.reader.answers[1]?.text == "ABCDEF")
        let counters = server.server.counters
        #expect(counters.limitHits == (theyGo ? 0 : 1) && counters.timeouts == 0)
        withExtendedLifetime(silent) {}
    }

    @Test func aRequestIsRefusedWhereAnswersHaveAllMemory() throws {
        var machine = try HTTP2Machine { $0.answerBytesPendingMax = 65_536 }
        try #require(machine.context.unread.reserve(65_536))
        machine.body = Array(repeating: 0x78, count: 15_000)
        machine.feed(Frames.settings([(4, 0)]))
        let get = Frames.request("GET", "/")
        for stream: UInt32 in [1, 3, 5] { machine.feed(Frames.headers(stream, get)) }
        // The first two wait for free; the third was not looked at, and its client may try again.
        #expect(machine.requests.count == 2)
        #expect(machine.reader.resets == [5: 7])
        machine.context.unread.release(65_536)
        machine.feed(Frames.headers(7, get))
        #expect(machine.requests.count == 3 && machine.http2.openCount == 3)
    }
}
