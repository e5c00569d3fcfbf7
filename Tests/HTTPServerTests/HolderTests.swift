// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// Clients that do not read, and have memory of which others find none.
@Suite(.serialized) struct HolderTests {
    private func client(_ server: TestServer) throws -> TestClient {
        try #require(TestClient(port: server.port, receiveBytes: 4096))
    }

    /// Who has memory that others want is slow where all of it would take more than 30 s.
    @Test func looksAtThePaceOfTheLastSecond() {
        let second: Int64 = 1_000_000_000
        var pace = ReadingPace()
        var now: Int64 = 1
        /// What is found each second of a client that reads so many bytes in it, of 3 MB.
        func looks(_ byteCounts: Int...) -> [Int] {
            byteCounts.map { byteCount in
                pace.didSend(byteCount)
                now += second
                return pace.look(byteCount: 3_000_000, at: now)
            }
        }
        #expect(looks(0, 99_999, 0, 100_000, 99_999, 99_999) == [0, 1, 2, 0, 1, 2])
        #expect(pace.recentByteCount > 200_000)
        // That they begin to wait anew between two looks is no excuse.
        pace.follow(isWaiting: false, at: 2)
        pace.follow(isWaiting: true, at: 3)
        #expect(looks(0, 1_000_000) == [3, 0])
        // What was before a time without looks has nothing to do with them.
        now += second
        #expect(looks(0, 0) == [0, 1])
        #expect(pace.recentByteCount == 0)
    }

