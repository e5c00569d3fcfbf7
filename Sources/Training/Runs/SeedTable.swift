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
        [("PR-AUC", prAUCs), ("ROC-AUC", rocAUCs)].map { name, values in
            guard let summary = Summary(values) else {
                return "test \(name): none, the test rows are all of one class"
            }
            let each = values.map { rounded($0) }.joined(separator: " ")
            return "test \(name) of \(values.count) seeds: \(each)  mean \(rounded(summary.mean))"
                + "  sd \(rounded(summary.deviation))  min \(rounded(summary.minimum))"
        }
    }

    /// The table as a report file.
    package var json: JSONValue {
        func part(_ values: [Double]) -> JSONValue {
            guard let summary = Summary(values) else { return .null }
            return [
                "values": .array(values.map { .number($0) }),
                "mean": .number(summary.mean),
                "standard_deviation": .number(summary.deviation),
                "minimum": .number(summary.minimum),
            ]
        }
        return ["format": 1, "pr_auc": part(prAUCs), "roc_auc": part(rocAUCs)]
    }

    private var prAUCs: [Double] { outcomes.compactMap(\.test.prAUC) }
    private var rocAUCs: [Double] { outcomes.compactMap(\.test.rocAUC) }

    private func rounded(_ value: Double) -> String {
        let text = "\((value * 10_000).rounded() / 10_000)"
        return text + String(repeating: "0", count: max(0, 6 - text.utf8.count))
    }

    private struct Summary {
        var mean: Double
        var deviation: Double
        var minimum: Double

        init?(_ values: [Double]) {
            guard let minimum = values.min() else { return nil }
            let mean = values.reduce(0, +) / Double(values.count)
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            self.mean = mean
            deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
            self.minimum = minimum
        }
    }
}
