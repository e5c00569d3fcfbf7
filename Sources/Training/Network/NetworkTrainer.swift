// SPDX-License-Identifier: MIT

package import ModelRuntime
package import Platform

/// A trained network.
package struct TrainedNetwork: Sendable {
    /// The layers as the manifest describes them.
    package var layers: [Layer]
    /// The tensors of each layer.
    package var tensors: [LayerTensors]
    /// The epoch whose weights these are, from 1.
    package var bestEpoch: Int
    /// All epochs in order.
    package var history: [EpochReport]
    /// The weights of class 0 and 1 in the loss.
    package var classWeights: (Double, Double)
}

/// Trains the dense network: Adam on class-weighted cross-entropy, stopped early by the validation
/// PR-AUC.
///
/// The same data, options and kernel variant give the same bytes, whatever the number of threads.
///
/// The hidden layers have no bias: batch normalisation takes any constant off again and its beta
/// stands in; their bias tensors are zeros.
package struct NetworkTrainer {
    /// How to train.
    package let options: TrainerOptions
    private let variant: KernelVariant
    private let threadCount: Int
    private let clock: MonotonicClock

    /// Checks the options.
    ///
    /// How many of the threads work at a time, the times of `clock` decide.
    ///
    /// - Throws: ``TrainerError/option(name:value:allowed:)``.
    package init(
        options: TrainerOptions = TrainerOptions(),
        variant: KernelVariant = .best,
        threadCount: Int = 1,
        clock: MonotonicClock = .system
    ) throws(TrainerError) {
        precondition(threadCount > 0)
        try options.validate()
        self.options = options
        self.variant = variant
        self.threadCount = threadCount
        self.clock = clock
    }

    /// Trains on some rows of features[rows][inputs] and judges each epoch on others.
    ///
    /// Without validation rows, or with none of class 1 among them, all epochs run and the last
    /// weights are kept. `report` is called after each epoch; where it returns false, training
    /// ends.
    ///
    /// - Throws: ``TrainerError``.
    package func train(
        features: [Float],
        inputs: Int,
        labels: [UInt8],
        trainRows: [Int],
        validationRows: [Int],
        report: (EpochReport) -> Bool = { _ in true }
    ) throws(TrainerError) -> TrainedNetwork {
        guard trainRows.count > 1 else { throw .rows(actual: trainRows.count, minimum: 2) }
        try check(features, inputs, labels, trainRows + validationRows)
        let weights = try classWeights(labels, trainRows)
        let states = states(inputs: inputs)
        let state = states[0]
        var generator = SeededGenerator(seed: options.seed)
        state.start(with: &generator)
        let validation = Validation(features, inputs, labels, validationRows, weights)
        var order = trainRows.map { Int32($0) }
        var schedule = TrainingSchedule(options)
        var choice = TeamChoice(most: threadCount)
        var stepCount = 0
        var history: [EpochReport] = []
        var best = (epoch: 0, tensors: [LayerTensors]())
        for epoch in 1...options.epochs {
            generator.shuffle(&order)
            let rate = schedule.learningRate
            let ends = batchEnds(order.count)
            let epochSteps = TrainingBlock(
                features: features,
                labels: labels,
                order: order,
                places: 0..<(ends.last ?? 0),
                batchSize: options.batchSize,
                classWeights: weights,
                dropoutSeeds: ends.map { _ in generator.next() },
                rates: ends.indices.map { state.adamRate(rate, step: stepCount + $0 + 1) }
            )
            stepCount += ends.count
            let loss = run(epochSteps, states, &choice)
            let tensors = state.tensors
            guard loss.isFinite,
                let network = try? Network(
                    layers: state.layers,
                    tensors: tensors,
                    variant: variant
                )
            else { throw .diverged(epoch: epoch) }
            var entry = validation.judge(network, threadCount: threadCount)
            entry.epoch = epoch
            entry.loss = loss
            entry.learningRate = rate
            entry.isBest = schedule.record(score: entry.prAUC)
            if entry.isBest { best = (epoch, tensors) }
            history.append(entry)
            guard report(entry), !schedule.isOver else { break }
        }
        return TrainedNetwork(
            layers: state.layers,
            tensors: best.tensors,
            bestEpoch: best.epoch,
            history: history,
            classWeights: weights
        )
    }

    /// The state in training, for each thread.
    private func states(inputs: Int) -> [TrainingState] {
        let kernels = Kernels(variant)
        let first = TrainingState(inputs: inputs, options: options, kernels: kernels)
        return [first]
            + (1..<threadCount).map { _ in
                TrainingState(inputs: inputs, options: options, kernels: kernels, sharing: first)
            }
    }

    /// Goes through the steps of an epoch in blocks and returns the mean loss.
    private func run(
        _ epoch: TrainingBlock,
        _ states: [TrainingState],
        _ choice: inout TeamChoice
    ) -> Double {
        var sum = 0.0
        var steps = 0..<0
        while steps.upperBound < epoch.dropoutSeeds.count {
            let end = steps.upperBound + choice.steps(batchSize: options.batchSize)
            steps = steps.upperBound..<min(end, epoch.dropoutSeeds.count)
            let block = epoch.steps(steps)
            let start = clock.nowNanoseconds
            sum = WorkTeam.run(threadCount: choice.threadCount) { [sum] member in
                states[member.part].run(block, after: sum, &member)
            }
            let seconds = Double(clock.nowNanoseconds - start) / 1e9
            choice.record(rows: block.places.count, seconds: seconds)
        }
        return sum / Double(epoch.places.count)
    }

    /// Where each batch of an epoch ends.
    private func batchEnds(_ count: Int) -> [Int] {
        // One row has no variance: such a rest would only teach zeros.
        stride(from: 0, to: count - 1, by: options.batchSize).map {
            min($0 + options.batchSize, count)
        }
    }

    private func classWeights(
        _ labels: [UInt8],
        _ rows: [Int]
    ) throws(TrainerError) -> (Double, Double) {
        let positives = rows.count(where: { labels[$0] == 1 })
        let negatives = rows.count - positives
        guard positives > 0, negatives > 0 else { throw .oneClass }
        guard options.weighsClasses else { return (1, 1) }
        let total = Double(rows.count)
        return (total / (2 * Double(negatives)), total / (2 * Double(positives)))
    }

    private func check(
        _ features: [Float],
        _ inputs: Int,
        _ labels: [UInt8],
        _ rows: [Int]
    ) throws(TrainerError) {
        guard (1...Network.widthMax).contains(inputs) else {
            throw .option(name: "inputs", value: "\(inputs)", allowed: "1 to \(Network.widthMax)")
        }
        guard features.count == inputs * labels.count, labels.count <= Int(Int32.max) else {
            throw .shape(features: features.count, inputs: inputs, labels: labels.count)
        }
        if let row = labels.firstIndex(where: { $0 > 1 }) { throw .label(row: row) }
        for row in rows {
            guard row >= 0, row < labels.count else { throw .rowIndex(row, rows: labels.count) }
            for column in 0..<inputs where !features[row * inputs + column].isFinite {
                throw .notFinite(row: row, column: column)
            }
        }
    }
}