    /// Asks for an answer of 8 MB that has memory of its own, over HTTP/2 where frames are given
    /// that set its windows, and waits until some of it has gone out.
    private func askForReservedAnswer(
        _ client: TestClient,
        _ windows: [UInt8]?,
        in budget: ByteBudget,
        of server: TestServer
    ) throws {
        let before = server.server.counters.bytesOut
        if let windows {
            let get = Frames.headers(1, Frames.request("GET", "/held"))
            client.send(Frames.preface + windows + get)
        } else {
            client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        #expect(server.wait { $0.requestsDeferred == 1 })
        var answer = TestHandler.answer(String(repeating: "x", count: 8_000_000) + ";")
        answer.reservation = TestReservation(answer.body.count, of: budget)
        server.handler.release(answer)
        #expect(server.wait { $0.requestsDeferred == 0 && $0.bytesOut > before })
    }

    /// Lets a second pass, and turns in which the loops look: of two each has a client but in one
    /// of two hundred cases.
    private func look(_ server: TestServer, clients count: Int = 1) throws {
        server.advance(by: .seconds(1))
        for _ in 0..<count {
            let other = try #require(TestClient(port: server.port))
            for _ in 0..<2 {
                other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(other.receive(until: "now;").hasSuffix("now;"))
            }
        }
    }

    /// Where others find none of it, what is read slowly has no more of that memory than the bound
    /// on all other answers: who has been slow for longest goes, though nothing comes there.
    @Test(arguments: [false, true])
    func whatIsReservedIsNotHeldForLong(speaksHTTP2: Bool) throws {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 12_000_000
        limits.writeTimeout = .seconds(3600)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let windows = speaksHTTP2 ? Frames.settings([(4, 0)]) : nil
        let budget = ByteBudget(byteCountMax: 100_000_000)
        let first = try client(server)
        try askForReservedAnswer(first, windows, in: budget, of: server)
        // One alone is below the bound.
        budget.want()
        for _ in 0..<4 { try look(server) }
        #expect(server.server.counters.limitHits == 0)
        // Of two the first goes.
        let second = try client(server)
        try askForReservedAnswer(second, windows, in: budget, of: server)
        for _ in 0..<2 { try look(server) }
        #expect(server.server.counters.limitHits == 1 && budget.byteCount == 8_000_001)
        for _ in 0..<3 { try look(server) }
        #expect(server.server.counters.limitHits == 1)
        if !speaksHTTP2 {
            #expect(!first.receiveAll().hasSuffix("x;"))
            #expect(second.receive(until: "x;").hasSuffix("x;"))
        }
    }

    /// Who is let go leaves memory to the others: nobody goes once half of it is free.
    @Test func nobodyIsLetGoOnceHalfIsFree() throws {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 1_000_000
        limits.writeTimeout = .seconds(3600)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let budget = ByteBudget(byteCountMax: 20_000_000)
        let silent = try (0..<2).map { _ in
            let client = try client(server)
            try askForReservedAnswer(client, Frames.settings([(4, 0)]), in: budget, of: server)
            return client
        }
        budget.want()
        for _ in 0..<4 { try look(server) }
        #expect(server.server.counters.limitHits == 1 && budget.byteCount == 8_000_001)
        withExtendedLifetime(silent) {}
    }

    /// Memory of answers is no different, though it is read fast enough not to be let go at once.
    @Test func whoReadsLittleKeepsNoOthersAnswersOut() throws {
        var limits = ServerLimits()
        limits.answerBytesPendingMax = 1_000_000
        limits.writeTimeout = .seconds(3600)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let large = Frames.headers(1, Frames.request("GET", "/large"))
        let get = Frames.settings([(4, 0)]) + large + Frames.windowUpdate(0, 10_000_000)
        let slow = try client(server)
        slow.send(Frames.preface + get)
        #expect(server.wait { $0.answerBytesPending > 7_000_000 })
        // This one reads as fast as it should, and there is no memory for what it has not read.
        var other = try #require(HTTP2Client(port: server.port))
        other.client.send(get)
        other.receive { $0.statuses[1] == 200 }
        for second in 1...4 {
            slow.send(Frames.windowUpdate(1, 100_000))
            other.client.send(Frames.windowUpdate(1, 400_000))
            other.receive { $0.answers[1]?.body.count == second * 400_000 }
            try look(server)
        }
        #expect(server.wait { $0.connectionsOpen == 1 })
        other.client.send(Frames.windowUpdate(1, 8_000_000))
        other.receive { $0.answers[1]?.isComplete == true }
        #expect(other.reader.answers[1]?.body.count == 8_000_001)
    }

    /// All loops together leave half of it to those who read.
    @Test(arguments: [(32_000_004, 0), (32_000_003, 1)])
    func loopsShareWhatSlowReadersMayHave(byteCountMax: Int, count: Int) throws {
        var limits = ServerLimits()
        limits.writeTimeout = .seconds(3600)
        let server = try TestServer(loops: 2, limits: limits, hasTestClock: true)
        let budget = ByteBudget(byteCountMax: byteCountMax)
        let silent = try client(server)
        try askForReservedAnswer(silent, nil, in: budget, of: server)
        budget.want()
        for _ in 0..<8 { try look(server, clients: 8) }
        #expect(server.server.counters.limitHits == count)
    }

    /// Bodies that wait behind answers are no better, whether nobody reads those or they would be
    /// read in 30 s and the bodies' memory would not.
    @Test(arguments: [0, 1500])
    func whoReadsLittleKeepsNoOthersBodiesOut(bytesPerSecond: UInt32) throws {
        var limits = ServerLimits()
        limits.bodyBytesPendingMax = 1 << 20
        limits.outputBytesMax = 1024
        limits.writeTimeout = .seconds(3600)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let slow = try #require(HTTP2Client(port: server.port))
        // An answer of more than may wait, and behind it a request that has to.
        slow.client.send(Frames.settings([(4, 0)]))
        slow.client.send(Frames.headers(1, Frames.request("GET", "/held")))
        #expect(server.wait { $0.requestsDeferred == 1 })
        server.handler.release(TestHandler.answer(String(repeating: "x", count: 30_000)))
        #expect(server.wait { $0.requestsDeferred == 0 })
        let body = [UInt8](repeating: 0x61, count: 16_384)
        slow.client.send(Frames.headers(3, Frames.request("POST", "/echo"), flags: 4))
        for number in 0..<60 {
            slow.client.send(Frames.frame(0, flags: number == 59 ? 1 : 0, stream: 3, body))
        }
        #expect(server.wait { $0.bodyBytesPending > 900_000 })
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n"
        func ask() throws -> String {
            let other = try #require(TestClient(port: server.port))
            other.send(head + String(repeating: "b", count: 200_000))
            return other.receive(until: "\r\n")
        }
        #expect(try ask().hasPrefix("HTTP/1.1 503"))
        let refused = server.server.counters.limitHits
        for _ in 0..<4 {
            let before = server.server.counters.bytesOut
            if bytesPerSecond > 0 {
                slow.client.send(Frames.windowUpdate(1, bytesPerSecond))
                #expect(server.wait { $0.bytesOut >= before + Int(bytesPerSecond) })
            }
            try look(server)
            guard server.server.counters.bodyBytesPending > 0 else { break }
        }
        #expect(server.wait { $0.bodyBytesPending == 0 && $0.limitHits == refused + 1 })
        #expect(try ask().hasPrefix("HTTP/1.1 200"))
    }

    /// The memory of an answer follows its bytes when it is encoded.
    @Test func whatIsEncodedHasNoMoreMemoryThanItsBytes() throws {
        let server = try TestServer(loops: 1)
        let client = try client(server)
        client.send("GET /held HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
        #expect(server.wait { $0.requestsDeferred == 1 })
        let budget = ByteBudget(byteCountMax: 10_000_000)
        var answer = TestHandler.answer(String(repeating: "x", count: 1_000_000))
        // So many bytes that the socket does not take them all.
        for index in 0..<400_000 { answer.body[index] = UInt8.random(in: 0...255) }
        answer.reservation = TestReservation(answer.body.count, of: budget)
        server.handler.release(answer)
        answer.reservation = nil
        #expect(server.wait { $0.requestsDeferred == 0 && $0.bytesOut > 0 })
        #expect((1...500_000).contains(budget.byteCount))
    }
}
