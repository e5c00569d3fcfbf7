// SPDX-License-Identifier: MIT

import JSON
import Platform
import Synchronization
import Testing
import Training

struct TrainingLogTests {
    /// Two epochs of 2 and 3 seconds.
    private func log() -> TrainingLog {
        let moments: [Int64] = [1, 3, 6]
        let calls = Atomic<Int>(0)
        let clock = MonotonicClock {
            moments[calls.add(1, ordering: .relaxed).oldValue] * 1_000_000_000
        }
        var log = TrainingLog(framework: "pdm", clock: clock)
        log.recordEpoch(loss: 0.5, prAUC: nil)
        log.recordEpoch(loss: 0.25, prAUC: 0.5)
        return log
    }

    @Test func countsTheSecondsOfEachEpoch() {
        let log = log()
        #expect(log.epochs.map(\.seconds) == [2, 3])
        #expect(log.seconds == 5)
    }

    @Test func readsBackWhatItWrites() throws {
        let log = log()
        let read = try TrainingLog(json: JSONView(log.json))
        #expect(read.framework == "pdm")
        #expect(read.epochs == log.epochs)
    }

    @Test func refusesAnotherFormat() {
        let json: JSONValue = ["format": 2, "framework": "x", "epochs": []]
        #expect(throws: JSONShapeError.self) { try TrainingLog(json: JSONView(json)) }
    }

    @Test(arguments: [(0.0, true), (1e7, true), (1.1e7, false), (-1.0, false)])
    func readsNoEpochLongerThanItCanBe(seconds: Double, isAccepted: Bool) {
        let json: JSONValue = [
            "format": 1, "framework": "x",
            "epochs": [["seconds": .number(seconds), "loss": 0]],
        ]
        #expect(((try? TrainingLog(json: JSONView(json))) != nil) == isAccepted)
    }

    @Test func standsBesideTheBundle() {
        #expect(
            TrainingLog.path(ofBundle: "m/20240102_030405") == "m/20240102_030405.training.json"
        )
    }
}
