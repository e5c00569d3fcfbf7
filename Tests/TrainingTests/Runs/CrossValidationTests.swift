// SPDX-License-Identifier: MIT

import Features
import JSON
import Testing
import Training

struct CrossValidationTests {
    private let matrix: FeatureMatrix
    private var run: TrainingRun

    init() throws {
        let table = SampleReadings.table(machines: 10, hours: 30)
        matrix = FeatureMatrix(
            table,
            engine: try FeatureEngine(try SampleReadings.transform(table))
        )
        var options = TrainerOptions()
        options.hiddenSizes = [4]
        options.epochs = 3
        options.learningRate = 0.05
        run = TrainingRun(options: options)
    }

    @Test func dealsWholeMachinesOut() {
        let folds = CrossValidation.folds(matrix, seed: 1, count: 4)
        let codes = matrix.entities?.codes ?? []
        var foldOfMachine: [Int32: Set<Int>] = [:]
        for (code, fold) in zip(codes, folds) { foldOfMachine[code, default: []].insert(fold) }
        #expect(foldOfMachine.values.allSatisfy { $0.count == 1 })
        let sizes = (0..<4).map { fold in foldOfMachine.values.count { $0 == [fold] } }
        #expect(sizes == [3, 3, 2, 2])
        #expect(CrossValidation.folds(matrix, seed: 2, count: 4) != folds)
        var lone = matrix
        lone.entities = nil
        let rows = CrossValidation.folds(lone, seed: 1, count: 4)
        #expect((0..<4).map { fold in rows.count { $0 == fold } } == [75, 75, 75, 75])
    }

    @Test func scoresEachRowByTheModelThatNeverSawIt() throws {
        var folds: [Int] = []
        let result = try CrossValidation(matrix, run: run, foldCount: 5, path: "f.csv") {
            folds.append($0)
        }
        // In order, whichever was done first.
        #expect(folds == [0, 1, 2, 3, 4])
        #expect(result.folds.map(\.metrics.count) == [60, 60, 60, 60, 60])
        #expect(result.pooled.metrics.count == 300)
        let byHand = CrossValidation.folds(matrix, seed: 42, count: 5)
        let rest = matrix.rows(byHand.indices.filter { byHand[$0] != 2 })
        let held = matrix.rows(byHand.indices.filter { byHand[$0] == 2 })
        let outcome = try run.run(train: rest, test: held) { _, _ in }
        #expect(outcome.test == result.folds[2])
        #expect(result.json["protocol"] == "5-fold cross-validation by machine, pooled")
    }

    @Test(arguments: [11, Int.max])
    func saysWhichFoldCannotBe(count: Int) {
        let error = refusal { () throws(TrainingError) in
            _ = try CrossValidation(matrix, run: run, foldCount: count, path: "f.csv") { _ in }
        }
        #expect(error == "f.csv: fold 11 has no machine")
    }
}
