// SPDX-License-Identifier: MIT

internal import Features
package import ModelRuntime

/// One network trained on a feature file, judged on another, ready to become a bundle.
package struct TrainingRun: Sendable {
    /// How the network is trained.
    package var options: TrainerOptions
    /// The share of the machines that early stopping judges on.
    package var validationSize: Double

    /// Describes a run.
    package init(options: TrainerOptions, validationSize: Double = 0.2) {
        self.options = options
        self.validationSize = validationSize
    }

    /// What a run came to.
    package struct Outcome: Sendable {
        /// The trained network's layers and tensors.
        package var trained: TrainedNetwork
        /// The best epoch's PR-AUC on the validation machines.
        package var validationPRAUC: Double?
        /// The score on the test rows, which were looked at once, after training.
        package var test: ClassificationMetrics
    }

    /// Trains on `train` but for its validation machines, and scores `test` once at the end.
    ///
    /// `report` is called after each epoch.
    ///
    /// - Throws: ``TrainingError``.
    package func run(
        train: FeatureMatrix,
        test: FeatureMatrix,
        report: (EpochReport) -> Void
    ) throws(TrainingError) -> Outcome {
        let isValidation = validationFlags(train)
        let trained: TrainedNetwork
        do throws(TrainerError) {
            trained = try NetworkTrainer(options: options).train(
                features: train.values,
                inputs: train.names.count,
                labels: train.labels,
                trainRows: train.labels.indices.filter { !isValidation[$0] },
                validationRows: train.labels.indices.filter { isValidation[$0] },
                report: { epoch in
                    report(epoch)
                    return true
                }
            )
        } catch {
            throw .unusable("training: \(error)")
        }
        let network: Network
        do throws(NetworkError) {
            network = try Network(layers: trained.layers, tensors: trained.tensors)
        } catch {
            throw .unusable("the trained network: \(error)")
        }
        let best = trained.history.first { $0.epoch == trained.bestEpoch }
        return Outcome(
            trained: trained,
            validationPRAUC: best?.prAUC,
            test: try Self.score(test, network: network, threshold: 0.5)
        )
    }

    /// Checks that there is something to learn from and that early stopping can judge.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` naming `path`, the part that lacks failures or
    ///   normal rows, and how to go on.
    package func checkLabels(_ train: FeatureMatrix, path: String) throws(TrainingError) {
        if let lack = Self.lack(train.labels) {
            throw .unusable("\(path): \(lack) among its \(train.rowCount) rows: nothing to learn")
        }
        guard validationSize > 0 else { return }
        let isValidation = validationFlags(train)
        for (name, side) in [("validation", true), ("training", false)] {
            let rows = isValidation.indices.filter { isValidation[$0] == side }
            guard let lack = Self.lack(rows.map { train.labels[$0] }) else { continue }
            throw .unusable(
                "\(path): with --seed \(options.seed) there is \(lack) among the \(rows.count)"
                    + " \(name) rows\(Self.machines(rows, train)): choose another --seed or"
                    + " --validation-size, or keep no validation rows (--validation-size 0)"
            )
        }
    }

    private static func lack(_ labels: [UInt8]) -> String? {
        if !labels.contains(1) { return "no failure" }
        return labels.contains(0) ? nil : "nothing but failures"
    }

    /// The first few machines of the rows, as a part of a message.
    private static func machines(_ rows: [Int], _ matrix: FeatureMatrix) -> String {
        guard let entities = matrix.entities, !rows.isEmpty else { return "" }
        let names = Set(rows.map { entities.codes[$0] }).sorted().map {
            entities.categories[Int($0)]
        }
        let more = names.count > 5 ? ", ..." : ""
        return " of \(names.count) machines (\(names.prefix(5).joined(separator: ", "))\(more))"
    }

    /// Scores a matrix with a network.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where there are no rows.
    package static func score(
        _ matrix: FeatureMatrix,
        network: Network,
        threshold: Double
    ) throws(TrainingError) -> ClassificationMetrics {
        let metrics = ClassificationMetrics(
            probabilities: try probabilities(matrix, network: network),
            labels: matrix.labels,
            threshold: threshold
        )
        guard let metrics else { throw .unusable("there are no rows to score") }
        return metrics
    }

    /// The probability of each row.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where the network's sums overflow.
    package static func probabilities(
        _ matrix: FeatureMatrix,
        network: Network
    ) throws(TrainingError) -> [Double] {
        var logits = [Float](repeating: 0, count: matrix.rowCount)
        var output = logits.mutableSpan
        let scratch = ForwardScratch(for: network)
        network.forward(rows: matrix.values.span, into: &output, scratch: scratch)
        if let row = logits.firstIndex(where: \.isNaN) {
            throw .unusable("row \(row + 1): its features are too large for the network")
        }
        return logits.map { Network.probability(ofLogit: $0) }
    }

    /// Which rows early stopping judges on: whole machines, at least one and never all of them
    /// where ``validationSize`` is not 0; rows where there are no machines.
    package func validationFlags(_ matrix: FeatureMatrix) -> [Bool] {
        var generator = SeededGenerator(seed: options.seed, stream: 1)
        let codes = matrix.entities?.codes ?? (0..<Int32(matrix.rowCount)).map { $0 }
        // Context leaves gaps in the numbers of the machines.
        var machines = Array(Set(codes)).sorted()
        generator.shuffle(&machines)
        let share = Int((Double(machines.count) * validationSize).rounded())
        let count = validationSize == 0 ? 0 : min(max(share, 1), machines.count - 1)
        let chosen = Set(machines.prefix(count))
        return codes.map { chosen.contains($0) }
    }
}
