// SPDX-License-Identifier: MIT

import ModelRuntime
import Platform
import Testing
import Training

struct NetworkTrainerTests {
    /// Rows whose label depends on a product of two features: no linear model finds it.
    private struct Sample {
        var features: [Float] = []
        var labels: [UInt8] = []
        let inputs = 6

        init(rows: Int, seed: UInt64 = 21) {
            var generator = SeededGenerator(seed: seed)
            for _ in 0..<rows {
                let row = (0..<inputs).map { _ in generator.normal() }
                features += row.map { Float($0) }
                labels.append(row[0] * row[1] + 0.1 * generator.normal() > 0.8 ? 1 : 0)
            }
        }
    }

    private func train(
        _ options: TrainerOptions,
        rows: Int = 2000,
        change: (inout Sample) -> Void = { _ in },
        report: (EpochReport) -> Bool = { _ in true }
    ) throws(TrainerError) -> TrainedNetwork {
        var sample = Sample(rows: rows)
        change(&sample)
        return try NetworkTrainer(options: options).train(
            features: sample.features,
            inputs: sample.inputs,
            labels: sample.labels,
            trainRows: Array(0..<rows * 3 / 4),
            validationRows: Array(rows * 3 / 4..<rows),
            report: report
        )
    }

    private func small(epochs: Int = 12) -> TrainerOptions {
        var options = TrainerOptions()
        options.hiddenSizes = [32, 16]
        options.epochs = epochs
        options.batchSize = 64
        options.learningRate = 1e-2
        options.dropout = 0.1
        return options
    }

    @Test func learnsAProductOfFeatures() throws {
        let trained = try train(small(epochs: 25))
        let best = trained.history[trained.bestEpoch - 1]
        #expect(best.isBest)
        #expect((best.prAUC ?? 0) > 0.9)
        #expect((best.rocAUC ?? 0) > 0.97)
        #expect(trained.history[0].loss > best.loss)
    }

    @Test func sameSeedGivesSameBytes() throws {
        let first = try train(small(epochs: 3))
        let second = try train(small(epochs: 3))
        #expect(first.tensors == second.tensors)
        #expect(first.history == second.history)
        var other = small(epochs: 3)
        other.seed = 43
        let third = try train(other)
        #expect(third.tensors != first.tensors)
    }

    /// A clock by which every block takes half as long as the one before, so that ever more threads
    /// seem to be worth it.
    private func clockThatLikesThreads() -> MonotonicClock {
        let time = Lock((now: Int64(0), step: Int64(1) << 60))
        return MonotonicClock {
            time.withLock {
                $0.step = max($0.step * 2 / 3, 1)
                $0.now += $0.step
                return $0.now
            }
        }
    }

    /// Batches of 150 rows and a rest of 100, and layers of several pieces and of less than one.
    @Test(arguments: [2, 3, 8], [[128, 64, 40], [16], []])
    func anyNumberOfThreadsGivesTheSameBytes(threads: Int, hidden: [Int]) throws {
        var options = small(epochs: 4)
        options.hiddenSizes = hidden
        options.batchSize = 150
        let sample = Sample(rows: 1200)
        func train(_ threadCount: Int, _ clock: MonotonicClock) throws -> TrainedNetwork {
            try NetworkTrainer(options: options, threadCount: threadCount, clock: clock).train(
                features: sample.features,
                inputs: sample.inputs,
                labels: sample.labels,
                trainRows: Array(0..<1000),
                validationRows: Array(1000..<1200)
            )
        }
        let one = try train(1, .system)
        for clock in [MonotonicClock.system, clockThatLikesThreads()] {
            let many = try train(threads, clock)
            #expect(one.tensors == many.tensors)
            #expect(one.history == many.history)
        }
    }

    /// Both fuse multiplication and addition, and no sum depends on how many lanes there are.
    @Test(.enabled(if: KernelVariant.available.count == 3, "this CPU has no AVX-512"))
    func widerVectorsGiveTheSameBytes() throws {
        let sample = Sample(rows: 600)
        func train(_ variant: KernelVariant) throws -> TrainedNetwork {
            try NetworkTrainer(options: small(epochs: 2), variant: variant).train(
                features: sample.features,
                inputs: sample.inputs,
                labels: sample.labels,
                trainRows: Array(0..<500),
                validationRows: Array(500..<600)
            )
        }
        let variants = KernelVariant.available.filter { $0 != .baseline }
        let trained = try variants.map(train)
        #expect(trained.allSatisfy { $0.tensors == trained[0].tensors })
    }

    @Test func restoresTheBestWeights() throws {
        let trained = try train(small(epochs: 10))
        let sample = Sample(rows: 2000)
        let network = try Network(layers: trained.layers, tensors: trained.tensors)
        var logits = [Float](repeating: 0, count: 500)
        let scratch = ForwardScratch(for: network)
        var span = logits.mutableSpan
        let rows = Array(sample.features[1500 * 6..<2000 * 6])
        network.forward(rows: rows.span, into: &span, scratch: scratch)
        let area = RankingMetrics.averagePrecision(
            scores: logits.map { Network.probability(ofLogit: $0) },
            labels: Array(sample.labels[1500..<2000])
        )
        let best = trained.history.compactMap(\.prAUC).max()
        #expect(area == best)
        #expect(trained.history[trained.bestEpoch - 1].prAUC == best)
    }

    @Test func stopsAfterItsPatience() throws {
        var options = small(epochs: 400)
        options.stopPatience = 3
        options.plateauPatience = 2
        let trained = try train(options)
        #expect(trained.history.count == trained.bestEpoch + 3)
        let rates = trained.history.map(\.learningRate)
        // The rate falls once within the last three epochs, after two without a better score.
        #expect(rates[rates.count - 1] == rates[rates.count - 2] / 2)
        #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 >= $1 })
    }

