// SPDX-License-Identifier: MIT

import FoundationEssentials
import Testing

@testable import Training

struct ClassificationMetricsTests {
    /// What scikit-learn says, from Fixtures/classification_metrics.json.
    private struct Golden: Decodable {
        struct File: Decodable { var cases: [Golden] }
        var name: String
        var labels: [UInt8]
        var probabilities: [Double]
        var threshold: Double
        var confusion: [Int]
        var accuracy: Double
        var precision: [Double]
        var recall: [Double]
        var f1: [Double]
        var support: [Int]
        var macro: [Double]
        var weighted: [Double]
        var rocAUC: Double?
        var prAUC: Double?
        var weights: [Int32]
        var weightedRocAUC: Double?
        var weightedPrAUC: Double?
        var logLoss: Double
        var brier: Double
    }

    private func expectEqual(_ actual: Double?, _ expected: Double?, _ name: String) {
        guard let actual, let expected else {
            #expect(actual == nil && expected == nil, "\(name)")
            return
        }
        #expect(abs(actual - expected) <= 1e-12 * max(1, abs(expected)), "\(name)")
    }

    @Test func equalScikitLearn() throws {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let path = "/\(folder)/Fixtures/classification_metrics.json"
        let data = try Data(contentsOf: URL(filePath: path))
        let cases = try JSONDecoder().decode(Golden.File.self, from: data).cases
        #expect(cases.count == 15)
        for golden in cases {
            let metrics = try #require(
                ClassificationMetrics(
                    probabilities: golden.probabilities,
                    labels: golden.labels,
                    threshold: golden.threshold
                )
            )
            let confusion = [
                metrics.trueNegatives, metrics.falsePositives,
                metrics.falseNegatives, metrics.truePositives,
            ]
            #expect(confusion == golden.confusion, "\(golden.name)")
            expectEqual(metrics.accuracy, golden.accuracy, golden.name)
            for (index, scores) in metrics.classes.enumerated() {
                expectEqual(scores.precision, golden.precision[index], golden.name)
                expectEqual(scores.recall, golden.recall[index], golden.name)
                expectEqual(scores.f1, golden.f1[index], golden.name)
                #expect(scores.support == golden.support[index])
            }
            let averages = [
                (metrics.macroAverage, golden.macro), (metrics.weightedAverage, golden.weighted),
            ]
            for (average, expected) in averages {
                expectEqual(average.precision, expected[0], golden.name)
                expectEqual(average.recall, expected[1], golden.name)
                expectEqual(average.f1, expected[2], golden.name)
            }
            expectEqual(metrics.rocAUC, golden.rocAUC, golden.name)
            expectEqual(metrics.prAUC, golden.prAUC, golden.name)
            expectEqual(metrics.logLoss, golden.logLoss, golden.name)
            expectEqual(metrics.brier, golden.brier, golden.name)
            expectWeighted(golden)
        }
    }

    /// As `sample_weight` does it, both ways in which rows are weighed here.
    private func expectWeighted(_ golden: Golden) {
        let curves = CurveBands.Curves(
            CurveBands.Rows(golden.probabilities, golden.labels, machines: nil),
            weights: golden.weights.map(Double.init)
        )
        expectEqual(curves?.rocAUC, golden.weightedRocAUC, golden.name)
        expectEqual(curves?.prAUC, golden.weightedPrAUC, golden.name)
        let rows = RankedRows(scores: golden.probabilities, labels: golden.labels)
        guard let expected = golden.weightedPrAUC else { return }
        expectEqual(rows.averagePrecision(weights: golden.weights), expected, golden.name)
    }

    @Test func noRowsHaveNoMetrics() {
        #expect(ClassificationMetrics(probabilities: [], labels: []) == nil)
    }

    @Test func ratesAreHandComputed() throws {
        let metrics = try #require(
            ClassificationMetrics(
                probabilities: [0.1, 0.5, 0.9, 0.2, 0.8],
                labels: [0, 0, 1, 1, 1]
            )
        )
        #expect(metrics.falsePositiveRate == 0.5)
        #expect(metrics.falseNegativeRate == 1.0 / 3)
        #expect(metrics.accuracy == 0.6)
        // Five of the six pairs are in order, but 0.2 lies below 0.5.
        #expect(metrics.rocAUC == 5.0 / 6)
    }

    @Test func oneClassHasNoRateOfTheOther() throws {
        let metrics = try #require(ClassificationMetrics(probabilities: [0.9], labels: [0]))
        #expect(metrics.falsePositiveRate == 1)
        #expect(metrics.falseNegativeRate == nil)
        #expect(metrics.rocAUC == nil)
        #expect(metrics.prAUC == nil)
    }

    @Test func areasDoNotDependOnTheOrderOfRows() {
        var generator = SeededGenerator(seed: 17)
        var rows = (0..<500).map { _ in
            (
                score: (generator.uniform() * 20).rounded() / 20,
                label: UInt8(generator.uniform(below: 2))
            )
        }
        func areas() -> [Double?] {
            [
                RankingMetrics.rocAUC(scores: rows.map(\.score), labels: rows.map(\.label)),
                RankingMetrics.averagePrecision(
                    scores: rows.map(\.score),
                    labels: rows.map(\.label)
                ),
            ]
        }
        let before = areas()
        generator.shuffle(&rows)
        #expect(areas() == before)
    }

    @Test func reportStandsInColumns() throws {
        let metrics = try #require(
            ClassificationMetrics(
                probabilities: [0.1, 0.6, 0.9, 0.2],
                labels: [0, 0, 1, 1]
            )
        )
        let expected = """
                                       precision          recall        f1-score         support
            normal                        0.5000          0.5000          0.5000               2
            failure                       0.5000          0.5000          0.5000               2

            accuracy                                                      0.5000               4
            macro average                 0.5000          0.5000          0.5000               4
            weighted average              0.5000          0.5000          0.5000               4

            confusion              called normal  called failure
            normal                             1               1
            failure                            1               1

            ROC-AUC                       0.7500
            PR-AUC                        0.8333
            false positive rate           0.5000
            false negative rate           0.5000
            log loss                      0.6841
            Brier score                   0.2550

            """
        #expect(metrics.report() == expected)
    }
}
