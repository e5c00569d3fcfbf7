// SPDX-License-Identifier: MIT

import JSON
import Testing

@testable import Training

struct CurveBandsTests {
    /// Machines of ten rows each, of which some are better foreseen than others.
    private func rows(machines: Int) -> (probabilities: [Double], labels: [UInt8], CategoryColumn) {
        var generator = SeededGenerator(seed: 5)
        var (probabilities, labels, codes) = ([Double](), [UInt8](), [Int32]())
        for machine in 0..<machines {
            let skill = generator.uniform()
            for row in 0..<10 {
                let label: UInt8 = row >= 7 ? 1 : 0
                let value = generator.uniform() + skill * Double(label)
                probabilities.append((value / 2 * 50).rounded() / 50)
                labels.append(label)
                codes.append(Int32(machine))
            }
        }
        let names = (0..<machines).map { "m\($0)" }
        return (probabilities, labels, CategoryColumn(categories: names, codes: codes))
    }

    @Test func curvesPassThroughTheirThresholds() throws {
        // Thresholds 0.9, 0.5, 0.1: (0, 1/2), (1/2, 1/2), (1, 1); precision 1, 1/2, 1/2.
        let bands = try #require(
            CurveBands(probabilities: [0.9, 0.5, 0.1, 0.1], labels: [1, 0, 1, 0], machines: nil)
        )
        #expect(bands.units == 4 && bands.roc.count == 51 && bands.draws > 100)
        #expect(bands.roc[0].value == 0.5 && bands.roc[25].value == 0.5)
        #expect(abs(bands.roc[50].value - 1) < 1e-12 && bands.roc[50].place == 1)
        #expect(bands.precisionRecall[25].value == 1 && bands.precisionRecall[26].value == 0.5)
        #expect(bands.precisionRecall[50].value == 0.5)
    }

    @Test func bandsHoldTheScoresAndAreWiderByMachine() throws {
        let (probabilities, labels, machines) = rows(machines: 30)
        let bands = try #require(
            CurveBands(probabilities: probabilities, labels: labels, machines: machines)
        )
        let rocAUC = try #require(RankingMetrics.rocAUC(scores: probabilities, labels: labels))
        let prAUC = try #require(
            RankingMetrics.averagePrecision(scores: probabilities, labels: labels)
        )
        #expect(bands.rocAUC.contains(rocAUC) && bands.prAUC.contains(prAUC))
        for point in bands.roc + bands.precisionRecall { #expect(point.low <= point.high) }
        let (again, _, _) = rows(machines: 30)
        #expect(CurveBands(probabilities: again, labels: labels, machines: machines) == bands)
        #expect(bands.json["units"] == 30)
    }

    @Test func needsTwoMachinesAndBothClasses() {
        let one = CategoryColumn(categories: ["m"], codes: [0, 0])
        #expect(CurveBands(probabilities: [0.1, 0.9], labels: [0, 1], machines: one) == nil)
        #expect(CurveBands(probabilities: [0.1, 0.9], labels: [0, 0], machines: nil) == nil)
        #expect(CurveBands(probabilities: [0.1, 0.9], labels: [0, 1], machines: nil) != nil)
    }
}