    @Test func endsWhereTheCallerSaysSo() throws {
        let trained = try train(small(), report: { $0.epoch < 2 })
        #expect(trained.history.count == 2)
    }

    @Test func classWeightsFollowTheFormula() throws {
        let trained = try train(small(epochs: 1))
        let labels = Sample(rows: 2000).labels[..<1500]
        let positives = Double(labels.count { $0 == 1 })
        #expect(trained.classWeights.1 == 1500 / (2 * positives))
        #expect(trained.classWeights.0 == 1500 / (2 * (1500 - positives)))
        var options = small(epochs: 1)
        options.weighsClasses = false
        let even = try train(options)
        #expect(even.classWeights == (1, 1))
    }

    @Test func trainsWithoutValidationRows() throws {
        let sample = Sample(rows: 300)
        let trained = try NetworkTrainer(options: small(epochs: 4)).train(
            features: sample.features,
            inputs: 6,
            labels: sample.labels,
            trainRows: Array(0..<300),
            validationRows: []
        )
        #expect(trained.bestEpoch == 4)
        #expect(trained.history.allSatisfy { $0.prAUC == nil })
    }

    @Test func skipsARestOfOneRow() throws {
        let sample = Sample(rows: 129)
        var options = small(epochs: 2)
        options.batchSize = 128
        let trained = try NetworkTrainer(options: options).train(
            features: sample.features,
            inputs: 6,
            labels: sample.labels,
            trainRows: Array(0..<129),
            validationRows: []
        )
        #expect(trained.tensors[0].weight.allSatisfy { $0.isFinite })
    }

    @Test func describesItsLayers() throws {
        let trained = try train(small(epochs: 1))
        #expect(trained.layers.map(\.inputs) == [6, 32, 16])
        #expect(trained.layers.map(\.outputs) == [32, 16, 1])
        #expect(
            trained.layers[0].normalization == .init(epsilon: 1e-3, position: .beforeActivation)
        )
        #expect(trained.layers[2].normalization == nil)
        for (layer, tensors) in zip(trained.layers, trained.tensors) {
            for name in LayerTensors.Name.allCases {
                let count = LayerTensors.shape(of: name, in: layer)?.reduce(1, *) ?? 0
                #expect(tensors[name].count == count)
            }
        }
    }

    private func error(
        rows: Int = 40,
        _ change: (inout Sample) -> Void
    ) -> TrainerError? {
        do throws(TrainerError) {
            _ = try train(small(epochs: 1), rows: rows, change: change)
            return nil
        } catch {
            return error
        }
    }

    @Test func refusesBadData() {
        #expect(error { _ in } == nil)
        #expect(error { $0.labels[3] = 2 } == .label(row: 3))
        #expect(error { $0.features[6 * 5 + 2] = .nan } == .notFinite(row: 5, column: 2))
        #expect(error { $0.features.removeLast() } == .shape(features: 239, inputs: 6, labels: 40))
        #expect(error { $0.labels = [UInt8](repeating: 0, count: 40) } == .oneClass)
        #expect(error(rows: 2) { _ in } == .rows(actual: 1, minimum: 2))
    }

    @Test func refusesRowsThatAreNotThere() throws {
        let sample = Sample(rows: 10)
        #expect(throws: TrainerError.rowIndex(10, rows: 10)) {
            try NetworkTrainer(options: small()).train(
                features: sample.features,
                inputs: 6,
                labels: sample.labels,
                trainRows: [0, 1, 10],
                validationRows: []
            )
        }
    }

    private static let badOptions: [(String, @Sendable (inout TrainerOptions) -> Void)] = [
        ("hidden sizes", { $0.hiddenSizes = [0] }),
        ("hidden sizes", { $0.hiddenSizes = [8193] }),
        ("hidden sizes", { $0.hiddenSizes = [Int](repeating: 1, count: 16) }),
        ("dropout", { $0.dropout = 1 }),
        ("dropout", { $0.dropout = -0.1 }),
        ("batch size", { $0.batchSize = 1 }),
        ("batch size", { $0.batchSize = 65_537 }),
        ("epochs", { $0.epochs = 0 }),
        ("learning rate", { $0.learningRate = 0 }),
        ("learning rate", { $0.learningRate = .nan }),
        ("beta1", { $0.beta1 = 1 }),
        ("beta2", { $0.beta2 = 1 }),
        ("Adam epsilon", { $0.adamEpsilon = 0 }),
        ("normalization epsilon", { $0.normalizationEpsilon = 0 }),
        ("normalization momentum", { $0.normalizationMomentum = 1 }),
        ("stop patience", { $0.stopPatience = 0 }),
        ("plateau patience", { $0.plateauPatience = 0 }),
        ("plateau factor", { $0.plateauFactor = 0 }),
        ("plateau factor", { $0.plateauFactor = 1.5 }),
        ("least learning rate", { $0.learningRateMin = -1 }),
    ]

    @Test(arguments: badOptions.indices)
    func refusesOptionsOutOfRange(index: Int) throws {
        let (name, change) = Self.badOptions[index]
        var options = TrainerOptions()
        try options.validate()
        change(&options)
        let error = #expect(throws: TrainerError.self) { try NetworkTrainer(options: options) }
        guard case .option(let found, _, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(found == name)
    }

    @Test func acceptsOptionsAtTheirLimits() throws {
        var options = TrainerOptions()
        options.hiddenSizes = [8192] + [Int](repeating: 1, count: 14)
        options.dropout = 0
        options.batchSize = 65_536
        options.plateauFactor = 1
        options.learningRateMin = 0
        try options.validate()
    }
}
