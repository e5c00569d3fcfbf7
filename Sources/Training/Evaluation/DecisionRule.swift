// SPDX-License-Identifier: MIT

package import ModelRuntime

/// What a prediction may cost, in any unit.
package struct DecisionCosts: Equatable, Sendable {
    /// The most that a cost may be, so that sums of them are numbers.
    package static let costMax = 1e15

    /// A failure that no prediction came before.
    package var missedFailure: Double
    /// A prediction that no failure follows.
    package var falseAlarm: Double
    /// A stop that was planned for a failure which was foreseen.
    package var plannedStop: Double

    /// Describes the costs.
    package init(missedFailure: Double, falseAlarm: Double, plannedStop: Double) {
        self.missedFailure = missedFailure
        self.falseAlarm = falseAlarm
        self.plannedStop = plannedStop
    }
}

/// How the threshold of a prediction is found on held-out rows.
package enum DecisionRule: Equatable, Sendable {
    /// It is given.
    case fixed(Double)
    /// The least cost over the rows.
    case costs(DecisionCosts)
    /// The best F1 score.
    case f1
    /// The most failures at this precision or a better one.
    case precision(Double)
    /// The best precision at this recall or a better one.
    case recall(Double)

    /// What the evaluation says of it.
    package var description: String {
        switch self {
        case .fixed(let threshold): "fixed at \(threshold)"
        case .costs(let costs):
            "least cost on validation rows: missed failure \(costs.missedFailure), false alarm "
                + "\(costs.falseAlarm), planned stop \(costs.plannedStop)"
        case .f1: "best F1 score on validation rows"
        case .precision(let target): "precision of at least \(target) on validation rows"
        case .recall(let target): "recall of at least \(target) on validation rows"
        }
    }

    /// The threshold; halfway between two rows, so that neither sits on it.
    ///
    /// - Returns: Nil where no threshold holds the target, or there is no failure among the rows.
    package func threshold(probabilities: [Double], labels: [UInt8]) -> Double? {
        if case .fixed(let threshold) = self { return threshold }
        let steps = RankingMetrics.thresholds(probabilities, labels)
        guard let last = steps.last, last.positives > 0 else { return nil }
        var best: (index: Int, gain: Double)?
        if case .costs(let costs) = self {
            // To predict nothing may cost least.
            best = (-1, -costs.missedFailure * Double(last.positives))
        }
        for (index, step) in steps.enumerated() {
            guard let gain = gain(step, of: last.positives) else { continue }
            if gain > best?.gain ?? -.infinity { best = (index, gain) }
        }
        guard let best else { return nil }
        let scores = Set(probabilities).sorted(by: >)
        let below = best.index + 1 < scores.count ? scores[best.index + 1] : 0
        let middle = ((best.index < 0 ? 1 : scores[best.index]) + below) / 2
        return min(max(middle, 0x1p-52), 1 - 0x1p-52)
    }

    /// What is made as large as possible; nil where the target is missed.
    private func gain(_ step: (positives: Int, negatives: Int), of failures: Int) -> Double? {
        let (caught, wrong) = (Double(step.positives), Double(step.negatives))
        let precision = caught / (caught + wrong)
        let recall = caught / Double(failures)
        switch self {
        case .fixed: return nil
        case .costs(let costs):
            let missed = Double(failures) - caught
            let stops = costs.falseAlarm * wrong + costs.plannedStop * caught
            return -costs.missedFailure * missed - stops
        case .f1: return 2 * caught / (caught + wrong + Double(failures))
        case .precision(let target): return precision >= target ? recall : nil
        case .recall(let target): return recall >= target ? precision : nil
        }
    }
}

extension RiskLevels {
    /// The levels of a threshold: medium begins at three fifths of it, high two fifths of the way
    /// from it to 1.
    ///
    /// At 0.5 these are the levels that hold without a rule.
    package init(threshold: Double) {
        self.init(medium: 0.6 * threshold, high: threshold + 0.4 * (1 - threshold))
    }
}
