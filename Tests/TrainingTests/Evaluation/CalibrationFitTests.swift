// SPDX-License-Identifier: MIT

import ModelRuntime
import Testing

@testable import Training

struct CalibrationFitTests {
    /// Logits whose true log-odds are `slope` x logit + `offset`.
    private func sample(
        _ count: Int,
        slope: Double,
        offset: Double,
        seed: UInt64 = 3
    ) -> HeldOutLogits {
        var generator = SeededGenerator(seed: seed)
        var rows = HeldOutLogits()
        for row in 0..<count {
            let logit = Float(generator.normal() * 2)
            let truth = PortableMath.sigmoid(slope * Double(logit) + offset)
            rows.append(
                logit: logit,
                label: generator.uniform() < truth ? 1 : 0,
                fold: row % 5
            )
        }
        return rows
    }

    @Test func plattFindsTheLine() throws {
        let rows = sample(20_000, slope: 1.5, offset: -2)
        guard case .platt(let slope, let offset) = rows.calibrator(.platt) else {
            Issue.record("no line was kept")
            return
        }
        #expect(abs(slope - 1.5) < 0.1 && abs(offset + 2) < 0.1)
    }

    @Test func plattIsWhereTheGradientVanishes() throws {
        let rows = sample(500, slope: 0.7, offset: 1)
        let fitted = try #require(PlattFit.calibrator(logits: rows.logits, labels: rows.labels))
        let positives = Double(rows.labels.count { $0 == 1 })
        let negatives = Double(rows.labels.count) - positives
        var gradient = (0.0, 0.0)
        for (logit, label) in zip(rows.logits, rows.labels) {
            let target = label == 1 ? (positives + 1) / (positives + 2) : 1 / (negatives + 2)
            let error = fitted.probability(ofLogit: logit) - target
            gradient = (gradient.0 + error * Double(logit), gradient.1 + error)
        }
        #expect(abs(gradient.0) < 1e-4 && abs(gradient.1) < 1e-4)
    }

    @Test func plattEndsOnSeparatedClasses() throws {
        let logits = (-50...50).map { Float($0) * 4 }
        let labels = logits.map { $0 > 0 ? 1 : 0 as UInt8 }
        let fitted = try #require(PlattFit.calibrator(logits: logits, labels: labels))
        #expect(fitted.probability(ofLogit: 200) > 0.95)
        #expect(fitted.probability(ofLogit: -200) < 0.05)
    }

    @Test func keepsNoLineThatFalls() {
        let rows = sample(2000, slope: -1, offset: 0)
        #expect(PlattFit.calibrator(logits: rows.logits, labels: rows.labels) == nil)
        #expect(rows.calibrator(.platt) == .identity)
    }

    @Test func isotonicPoolsNeighboursThatFall() {
        // 0 | 1 0 0 | 1 at the rising logits: the middle three pool to a third.
        let fitted = IsotonicFit.calibrator(logits: [5, 1, 2, 3, 4], labels: [1, 0, 1, 0, 0])
        #expect(
            fitted
                == .isotonic(
                    logits: [1, 2, 4, 5],
                    probabilities: [0, 1.0 / 3, 1.0 / 3, 1]
                )
        )
    }

    @Test func isotonicTakesEqualLogitsAsOne() {
        let fitted = IsotonicFit.calibrator(logits: [1, 1, 0], labels: [1, 0, 0])
        #expect(fitted == .isotonic(logits: [0, 1], probabilities: [0, 0.5]))
    }

    @Test func isotonicCostsNoRank() {
        let rows = sample(3000, slope: 1, offset: -1)
        let plain = rows.probabilities(.identity)
        let fitted = rows.probabilities(
            IsotonicFit.calibrator(logits: rows.logits, labels: rows.labels)
        )
        #expect(
            RankingMetrics.averagePrecision(scores: fitted, labels: rows.labels)
                == RankingMetrics.averagePrecision(scores: plain, labels: rows.labels)
        )
    }

    @Test(arguments: [CalibrationMethod.platt, .isotonic])
    func lowersTheErrorOfOtherRows(method: CalibrationMethod) throws {
        let fitted = sample(5000, slope: 0.5, offset: -1.5).calibrator(method)
        let other = sample(5000, slope: 0.5, offset: -1.5, seed: 4)
        func error(_ calibrator: Calibrator) -> Double {
            Calibration(
                probabilities: other.probabilities(calibrator),
                labels: other.labels
            ).expectedError
        }
        #expect(error(.identity) > 0.2)
        #expect(error(fitted) < 0.03)
    }

    @Test func keepsNothingThatHelpsNoOtherFold() {
        // Each fold alone asks for another line, so that what one gives is wrong for the rest.
        var rows = HeldOutLogits()
        for row in 0..<400 {
            let fold = row % 2
            let logit: Float = row % 4 < 2 ? 3 : -3
            rows.append(logit: logit, label: fold == 0 ? 1 : (row % 40 < 20 ? 0 : 1), fold: fold)
        }
        #expect(rows.calibrator(.isotonic) == .identity)
    }

    @Test func needsBothClassesAndTwoFolds() {
        var rows = HeldOutLogits()
        #expect(rows.calibrator(.platt) == .identity)
        for row in 0..<100 { rows.append(logit: Float(row), label: 0, fold: row % 2) }
        #expect(rows.calibrator(.isotonic) == .identity)
        rows.append(logit: 100, label: 1, fold: 1)
        #expect(rows.calibrator(.platt) == .identity)
        #expect(sample(100, slope: 1, offset: 0).calibrator(.none) == .identity)
    }
}
