// SPDX-License-Identifier: MIT

package import JSON

/// A model's probabilities judged on rows: what they decide and how honest they are.
package struct Evaluation: Equatable, Sendable {
    /// The scores at the model's threshold and over all.
    package let metrics: ClassificationMetrics
    /// The probabilities against the share of failures.
    package let reliability: Calibration
    /// How the threshold was found; nil where nobody said.
    package var thresholdRule: String?
    /// The scores by how full the longest window was; nil where no feature says so.
    package var byFill: FillScores?

    /// Judges probabilities; nil without rows.
    ///
    /// - Complexity: O(n log n).
    package init?(
        probabilities: [Double],
        labels: [UInt8],
        threshold: Double,
        thresholdRule: String? = nil
    ) {
        let metrics = ClassificationMetrics(
            probabilities: probabilities,
            labels: labels,
            threshold: threshold
        )
        guard let metrics else { return nil }
        self.metrics = metrics
        reliability = Calibration(probabilities: probabilities, labels: labels)
        self.thresholdRule = thresholdRule
    }

    /// Judges what a model says of a feature file's rows; nil without rows.
    package init?(
        _ matrix: FeatureMatrix,
        probabilities: [Double],
        threshold: Double,
        thresholdRule: String? = nil
    ) {
        self.init(
            probabilities: probabilities,
            labels: matrix.labels,
            threshold: threshold,
            thresholdRule: thresholdRule
        )
        byFill = matrix.windowFill.map { fill in
            FillScores(
                fill: fill,
                probabilities: probabilities,
                labels: matrix.labels,
                threshold: threshold
            )
        }
    }

    /// How much of the Brier score of "always the rate" the probabilities take away: 1 is perfect,
    /// 0 no better; nil with one class only.
    package var brierSkill: Double? {
        let rate = Double(metrics.classes[1].support) / Double(metrics.count)
        let plain = rate * (1 - rate)
        return plain > 0 ? 1 - metrics.brier / plain : nil
    }

    /// The content of `evaluation.json`; `protocolName` says how the rows were kept apart.
    package func json(protocolName: String) -> JSONObject {
        var object = metrics.json(protocolName: protocolName)
        object["threshold_rule"] = thresholdRule.map { .string($0) }
        object["brier_skill"] = brierSkill.map { .number($0) } ?? .null
        object["by_window_fill"] = byFill?.json
        object["expected_calibration_error"] = .number(reliability.expectedError)
        object["reliability"] = .array(
            reliability.bins.map { bin in
                [
                    "probability": .number(bin.probability),
                    "failure_rate": .number(bin.failureRate),
                    "rows": .integer(bin.count),
                ]
            }
        )
        return object
    }

    /// The classification report and the reliability table as text.
    package func report() -> String {
        let fixed = ClassificationMetrics.fixed
        func line(_ name: String, _ cells: [String]) -> String {
            ClassificationMetrics.line(name, cells)
        }
        // Skill may be below zero, which fixed numbers are not.
        let skill = brierSkill.map { ($0 < 0 ? "-" : "") + fixed($0.magnitude) } ?? "undefined"
        var lines = [
            line("Brier skill", [skill]),
            line("calibration error", [fixed(reliability.expectedError)]),
            "",
            line("reliability", ["probability", "failure rate", "rows"]),
        ]
        for (index, bin) in reliability.bins.enumerated() {
            let cells = [fixed(bin.probability), fixed(bin.failureRate), "\(bin.count)"]
            lines.append(line("part \(index + 1)", cells))
        }
        if let byFill { lines += [""] + byFill.lines }
        if let thresholdRule {
            lines += ["", "threshold \(metrics.threshold): \(thresholdRule)"]
        }
        return metrics.report() + lines.joined(separator: "\n") + "\n"
    }
}
