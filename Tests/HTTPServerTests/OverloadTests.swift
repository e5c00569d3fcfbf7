// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// The decision to shed, on a clock that the test sets.
struct OverloadTests {
    private static let millisecond: Int64 = 1_000_000

    /// Takes note of turns that end every millisecond, each with that delay.
    private func note(
        _ detector: inout OverloadDetector,
        from start: Int64,
        count: Int64,
        delay: Int64
    ) {
        for turn in 0..<count {
            let now = (start + turn) * Self.millisecond
            detector.note(delay: delay, turn: delay, now: now)
        }
    }

    @Test func shedsOnceItHasBeenLateForTheWholeInterval() {
        var detector = OverloadDetector(limits: ServerLimits())
        let late = 5 * Self.millisecond + 1
        note(&detector, from: 0, count: 100, delay: late)
        #expect(!detector.isShedding)
        let isEarly = detector.sheds(delay: late, sinceTurn: late)
        #expect(!isEarly)
        note(&detector, from: 100, count: 1, delay: late)
        #expect(detector.isShedding)
        // Who has waited for half as long is served.
        let half = 5 * Self.millisecond / 2
        let isInTime = !detector.sheds(delay: half, sinceTurn: 0)
        let isLate = detector.sheds(delay: half + 1, sinceTurn: 0)
        #expect(isInTime && isLate)
    }

    /// 100 requests in a turn of 6 ms cost 60 us each, 120 cost 50 and 121 less than that.
    @Test(arguments: [(100, true), (120, true), (121, false), (600, false)])
    func shedsOnlyWhatCostsMoreThanARefusal(_ served: Int, _ isShedding: Bool) {
        var detector = OverloadDetector(limits: ServerLimits())
        for turn in 0...100 {
            for _ in 0..<served { detector.noteServed() }
            note(&detector, from: Int64(turn), count: 1, delay: 6 * Self.millisecond)
        }
        #expect(detector.isShedding == isShedding)
    }

    /// Ten requests in 5.1 ms, then refusals for as long again: the cost is that of the ten.
    @Test(arguments: [(10, true), (200, false)])
    func leavesRefusalsOutOfTheCost(_ served: Int, _ isShedding: Bool) {
        var detector = OverloadDetector(limits: ServerLimits())
        note(&detector, from: 0, count: 101, delay: 6 * Self.millisecond)
        for _ in 0..<served { detector.noteServed() }
        let delay = 5 * Self.millisecond + 100_000
        let isShed = detector.sheds(delay: delay, sinceTurn: delay)
        #expect(isShed)
        note(&detector, from: 101, count: 1, delay: 30 * Self.millisecond)
        #expect(detector.isShedding == isShedding)
    }

    @Test func answers503ToWhoHasWaitedTooLong() throws {
        var limits = ServerLimits()
        limits.queueDelayInterval = .milliseconds(6)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port))
        // On this clock a request takes 6 ms, the time of many turns, and the others of its
        // connection wait for the next; the third turn sheds all that are left.
        let request = "GET /slow HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-1\r\n\r\n"
        // A turn that is not late ends the lateness.
        for _ in 0..<3 {
            client.send(request + request)
            let answers = client.receive(until: "slow;", count: 2)
            #expect(statuses(of: answers) == [200, 200])
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(statuses(of: client.receive(until: "now;")) == [200])
        }
        #expect(server.server.counters.requestsShed == 0)
        // The first turn comes back to the connection once: it takes two of the four.
        client.send(String(repeating: request, count: 4))
        let answers = client.receive(until: "}")
        #expect(statuses(of: answers) == [200, 200, 200, 503])
        #expect(answers.contains("retry-after: 1\r\n"))
        #expect(answers.contains(#""instance":"/slow","request_id":"id-1""#))
        #expect(server.server.counters.requestsShed == 1)
    }

    /// What is refused before its body has come costs no more for that; what follows is answered.
    @Test func refusesWithoutReadingTheBody() throws {
        var limits = ServerLimits()
        limits.queueDelayInterval = .milliseconds(6)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port))
        let slow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
        let post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n"
        let body = String(repeating: "x", count: 39_999) + "."
        client.send(String(repeating: slow, count: 4) + post)
        let answers = client.receive(until: "}", count: 2)
        #expect(statuses(of: answers) == [200, 200, 200, 503, 503])
        // The body comes in pieces after its refusal, and in one with the request behind it.
        for piece in 0..<3 { client.send(String(repeating: "x", count: 10_000 + piece)) }
        client.send(String(repeating: "x", count: 9996) + "." + post + body)
        #expect(client.receive(until: ".;").hasSuffix(body + ";"))
        #expect(server.server.counters.requestsShed == 2)
    }

    /// A client that wants its connection closed has it closed, with its answer and no second one.
    @Test func closesAfterARefusalWithoutTheBody() throws {
        var limits = ServerLimits()
        limits.queueDelayInterval = .milliseconds(6)
        limits.bodyTimeout = .milliseconds(200)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port))
        let slow = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n"
        client.send(
            String(repeating: slow, count: 4)
                + "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                + "Content-Length: 40000\r\n\r\n" + String(repeating: "x", count: 5000)
        )
        let answers = client.receive(until: "}", count: 2)
        #expect(statuses(of: answers) == [200, 200, 200, 503, 503])
        #expect(answers.contains("connection: close\r\n"))
        // The rest of the body never comes: nothing is waited for, nor is there a second answer.
        server.handler.time.advance(by: .seconds(120))
        let other = try #require(TestClient(port: server.port))
        for _ in 0..<2 {
            other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(statuses(of: other.receive(until: "now;")) == [200])
        }
        #expect(client.receiveAll().isEmpty)
        #expect(server.server.counters.timeouts == 0)
    }

    /// Requests that wait from turn to turn are late however short the turns are.
    @Test func countsTheWaitOverTurns() {
        var detector = OverloadDetector(limits: ServerLimits())
        for turn in 0...100 {
            for _ in 0..<5 { detector.noteServed() }
            let now = Int64(turn) * Self.millisecond
            detector.note(delay: 6 * Self.millisecond, turn: 300_000, now: now)
        }
        #expect(detector.isShedding)
    }

    @Test func letsABurstPass() {
        var detector = OverloadDetector(limits: ServerLimits())
        let late = 50 * Self.millisecond
        note(&detector, from: 0, count: 99, delay: late)
        #expect(detector.isLate)
        note(&detector, from: 99, count: 1, delay: 5 * Self.millisecond)
        #expect(!detector.isLate)
        note(&detector, from: 100, count: 99, delay: late)
        #expect(!detector.isShedding)
    }

    @Test func shedsUntilThereIsNothingToDo() {
        var detector = OverloadDetector(limits: ServerLimits())
        note(&detector, from: 0, count: 200, delay: 6 * Self.millisecond)
        note(&detector, from: 200, count: 10, delay: Self.millisecond)
        #expect(detector.isShedding)
        detector.noteIdle(now: 210 * Self.millisecond)
        #expect(!detector.isShedding && !detector.isLate)
        // Soon afterwards one late turn is enough, later it is not.
        note(&detector, from: 309, count: 1, delay: 6 * Self.millisecond)
        #expect(detector.isShedding)
        detector.noteIdle(now: 400 * Self.millisecond)
        note(&detector, from: 500, count: 1, delay: 6 * Self.millisecond)
        #expect(!detector.isShedding)
    }
}
