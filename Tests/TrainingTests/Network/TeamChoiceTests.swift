// SPDX-License-Identifier: MIT

import Testing

@testable import Training

struct TeamChoiceTests {
    /// The numbers of threads of some blocks, where `seconds` tells how long a row takes by them.
    private func run(
        _ choice: inout TeamChoice,
        blocks: Int,
        seconds: (Int) -> Double
    ) -> [Int] {
        (0..<blocks).map { _ in
            let count = choice.threadCount
            choice.record(rows: 100, seconds: 100 * seconds(count))
            return count
        }
    }

    private func mostFrequent(_ counts: [Int]) -> Int? {
        Set(counts).max { a, b in counts.count { $0 == a } < counts.count { $0 == b } }
    }

    @Test func triesEachNumberTwiceAndKeepsTheFastest() {
        var choice = TeamChoice(most: 8)
        let counts = run(&choice, blocks: 8) { 1 / Double($0) }
        #expect(counts == [1, 1, 2, 2, 4, 4, 8, 8])
        #expect(mostFrequent(run(&choice, blocks: 100) { 1 / Double($0) }) == 8)
    }

    @Test func doesNotGoOnWhereTwiceTheThreadsGainLittle() {
        var choice = TeamChoice(most: 8)
        let seconds = [1: 1.0, 2: 0.6, 4: 0.57, 8: 0.1]
        let counts = run(&choice, blocks: 100) { seconds[$0] ?? 1 }
        #expect(mostFrequent(counts) == 2)
        #expect(!counts.contains(8))
    }

    @Test func staysWithOneThreadWhereASecondLoses() {
        var choice = TeamChoice(most: 2)
        let counts = run(&choice, blocks: 120) { $0 == 1 ? 1 : 1.7 }
        #expect(mostFrequent(counts) == 1)
        // Two at first, then one trial in a dozen.
        #expect(counts.count { $0 == 2 } <= 2 + 120 / 12)
    }

    @Test func followsAChange() {
        var choice = TeamChoice(most: 2)
        _ = run(&choice, blocks: 50) { $0 == 1 ? 1 : 1.7 }
        #expect(choice.threadCount == 1)
        #expect(mostFrequent(run(&choice, blocks: 100) { $0 == 1 ? 1 : 0.5 }) == 2)
        #expect(mostFrequent(run(&choice, blocks: 100) { $0 == 1 ? 1 : 1.7 }) == 1)
    }

    @Test(arguments: [(1, [1]), (3, [1, 2, 3]), (6, [1, 2, 4, 6])])
    func endsWithTheMost(most: Int, expected: [Int]) {
        var choice = TeamChoice(most: most)
        let counts = run(&choice, blocks: 60) { 1 / Double($0 * $0) }
        #expect(Set(counts) == Set(expected))
    }

    @Test func aBlockTakesSomeMilliseconds() {
        var choice = TeamChoice(most: 2)
        #expect(choice.steps(batchSize: 128) == 1)
        choice.record(rows: 128, seconds: 100e-6)
        #expect(choice.steps(batchSize: 128) == 50)
        choice.record(rows: 128, seconds: 3)
        choice.record(rows: 128, seconds: 3)
        #expect(choice.steps(batchSize: 128) == 1)
        // A clock that stands still.
        choice.record(rows: 128, seconds: 0)
        #expect((1...5000).contains(choice.steps(batchSize: 128)))
    }
}
