// SPDX-License-Identifier: MIT

package import JSON

extension ClassificationMetrics {
    /// The content of `evaluation.json`; `protocolName` says how the rows were kept apart.
    package func json(protocolName: String) -> JSONObject {
        func scores(_ scores: ClassScores) -> JSONValue {
            [
                "precision": .number(scores.precision),
                "recall": .number(scores.recall),
                "f1": .number(scores.f1),
                "support": .integer(scores.support),
            ]
        }
        var object = JSONObject()
        object["format"] = 1
        object["protocol"] = .string(protocolName)
        object["rows"] = .integer(count)
        object["failure_rate"] = .number(Double(classes[1].support) / Double(count))
        object["threshold"] = .number(threshold)
        object["accuracy"] = .number(accuracy)
        object["roc_auc"] = rocAUC.map { .number($0) } ?? .null
        object["pr_auc"] = prAUC.map { .number($0) } ?? .null
        object["log_loss"] = .number(logLoss)
        object["brier"] = .number(brier)
        object["false_positive_rate"] = falsePositiveRate.map { .number($0) } ?? .null
        object["false_negative_rate"] = falseNegativeRate.map { .number($0) } ?? .null
        object["classes"] = ["normal": scores(classes[0]), "failure": scores(classes[1])]
        object["confusion_matrix"] = [
            "true_negatives": .integer(trueNegatives),
            "false_positives": .integer(falsePositives),
            "false_negatives": .integer(falseNegatives),
            "true_positives": .integer(truePositives),
        ]
        return object
    }
}
