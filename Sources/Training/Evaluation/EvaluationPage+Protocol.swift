// SPDX-License-Identifier: MIT

package import JSON

/// How rows were kept apart, and what speaks against the scores: without it no score means much.
extension EvaluationPage {
    /// The part of `evaluation.json` that repeats how the model came about: what its bundle's own
    /// report says.
    package static func training(_ report: JSONValue) -> JSONValue {
        var object = JSONObject()
        for key in ["protocol", "seeds", "members", "spread", "warnings"] {
            object[key] = report[key]
        }
        return .object(object)
    }

    func addWarnings(to page: inout HTMLPage) {
        let own = texts(json["warnings"]).map { "Leakage? \($0)." }
        let inTraining = texts(json["training"]?["warnings"]).map { "Leakage in training? \($0)." }
        for warning in own + inTraining { page.verdict(warning, isAlert: true) }
    }

    func addProtocol(to page: inout HTMLPage) {
        page.heading("How it was trained and judged")
        if case .string(let name) = json["protocol"] { page.paragraph("These rows: \(name).") }
        if case .string(let name) = json["training"]?["protocol"] {
            page.paragraph("In training: \(name).")
        }
        let seeds = numbers(json["training"]?["seeds"])
        guard !seeds.isEmpty else { return }
        let members = number("training", "members").flatMap { Int(exactly: $0) } ?? 1
        page.paragraph(
            "Seed\(seeds.count == 1 ? "" : "s") \(seeds.joined(separator: ", "));"
                + " \(NumberText.count(members, "network")) in the model."
        )
        if let mean = number("training", "spread", "pr_auc", "mean"),
            let deviation = number("training", "spread", "pr_auc", "standard_deviation"),
            let minimum = number("training", "spread", "pr_auc", "minimum")
        {
            func text(_ value: Double) -> String { NumberText.fixed(value, decimals: 4) }
            page.paragraph(
                "PR-AUC of these seeds on the test rows of the training: mean \(text(mean)),"
                    + " standard deviation \(text(deviation)), minimum \(text(minimum))."
            )
        }
    }

    private func texts(_ value: JSONValue?) -> [String] {
        guard case .array(let items) = value else { return [] }
        return items.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    private func numbers(_ value: JSONValue?) -> [String] {
        guard case .array(let items) = value else { return [] }
        return items.compactMap {
            if case .number(let number) = $0 { NumberText.short(number) } else { nil }
        }
    }
}
