// SPDX-License-Identifier: MIT

package import JSON

/// A model's scores by how full the longest window was: whether a machine's first answers are as
/// good as its later ones.
package struct FillScores: Equatable, Sendable {
    /// Rows of about the same fill.
    package struct Part: Equatable, Sendable {
        /// The fill of the part's rows lies above this.
        package let lower: Double
        /// The fill of the part's rows is at most this.
        package let upper: Double
        /// Its rows.
        package let rowCount: Int
        /// The share of them that are failures.
        package let failureRate: Double
        /// Their mean probability.
        package let probability: Double
        /// Their PR-AUC; nil without failures.
        package let prAUC: Double?
        /// Their ROC-AUC; nil with one class only.
        package let rocAUC: Double?
        /// Their Brier skill; nil with one class only.
        package let brierSkill: Double?
    }

    /// Quarters of the window; one that is not quite full counts as full.
    private static let bounds = [0, 0.25, 0.5, 0.75, 0.99, 1]

    /// The parts that have rows, the emptiest first.
    package let parts: [Part]

    /// Judges probabilities; `fill` has one number a row.
    package init(fill: [Double], probabilities: [Double], labels: [UInt8], threshold: Double) {
        parts = zip(Self.bounds, Self.bounds.dropFirst()).compactMap { lower, upper in
            // Scaling and rounding to Float leave the bounds by a little.
            let rows = fill.indices.filter { row in
                fill[row] > lower + 1e-6 && fill[row] <= upper + 1e-6
            }
            let evaluation = Evaluation(
                probabilities: rows.map { probabilities[$0] },
                labels: rows.map { labels[$0] },
                threshold: threshold
            )
            return evaluation.map { evaluation in
                Part(
                    lower: lower,
                    upper: upper,
                    rowCount: rows.count,
                    failureRate: Double(evaluation.metrics.classes[1].support) / Double(rows.count),
                    probability: rows.reduce(0) { $0 + probabilities[$1] } / Double(rows.count),
                    prAUC: evaluation.metrics.prAUC,
                    rocAUC: evaluation.metrics.rocAUC,
                    brierSkill: evaluation.brierSkill
                )
            }
        }
    }

    /// What `evaluation.json` says.
    package var json: JSONValue {
        func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        return .array(
            parts.map { part in
                [
                    "above": .number(part.lower),
                    "to": .number(part.upper),
                    "rows": .integer(part.rowCount),
                    "failure_rate": .number(part.failureRate),
                    "probability": .number(part.probability),
                    "pr_auc": number(part.prAUC),
                    "roc_auc": number(part.rocAUC),
                    "brier_skill": number(part.brierSkill),
                ]
            }
        )
    }

    /// The table as lines of text.
    package var lines: [String] {
        func text(_ value: Double?) -> String {
            value.map { ($0 < 0 ? "-" : "") + ClassificationMetrics.fixed($0.magnitude) } ?? "-"
        }
        let title = ["rows", "failure rate", "probability", "PR-AUC", "ROC-AUC", "Brier skill"]
        let rows = parts.map { part in
            let numbers = [
                part.failureRate, part.probability, part.prAUC, part.rocAUC, part.brierSkill,
            ]
            let name = "\(Int(part.lower * 100)) to \(Int(part.upper * 100)) %"
            return ClassificationMetrics.line(name, ["\(part.rowCount)"] + numbers.map(text))
        }
        return [ClassificationMetrics.line("window fill", title)] + rows
    }
}
