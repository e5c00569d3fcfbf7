// SPDX-License-Identifier: MIT

import Dispatch
import Glibc
@testable import HTTPServer
@testable import InferenceServer
import Synchronization
import Testing

struct BatchLineTests {
    private static let millisecond: Int64 = 1_000_000

    private func line(workers: Int = 1) -> BatchLine {
        BatchLine(workerCount: workers, limits: ServerLimits())
    }

    /// Whether a batch is refused that has waited so long, with others before it that were late.
    private func refuses(_ line: inout BatchLine, wait: Int64, now: Int64) -> Bool? {
        _ = line.add(at: now - wait) { _ in }
        return line.next(at: now)?.isLate
    }

    @Test func givesTheOldestToEachWorker() {
        var line = line(workers: 2)
        let isNeeded = (0..<5).map { line.add(at: $0) { _ in } }
        #expect(isNeeded == [true, true, false, false, false])
        #expect(line.workingCount == 2)
        for _ in 0..<5 { #expect(line.next(at: 10)?.isLate == false) }
        #expect(line.next(at: 10) == nil && line.next(at: 10) == nil)
        #expect(line.workingCount == 0)
    }

    @Test(arguments: [(0, 99, false), (0, 100, true), (1, 200, false)])
    func turnsAwayWhenLateForTheWholeInterval(early: Int64, milliseconds: Int64, isLate: Bool) {
        var line = line()
        let late = 5 * Self.millisecond + 1
        // The first wait is late, or just in time.
        #expect(refuses(&line, wait: late - early, now: late - early) == false)
        let now = late - early + milliseconds * Self.millisecond
        #expect(refuses(&line, wait: late, now: now) == isLate)
        let half = 5 * Self.millisecond / 2
        #expect(refuses(&line, wait: half, now: now) == false)
        #expect(refuses(&line, wait: half + 1, now: now) == isLate)
    }

    /// Batches of 10 ms on average: a wait for four is not late.
    @Test(arguments: [(40_000_000, false), (40_000_001, true)])
    func waitsForAFewHoweverLongTheyTake(wait: Int64, isLate: Bool) {
        var line = line()
        line.note(cost: 10 * Self.millisecond)
        for turn: Int64 in 0...100 {
            let now = wait + turn * Self.millisecond
            #expect(refuses(&line, wait: wait, now: now) == (isLate && turn == 100))
        }
    }

    @Test func takesAllAgainWhenNoneWaits() {
        var line = line()
        for turn: Int64 in 0...100 {
            _ = refuses(&line, wait: 6 * Self.millisecond, now: turn * Self.millisecond)
        }
        let now = 101 * Self.millisecond
        #expect(refuses(&line, wait: 6 * Self.millisecond, now: now) == true)
        #expect(line.next(at: now) == nil)
        // Soon afterwards one late batch is enough, later it is not.
        let soon = now + 99 * Self.millisecond
        #expect(refuses(&line, wait: 6 * Self.millisecond, now: soon) == true)
        #expect(line.next(at: soon) == nil)
        let later = soon + 100 * Self.millisecond
        #expect(refuses(&line, wait: 6 * Self.millisecond, now: later) == false)
    }

    @Test(arguments: ["application/json", "application/x-ndjson"])
    func answers503AndTakesNothingIn(_ type: String) throws {
        let time = TestClock()
        let server = try TestServer(
            arguments: [
                "event-loops": "1", "queue-delay-max": "5ms", "inline-batch-bytes-max": "0",
                "inline-line-bytes-max": "0",
            ],
            clock: time.clock
        )
        let batches = server.application.service.batches
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // The last of them waits for more than four.
        for _ in 0..<6 {
            try #require(batches.budget.reserve(1))
            batches.run(1) { _, _ in
                begun.signal()
                gate.wait()
            }
        }
        begun.wait()
        let reading = TestReading.json(0, hour: 0)
        let body = type == "application/json" ? "[\(reading)]" : reading + "\n"
        let waiting = try server.client()
        waiting.send(TestClient.bytes("POST", "/batch_predict", body: body, type: type))
        while batches.budget.byteCount < 6 + body.utf8.count { usleep(1000) }
        for step: Int64 in 1...5 {
            time.set(10 * step * Self.millisecond)
            gate.signal()
            begun.wait()
        }
        time.set(200 * Self.millisecond)
        gate.signal()
        let refused = try #require(try waiting.receiveAnswer())
        #expect(refused.status == 503 && refused.field("retry-after") == "1")
        #expect(refused.body.contains("wait too long"))
        #expect(server.application.server.counters.requestsShed == 1)
        #expect(server.lines.containing("request_failed").isEmpty)
        let client = try server.client()
        #expect(try client.request("GET", "/metrics").body.contains("\nstate_machines 0\n"))
        let next = try client.request("POST", "/batch_predict", body: body, type: type)
        #expect(next.status == 200)
    }

    /// Whether those that are taken are pieces, until none is left.
    private func taken(_ line: inout BatchLine, at now: Int64) -> [Bool] {
        var pieces: [Bool] = []
        while let next = line.next(at: now) { pieces.append(next.kind == .piece) }
        return pieces
    }

    @Test func takesBatchesAndPiecesInTurn() {
        var line = line()
        for _ in 0..<4 { _ = line.add(at: 0, .piece) { _ in } }
        for _ in 0..<2 { _ = line.add(at: 0) { _ in } }
        #expect(taken(&line, at: 1) == [true, false, true, false, true, true])
        #expect(line.workingCount == 0)
    }

    /// Large readings wait for one batch each, and are not late since all batches are.
    @Test func readingsDoNotWaitForAllBatches() {
        var line = line()
        var readingsTaken = 0
        for turn: Int64 in 0...200 {
            let now = turn * 10 * Self.millisecond
            // Twice as many as can be worked on.
            for _ in 0..<2 { _ = line.add(at: now) { _ in } }
            _ = line.add(at: now - 15 * Self.millisecond, .reading) { _ in }
            while let next = line.next(at: now) {
                if next.kind == .reading {
                    readingsTaken += next.isLate ? 0 : 1
                    line.note(cost: Self.millisecond, .reading)
                } else if !next.isLate {
                    line.note(cost: 9 * Self.millisecond)
                    break
                }
            }
        }
        #expect(readingsTaken >= 200)
    }

    /// Streams that always have a piece ready do not turn away batches that wait for one of them.
    @Test func isNotOverloadedByPieces() {
        var line = line()
        for turn: Int64 in 0...200 {
            let now = turn * Self.millisecond
            for _ in 0..<2 {
                _ = line.add(at: now - 50 * Self.millisecond, .piece) { _ in }
            }
            let next = line.next(at: now)
            #expect(next?.kind == .piece && next?.isLate == false)
        }
        let late = 6 * Self.millisecond
        let now = 201 * Self.millisecond
        _ = line.add(at: now - late) { _ in }
        #expect(line.next(at: now).map { [$0.kind == .piece, $0.isLate] } == [false, false])
    }

    /// Pieces of 10 ms between batches of none: four batches wait for four of them.
    @Test(arguments: [(40_000_000, false), (40_000_001, true)])
    func countsThePiecesThatABatchWaitsFor(wait: Int64, isLate: Bool) {
        var line = line()
        for turn: Int64 in 0...100 {
            let now = wait + turn * Self.millisecond
            _ = line.add(at: now - wait) { _ in }
            _ = line.add(at: now - wait, .piece) { _ in }
            #expect(line.next(at: now)?.kind == .piece)
            line.note(cost: 10 * Self.millisecond, .piece)
            let next = line.next(at: now)
            #expect(next?.kind == .batch)
            line.note(cost: 0)
            if turn > 0 { #expect(next?.isLate == (isLate && turn >= 100)) }
        }
    }

    /// Dispatch has as many threads for such work as there are cores.
    @Test func doesNotKeepAnswersFromBeingEncoded() throws {
        let server = try TestServer(
            arguments: ["event-loops": "auto", "inline-batch-bytes-max": "0"]
        )
        let batches = server.application.service.batches
        let isOver = Atomic(false)
        @Sendable func addPiece() {
            guard !isOver.load(ordering: .relaxed), batches.budget.reserve(1) else { return }
            batches.run(1, .piece) { _, _ in
                usleep(1000)
                addPiece()
            }
        }
        for _ in 0..<4 * server.application.server.loopCount { addPiece() }
        defer { isOver.store(true, ordering: .relaxed) }
        let rows = (0..<40).map { TestReading.json($0, hour: 0) }.joined(separator: ",")
        let client = try server.client()
        client.send(
            TestClient.bytes(
                "POST",
                "/batch_predict",
                body: "[\(rows)]",
                fields: ["Accept-Encoding: gzip"]
            )
        )
        let answer = try #require(try client.receiveAnswer())
        #expect(answer.status == 200 && answer.field("content-encoding") == "gzip")
    }

    /// Else a refusal, which takes no time, would have the turn of a batch.
    @Test func oneThatIsTurnedAwayTakesNoTurn() {
        var line = line()
        for turn: Int64 in 0...100 {
            _ = refuses(&line, wait: 6 * Self.millisecond, now: turn * Self.millisecond)
        }
        let now = 101 * Self.millisecond
        for wait: Int64 in [6, 5, 4, 0] { _ = line.add(at: now - wait * Self.millisecond) { _ in } }
        for _ in 0..<2 { _ = line.add(at: now, .piece) { _ in } }
        let taken = (0..<6).map { _ in line.next(at: now).map { [$0.kind == .piece, $0.isLate] } }
        let (piece, late, batch) = ([true, false], [false, true], [false, false])
        #expect(taken == [piece, late, late, late, batch, piece])
    }
}
