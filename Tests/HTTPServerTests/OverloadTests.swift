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
            detector.note(delay: delay, now: (start + turn) * Self.millisecond)
        }
    }

    @Test func shedsOnceItHasBeenLateForTheWholeInterval() {
        var detector = OverloadDetector(limits: ServerLimits())
        let late = 5 * Self.millisecond + 1
        note(&detector, from: 0, count: 100, delay: late)
        #expect(!detector.isShedding)
        #expect(!detector.sheds(delay: late))
        note(&detector, from: 100, count: 1, delay: late)
        #expect(detector.isShedding)
        #expect(detector.sheds(delay: late))
        // Who has waited for less is served.
        #expect(!detector.sheds(delay: 5 * Self.millisecond))
    }

    @Test func answers503ToWhoHasWaitedTooLong() throws {
        var limits = ServerLimits()
        limits.queueDelayInterval = .milliseconds(6)
        let server = try TestServer(loops: 1, limits: limits, hasTestClock: true)
        let client = try #require(TestClient(port: server.port))
        // On this clock a request takes 6 ms, so that one which comes with another is late.
        let request = "GET /slow HTTP/1.1\r\nHost: a\r\nX-Request-ID: id-1\r\n\r\n"
        for _ in 0..<2 {
            client.send(request)
            #expect(client.receive(until: "slow;").hasSuffix("slow;"))
        }
        client.send(request + request)
        let answers = client.receive(until: "}")
        #expect(statuses(of: answers) == [200, 503])
        #expect(answers.contains("retry-after: 1\r\n"))
        #expect(answers.contains(#""instance":"/slow","request_id":"id-1""#))
        #expect(server.server.counters.requestsShed == 1)
    }

    @Test func letsABurstPass() {
        var detector = OverloadDetector(limits: ServerLimits())
        let late = 50 * Self.millisecond
        note(&detector, from: 0, count: 99, delay: late)
        note(&detector, from: 99, count: 1, delay: 5 * Self.millisecond)
        note(&detector, from: 100, count: 99, delay: late)
        #expect(!detector.isShedding)
    }

    @Test func stopsSheddingWithTheFirstTurnInTime() {
        var detector = OverloadDetector(limits: ServerLimits())
        note(&detector, from: 0, count: 200, delay: 6 * Self.millisecond)
        #expect(detector.isShedding)
        detector.note(delay: 5 * Self.millisecond, now: 200 * Self.millisecond)
        #expect(!detector.isShedding)
    }
}
