// SPDX-License-Identifier: MIT

extension ClassificationMetrics {
    /// The classification report as text: a line per class, accuracy, the averages, the confusion
    /// matrix and the areas.
    ///
    /// `names` are those of class 0 and 1.
    package func report(names: (String, String) = ("normal", "failure")) -> String {
        let title = Self.line("", ["precision", "recall", "f1-score", "support"])
        let rows = zip([names.0, names.1], classes).map { Self.line($0, $1) }
        let matrix = [
            Self.line("confusion", ["called \(names.0)", "called \(names.1)"]),
            Self.line(names.0, ["\(trueNegatives)", "\(falsePositives)"]),
            Self.line(names.1, ["\(falseNegatives)", "\(truePositives)"]),
        ]
        let rates = [
            ("ROC-AUC", rocAUC),
            ("PR-AUC", prAUC),
            ("false positive rate", falsePositiveRate),
            ("false negative rate", falseNegativeRate),
            ("log loss", logLoss),
            ("Brier score", brier),
        ]
        let accuracyLine = Self.line("accuracy", ["", "", Self.fixed(accuracy), "\(count)"])
        let lines =
            [title] + rows
            + [
                "", accuracyLine,
                Self.line("macro average", macroAverage),
                Self.line("weighted average", weightedAverage), "",
            ]
            + matrix + [""]
            + rates.map { Self.line($0.0, [$0.1.map(Self.fixed) ?? "undefined"]) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func line(_ name: String, _ scores: ClassScores) -> String {
        line(
            name,
            [fixed(scores.precision), fixed(scores.recall), fixed(scores.f1), "\(scores.support)"]
        )
    }

    static func line(_ name: String, _ cells: [String]) -> String {
        let padded = cells.map { cell in
            String(repeating: " ", count: max(1, 16 - cell.count)) + cell
        }
        let label = name + String(repeating: " ", count: max(0, 20 - name.count))
        var text = label + padded.joined()
        while text.last == " " { text.removeLast() }
        return text
    }

    /// A number with four decimals, halves away from zero.
    static func fixed(_ value: Double) -> String {
        let scaled = Int((value * 10_000).rounded())
        let digits = String(scaled % 10_000)
        return "\(scaled / 10_000)." + String(repeating: "0", count: 4 - digits.count) + digits
    }
}
