// SPDX-License-Identifier: MIT

package import JSON
internal import Platform

/// A run repeated on parts of a feature file: each machine is scored by a model that never saw it.
///
/// Machines are dealt out to the folds by the seed, rows where there are none. What the features
/// were fitted on (scaling, imputed means) is the whole file's.
package struct CrossValidation: Sendable {
    /// The score of each fold.
    package private(set) var folds: [Evaluation] = []
    /// The score of all rows together, each with its own fold's probability.
    package let pooled: Evaluation
    private let seed: UInt64

    /// Trains and scores the folds, side by side on all cores.
    ///
    /// `report` is called with each fold in order, once all are done.
    ///
    /// - Throws: ``TrainingError``, also where a fold or the rest of it lacks a class.
    package init(
        _ matrix: FeatureMatrix,
        run: TrainingRun,
        foldCount: Int,
        path: String,
        report: (_ fold: Int) -> Void
    ) throws(TrainingError) {
        let machineCount = matrix.entities.map { Set($0.codes).count } ?? matrix.rowCount
        guard foldCount <= machineCount else {
            throw .unusable("\(path): fold \(machineCount + 1) has no machine")
        }
        var run = run
        run.threadCount = max(1, run.threadCount / foldCount)
        seed = run.options.seed
        let foldOfRow = Self.folds(matrix, seed: seed, count: foldCount)
        var probabilities = [Double](repeating: 0, count: matrix.rowCount)
        let results = concurrentMap(count: foldCount) { [run] fold in
            Result { () throws(TrainingError) in
                try Self.score(fold, foldOfRow, matrix, run, path)
            }
        }
        for (fold, result) in results.enumerated() {
            let (test, answers) = try result.get()
            report(fold)
            folds.append(test)
            let rows = foldOfRow.indices.filter { foldOfRow[$0] == fold }
            for (row, answer) in zip(rows, answers) { probabilities[row] = answer }
        }
        let pooled = Evaluation(
            probabilities: probabilities,
            labels: matrix.labels,
            threshold: 0.5
        )
        guard let pooled else { throw .unusable("\(path): there are no rows to score") }
        self.pooled = pooled
    }

    /// Trains on the other folds' rows; gives the score and the probabilities of this one's.
    private static func score(
        _ fold: Int,
        _ foldOfRow: [Int],
        _ matrix: FeatureMatrix,
        _ run: TrainingRun,
        _ path: String
    ) throws(TrainingError) -> (Evaluation, [Double]) {
        let rows = foldOfRow.indices.filter { foldOfRow[$0] == fold }
        let rest = matrix.rows(foldOfRow.indices.filter { foldOfRow[$0] != fold })
        let held = matrix.rows(rows)
        try run.checkLabels(rest, path: "\(path) without fold \(fold + 1)")
        let outcome = try run.run(train: rest, test: held) { _, _ in }
        let answers = try TrainingRun.probabilities(
            held,
            network: try TrainingRun.network(outcome.members),
            calibrator: outcome.calibrator
        )
        return (outcome.test, answers)
    }

    /// The fold of each row, whole machines together.
    package static func folds(_ matrix: FeatureMatrix, seed: UInt64, count: Int) -> [Int] {
        var generator = SeededGenerator(seed: seed, stream: 3)
        let codes = matrix.entities?.codes ?? (0..<Int32(matrix.rowCount)).map { $0 }
        var machines = Array(Set(codes)).sorted()
        generator.shuffle(&machines)
        var folds: [Int32: Int] = [:]
        for (place, machine) in machines.enumerated() { folds[machine] = place % count }
        return codes.map { folds[$0] ?? 0 }
    }

    /// The part of `evaluation.json`.
    package var json: JSONObject {
        let name = "\(folds.count)-fold cross-validation by machine, pooled"
        var object = pooled.json(protocolName: name)
        object["seed"] = .number(Double(seed))
        object["spread"] = ScoreSpread.json(folds)
        return object
    }

    /// The printed lines: the spread over the folds, and the pooled scores.
    package var lines: [String] {
        ScoreSpread.lines(folds, of: "held-out", unit: "folds") + [pooled.report()]
    }
}
