// SPDX-License-Identifier: MIT

import JSON
import Testing
import Training

struct ModelComparisonTests {
    private func comparison() throws -> ModelComparison {
        func entry(_ name: String, _ probabilities: [Double], _ seconds: Double?) throws
            -> ModelComparison.Entry
        {
            let entry = ModelComparison.Entry(
                name: name,
                probabilities: probabilities,
                labels: [0, 0, 1],
                threshold: 0.5,
                trainingSeconds: seconds
            )
            return try #require(entry)
        }
        return ModelComparison(
            entries: [
                try entry("a <1>", [0.1, 0.2, 0.9], 1.5),
                try entry("longer", [0.1, 0.9, 0.8], nil),
            ]
        )
    }

    @Test func printsALinePerModelUnderTitles() throws {
        let lines = try comparison().lines
        #expect(lines.count == 3)
        #expect(Set(lines.map(\.count)).count == 1)
        #expect(lines[1].hasPrefix("a <1> ") && lines[1].hasSuffix(" 1.5000"))
        #expect(lines[2].contains(" 0.5000") && lines[2].hasSuffix(" -"))
    }

    @Test func writesEveryScore() throws {
        let json = JSONView(try comparison().json)
        let models = try json.required("models").array
        #expect(try json.required("rows").int == 3)
        #expect(try models.map { try $0.required("pr_auc").double } == [1, 0.5])
        #expect(try models.map { try $0.required("roc_auc").double } == [1, 0.5])
        #expect(try models[0].required("reliability").array.count == 3)
        #expect(try models[1].required("training_seconds").value == .null)
    }

    @Test func drawsAPageThatLoadsNothing() throws {
        let page = String(decoding: try comparison().page, as: UTF8.self)
        #expect(page.contains("a &lt;1&gt;") && !page.contains("a <1>"))
        #expect(page.split(separator: "<polyline").count == 3)
        for title in ["PR-AUC", "ROC-AUC", "Training, s", "Reliability"] {
            #expect(page.contains("aria-label=\"\(title)\""))
        }
        // Two bars for each area, and one for the training that has a time.
        #expect(page.split(separator: "<rect class=\"bar").count == 6)
        for word in ["http", "src=", "url(", "@import"] { #expect(!page.contains(word)) }
    }

    @Test func refusesNoRows() {
        let entry = ModelComparison.Entry(
            name: "x",
            probabilities: [],
            labels: [],
            threshold: 0.5,
            trainingSeconds: nil
        )
        #expect(entry == nil)
    }
}
