// SPDX-License-Identifier: MIT

package import JSON

/// Models judged on the same rows.
package struct ModelComparison: Sendable {
    /// One model's scores.
    package struct Entry: Sendable {
        /// What trained it, and its version.
        package var name: String
        /// Its scores at its own threshold.
        package var metrics: ClassificationMetrics
        /// How honest its probabilities are.
        package var calibration: Calibration
        /// How long its training took; nil where its log is gone.
        package var trainingSeconds: Double?

        /// Judges a model's probabilities; nil without rows.
        package init?(
            name: String,
            probabilities: [Double],
            labels: [UInt8],
            threshold: Double,
            trainingSeconds: Double?
        ) {
            let metrics = ClassificationMetrics(
                probabilities: probabilities,
                labels: labels,
                threshold: threshold
            )
            guard let metrics else { return nil }
            self.name = name
            self.metrics = metrics
            calibration = Calibration(probabilities: probabilities, labels: labels)
            self.trainingSeconds = trainingSeconds
        }
    }

    /// The models in the order in which they were named.
    package var entries: [Entry]

    /// Puts models side by side.
    package init(entries: [Entry]) { self.entries = entries }

    /// A score of all models: its title and how it is read off an entry.
    static let scores: [(title: String, key: String, value: @Sendable (Entry) -> Double?)] = [
        ("PR-AUC", "pr_auc", { $0.metrics.prAUC }),
        ("ROC-AUC", "roc_auc", { $0.metrics.rocAUC }),
        ("Brier score", "brier", { $0.metrics.brier }),
        ("calibration error", "expected_calibration_error", { $0.calibration.expectedError }),
        ("training, s", "training_seconds", { $0.trainingSeconds }),
    ]

    /// The table as text, a line per model.
    package var lines: [String] {
        let nameWidth = entries.map(\.name.count).max() ?? 0
        func line(_ name: String, _ cells: [String]) -> String {
            let padded = cells.map { String(repeating: " ", count: max(1, 19 - $0.count)) + $0 }
            return name + String(repeating: " ", count: nameWidth - name.count) + padded.joined()
        }
        let rows = entries.map { entry in line(entry.name, Self.cells(entry)) }
        return [line("", Self.scores.map(\.title))] + rows
    }

    /// An entry's scores with four decimals, `-` for none.
    static func cells(_ entry: Entry) -> [String] {
        scores.map { score in score.value(entry).map(ClassificationMetrics.fixed) ?? "-" }
    }

    /// The content of `comparison.json`.
    package var json: JSONValue {
        let models = entries.map { entry in
            var object = JSONObject()
            object["name"] = .string(entry.name)
            for score in Self.scores {
                object[score.key] = score.value(entry).map { .number($0) } ?? .null
            }
            object["reliability"] = .array(
                entry.calibration.bins.map { bin in
                    [
                        "probability": .number(bin.probability),
                        "failure_rate": .number(bin.failureRate),
                        "rows": .integer(bin.count),
                    ]
                }
            )
            return JSONValue.object(object)
        }
        let rows = entries.first?.metrics.count ?? 0
        return ["format": 1, "rows": .integer(rows), "models": .array(models)]
    }
}
