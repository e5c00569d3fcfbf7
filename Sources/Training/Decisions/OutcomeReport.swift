// SPDX-License-Identifier: MIT

package import Features
package import JSON

/// How good predictions were, by version and together.
package struct OutcomeReport: Equatable, Sendable {
    /// The scores of one version, or of all.
    package struct Scores: Equatable, Sendable {
        /// The version, `all` for all.
        package let name: String
        /// The digest of its bundle; nil for all.
        package let digest: String?
        /// The classes that were predicted, against what came.
        package let classes: ClassificationMetrics?
        /// The probabilities against what came, at no threshold.
        package let probabilities: ClassificationMetrics?
        /// What alarms were worth.
        package let leadTime: LeadTime
    }

    /// The scores of each version, in the order of their first prediction.
    package let versions: [Scores]
    /// The scores of all together.
    package let all: Scores
    /// The hours that count as ahead.
    package let hoursAhead: Double

    /// Judges what became of predictions.
    ///
    /// Alarms go by the rule that each version brings, or where it has none, by single predictions
    /// of a failure.
    package init(_ outcomes: Outcomes, hoursAhead: Double) {
        self.hoursAhead = hoursAhead
        versions = outcomes.models.indices.map { number in
            Self.scores(
                outcomes,
                name: outcomes.models[number].version,
                digest: outcomes.models[number].digest,
                unseen: 0
            ) { $0.model == number }
        }
        all = Self.scores(
            outcomes,
            name: "all",
            digest: nil,
            unseen: outcomes.unseenFailureCount
        ) { _ in true }
    }

    private static func scores(
        _ outcomes: Outcomes,
        name: String,
        digest: String?,
        unseen: Int,
        where isMeant: (Outcomes.Row) -> Bool
    ) -> Scores {
        var labels: [UInt8] = []
        var classes: [Double] = []
        var probabilities: [Double] = []
        var lives: [[LeadTime.Row]] = []
        for life in outcomes.lives {
            var rows: [LeadTime.Row] = []
            for row in life.rows where isMeant(row) {
                guard let label = row.label else { continue }
                let decision = row.source.decision
                labels.append(label)
                classes.append(Double(decision.prediction))
                probabilities.append(decision.probability)
                guard let rule = rule(of: outcomes.models[row.model]) else { continue }
                rows.append(
                    LeadTime.Row(
                        number: labels.count - 1,
                        time: row.timestamp,
                        probability: decision.probability,
                        label: label,
                        rule: rule,
                        failure: row.failure
                    )
                )
            }
            lives.append(rows)
        }
        return Scores(
            name: name,
            digest: digest,
            classes: ClassificationMetrics(probabilities: classes, labels: labels),
            probabilities: ClassificationMetrics(probabilities: probabilities, labels: labels),
            leadTime: LeadTime(lives: lives, unseen: unseen)
        )
    }

    private static func rule(of model: LoggedModel) -> AlarmRule? {
        model.alarm
            ?? AlarmRule(raise: model.threshold, clear: model.threshold, needed: 1, of: 1)
    }

    /// The content of `outcomes.json`.
    package func json(_ outcomes: Outcomes, _ history: DecisionHistory) -> JSONValue {
        let omissions = outcomes.omissions
        let leftOut: JSONValue = [
            "horizon_open": .integer(omissions.open),
            "maintained": .integer(omissions.maintained),
            "duplicate": .integer(omissions.duplicates),
            "stale": .integer(omissions.stale),
            "invalid": .integer(omissions.invalid),
        ]
        let torn: JSONValue = [
            "bytes": .integer(history.tornByteCount),
            "feedback_lines": .integer(history.feedback.tornLineCount),
        ]
        var object = JSONObject()
        object["format"] = 1
        object["until"] = .string(Timestamp.text(outcomes.until))
        object["rows"] = .integer(history.rowCount)
        object["machines"] = .integer(history.machines.count)
        object["failures"] = .integer(outcomes.failureCount)
        object["failures_without_predictions"] = .integer(outcomes.unseenFailureCount)
        object["left_out"] = leftOut
        object["torn"] = torn
        object["all"] = json(all)
        object["versions"] = .array(versions.map(json))
        return .object(object)
    }

    private func json(_ scores: Scores) -> JSONValue {
        func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
        let called = scores.classes?.classes[1]
        var object = JSONObject()
        object["version"] = .string(scores.name)
        object["digest"] = scores.digest.map { .string($0) }
        object["rows"] = .integer(scores.classes?.count ?? 0)
        object["positive_rows"] = .integer(called?.support ?? 0)
        object["precision"] = number(called?.precision)
        object["recall"] = number(called?.recall)
        object["f1"] = number(called?.f1)
        object["roc_auc"] = number(scores.probabilities?.rocAUC)
        object["pr_auc"] = number(scores.probabilities?.prAUC)
        object["brier"] = number(scores.probabilities?.brier)
        object["confusion_matrix"] = scores.classes.map { classes in
            [
                "true_negatives": .integer(classes.trueNegatives),
                "false_positives": .integer(classes.falsePositives),
                "false_negatives": .integer(classes.falseNegatives),
                "true_positives": .integer(classes.truePositives),
            ]
        }
        object["alarms"] = .object(scores.leadTime.json(rule: nil, hoursAhead: hoursAhead))
        return .object(object)
    }

    /// The lines of the printed report.
    package func lines(_ outcomes: Outcomes) -> [String] {
        let fixed = ClassificationMetrics.fixed
        func text(_ value: Double?) -> String { value.map(fixed) ?? "-" }
        var lines = [
            ClassificationMetrics.line(
                "version",
                ["rows", "precision", "recall", "caught", "lead hours", "false/month"]
            )
        ]
        for scores in versions + [all] {
            let lead = scores.leadTime
            let called = scores.classes?.classes[1]
            lines.append(
                ClassificationMetrics.line(
                    scores.name,
                    [
                        "\(scores.classes?.count ?? 0)", text(called?.precision),
                        text(called?.recall), "\(lead.leadHours.count)/\(lead.failures)",
                        text(lead.medianHours), text(lead.falseAlarmsPerMonth),
                    ]
                )
            )
        }
        let omissions = outcomes.omissions
        lines.append(
            "left out: \(omissions.open) with their horizon still open, \(omissions.maintained)"
                + " before a maintenance, \(omissions.duplicates) duplicate,"
                + " \(omissions.stale) stale"
        )
        return lines
    }
}
