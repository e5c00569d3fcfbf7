// SPDX-License-Identifier: MIT

import Testing
import Training

/// Resampling of machines and the figure that is computed of it.
struct MachineBootstrapTests {
    @Test func drawsWholeMachinesAsOftenAsThereAre() {
        let codes: [Int32] = [0, 0, 2, 2, 2, 3]
        let column = CategoryColumn(categories: ["a", "absent", "b", "c"], codes: codes)
        let bootstrap = MachineBootstrap(entities: column, rowCount: 6)
        var seen: Set<[Int32]> = []
        for round in 0..<50 {
            let weights = bootstrap.weights(round: round)
            #expect(
                weights[0] == weights[1] && weights[2] == weights[3] && weights[3] == weights[4]
            )
            #expect(weights[0] + weights[2] + weights[5] == 3)
            #expect(weights == bootstrap.weights(round: round))
            seen.insert(weights)
        }
        #expect(seen.count > 5)
    }

    @Test func countsARowAsOftenAsItWeighs() throws {
        var generator = SeededGenerator(seed: 3)
        for round in 0..<100 {
            let count = 1 + generator.uniform(below: 30)
            // Few distinct scores, so that there are ties.
            let scores = (0..<count).map { _ in Double(generator.uniform(below: 6)) }
            let labels = (0..<count).map { _ in UInt8(generator.uniform(below: 2)) }
            let weights = (0..<count).map { _ in Int32(generator.uniform(below: 3)) }
            let rows = (0..<count).flatMap { row in Array(repeating: row, count: Int(weights[row]))
            }
            let plain = RankingMetrics.averagePrecision(
                scores: rows.map { scores[$0] },
                labels: rows.map { labels[$0] }
            )
            let weighted = RankedRows(scores: scores, labels: labels)
                .averagePrecision(weights: weights)
            guard let plain, let weighted else {
                #expect(plain == nil && weighted == nil, "round \(round)")
                continue
            }
            #expect(abs(plain - weighted) < 1e-12, "round \(round)")
        }
    }
}
