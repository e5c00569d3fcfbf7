// SPDX-License-Identifier: MIT

package import JSON

/// The scores of networks that differ in their seed alone.
package struct SeedTable: Sendable {
    private let outcomes: [TrainingRun.Outcome]

    /// Takes at least one outcome, in the order of their seeds.
    package init(_ outcomes: [TrainingRun.Outcome]) {
        precondition(!outcomes.isEmpty)
        self.outcomes = outcomes
    }

    /// The network with the best validation PR-AUC; the test rows have no say in it.
    package var best: TrainingRun.Outcome {
        var best = outcomes[0]
        for outcome in outcomes where outcome.validationPRAUC ?? 0 > best.validationPRAUC ?? 0 {
            best = outcome
        }
        return best
    }

    /// Mean, standard deviation (n - 1) and minimum of the test PR-AUC and ROC-AUC as text.
    package var lines: [String] {
        ScoreSpread.lines(outcomes.map(\.test), of: "test", unit: "seeds")
    }

    /// The table as a report file.
    package var json: JSONValue { ScoreSpread.json(outcomes.map(\.test)) }
}
