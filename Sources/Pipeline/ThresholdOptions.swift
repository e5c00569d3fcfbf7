// SPDX-License-Identifier: MIT

import ArgumentParser
import Training

/// How the threshold of a prediction is found; at most one way.
struct ThresholdOptions: ParsableArguments {
    @Option(help: "What a failure costs that no prediction came before.")
    var missedFailureCost: Double?

    @Option(help: "What a prediction costs that no failure follows.")
    var falseAlarmCost: Double?

    @Option(help: "What a stop costs that was planned for a foreseen failure (default: 0).")
    var plannedStopCost: Double?

    @Option(help: "The precision to hold on the validation machines, with all recall it allows.")
    var targetPrecision: Double?

    @Option(help: "The recall to hold on the validation machines, with all precision it allows.")
    var targetRecall: Double?

    @Flag(help: "Take the best F1 score on the validation machines.")
    var bestF1 = false

    func validate() throws {
        for (name, target) in [
            ("--target-precision", targetPrecision), ("--target-recall", targetRecall),
        ] {
            if let target, !(target > 0 && target <= 1) {
                throw ValidationError("\(name) must be above 0 and at most 1")
            }
        }
        let costs = [missedFailureCost, falseAlarmCost, plannedStopCost]
        if costs.contains(where: { $0 != nil }) {
            guard missedFailureCost != nil, falseAlarmCost != nil else {
                throw ValidationError("--missed-failure-cost and --false-alarm-cost go together")
            }
            guard costs.allSatisfy({ (0...DecisionCosts.costMax).contains($0 ?? 0) }) else {
                throw ValidationError(CostOptions.refusal)
            }
        }
        let ways = [
            missedFailureCost != nil, targetPrecision != nil, targetRecall != nil, bestF1,
        ]
        guard ways.count(where: \.self) <= 1 else {
            throw ValidationError(
                "costs, --target-precision, --target-recall or --best-f1: choose one"
            )
        }
    }

    /// The rule that the options ask for.
    var rule: DecisionRule {
        if let missed = missedFailureCost, let falseAlarm = falseAlarmCost {
            return .costs(
                DecisionCosts(
                    missedFailure: missed,
                    falseAlarm: falseAlarm,
                    plannedStop: plannedStopCost ?? 0
                )
            )
        }
        if let targetPrecision { return .precision(targetPrecision) }
        if let targetRecall { return .recall(targetRecall) }
        return bestF1 ? .f1 : .fixed(0.5)
    }
}
