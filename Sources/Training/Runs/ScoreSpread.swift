// SPDX-License-Identifier: MIT

internal import JSON

/// How far scores of like models lie apart.
enum ScoreSpread {
    /// Mean, standard deviation (n - 1) and minimum of PR-AUC and ROC-AUC as text.
    static func lines(_ evaluations: [Evaluation], of rows: String, unit: String) -> [String] {
        [("PR-AUC", prAUCs(evaluations)), ("ROC-AUC", rocAUCs(evaluations))].map { name, values in
            guard let summary = Summary(values) else {
                return "\(rows) \(name): none, the \(rows) rows are all of one class"
            }
            let each = values.map { rounded($0) }.joined(separator: " ")
            return "\(rows) \(name) of \(values.count) \(unit): \(each)"
                + "  mean \(rounded(summary.mean))"
                + "  sd \(rounded(summary.deviation))  min \(rounded(summary.minimum))"
        }
    }

    /// The same as a part of a report.
    static func json(_ evaluations: [Evaluation]) -> JSONValue {
        func part(_ values: [Double]) -> JSONValue {
            guard let summary = Summary(values) else { return .null }
            return [
                "values": .array(values.map { .number($0) }),
                "mean": .number(summary.mean),
                "standard_deviation": .number(summary.deviation),
                "minimum": .number(summary.minimum),
            ]
        }
        return [
            "format": 1,
            "pr_auc": part(prAUCs(evaluations)),
            "roc_auc": part(rocAUCs(evaluations)),
        ]
    }

    private static func prAUCs(_ evaluations: [Evaluation]) -> [Double] {
        evaluations.compactMap(\.metrics.prAUC)
    }

    private static func rocAUCs(_ evaluations: [Evaluation]) -> [Double] {
        evaluations.compactMap(\.metrics.rocAUC)
    }

    private static func rounded(_ value: Double) -> String {
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
