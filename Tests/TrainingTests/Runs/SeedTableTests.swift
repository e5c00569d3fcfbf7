// SPDX-License-Identifier: MIT

import JSON
import Testing

@testable import Training

struct SeedTableTests {
    private func outcome(
        validation: Double?,
        ranks: [Double],
        labels: [UInt8] = [0, 0, 1]
    ) throws -> TrainingRun.Outcome {
        TrainingRun.Outcome(
            members: [],
            validationPRAUC: validation,
            test: try #require(Evaluation(probabilities: ranks, labels: labels, threshold: 0.5))
        )
    }

    @Test func choosesByValidationAndReportsTheTest() throws {
        let outcomes = [
            try outcome(validation: 0.5, ranks: [0.1, 0.2, 0.9]),  // PR-AUC 1, ROC-AUC 1
            try outcome(validation: 0.7, ranks: [0.1, 0.9, 0.2]),  // 1/2, 1/2
            try outcome(validation: nil, ranks: [0.8, 0.9, 0.1]),  // 1/3, 0
        ]
        let table = SeedTable(outcomes)
        #expect(table.best.validationPRAUC == 0.7)
        #expect(
            table.lines == [
                "test PR-AUC of 3 seeds: 1.0000 0.5000 0.3333  mean 0.6111  sd 0.3469  min 0.3333",
                "test ROC-AUC of 3 seeds: 1.0000 0.5000 0.0000  mean 0.5000  sd 0.5000  min 0.0000",
            ]
        )
        #expect(table.json["roc_auc"]?["minimum"] == 0)
        #expect(table.json["pr_auc"]?["values"] == [1, 0.5, .number(1.0 / 3)])
    }

    @Test func oneSeedHasNoDeviation() throws {
        let table = SeedTable([try outcome(validation: nil, ranks: [0.1, 0.2, 0.9])])
        #expect(table.json["pr_auc"]?["standard_deviation"] == 0)
    }

    @Test func testRowsOfOneClassHaveNoScoreInsteadOfZero() throws {
        let outcome = try outcome(validation: nil, ranks: [0.1, 0.2, 0.9], labels: [0, 0, 0])
        let table = SeedTable([outcome])
        #expect(table.lines[0] == "test PR-AUC: none, the test rows are all of one class")
        #expect(table.json["roc_auc"] == .null)
    }
}
