// SPDX-License-Identifier: MIT

import ArgumentParser
import Training

/// What failures and alarms cost, for the report of an evaluation.
struct CostOptions: ParsableArguments {
    @Option(help: "What a failure costs that no alarm came before.")
    var missedFailureCost: Double?

    @Option(help: "What an alarm costs that no failure follows.")
    var falseAlarmCost: Double?

    @Option(help: "What a stop costs that was planned for a foreseen failure.")
    var plannedStopCost = 0.0

    func validate() throws {
        guard (missedFailureCost == nil) == (falseAlarmCost == nil) else {
            throw ValidationError("--missed-failure-cost and --false-alarm-cost go together")
        }
        for cost in [missedFailureCost ?? 0, falseAlarmCost ?? 0, plannedStopCost] {
            guard (0...DecisionCosts.costMax).contains(cost) else {
                throw ValidationError(Self.refusal)
            }
        }
    }

    /// What is said of a cost that is none.
    static let refusal = "a cost must not be negative, nor above \(Int(DecisionCosts.costMax))"

    /// The costs; nil where they were not told.
    var costs: DecisionCosts? {
        guard let missedFailureCost, let falseAlarmCost else { return nil }
        return DecisionCosts(
            missedFailure: missedFailureCost,
            falseAlarm: falseAlarmCost,
            plannedStop: plannedStopCost
        )
    }
}
