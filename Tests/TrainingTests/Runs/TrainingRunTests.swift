// SPDX-License-Identifier: MIT

import Features
import ModelRuntime
import Testing
import Training

struct TrainingRunTests {
    private let train: FeatureMatrix
    private let test: FeatureMatrix

    init() throws {
        let table = SampleReadings.table(machines: 10, hours: 60)
        let engine = try FeatureEngine(try SampleReadings.transform(table))
        train = FeatureMatrix(table, engine: engine)
        test = FeatureMatrix(SampleReadings.table(machines: 3, hours: 60, seed: 9), engine: engine)
    }

    private func run(seed: UInt64 = 1, epochs: Int = 25) -> TrainingRun {
        var options = TrainerOptions()
        options.hiddenSizes = [8]
        options.epochs = epochs
        options.batchSize = 32
        options.learningRate = 0.05
        options.seed = seed
        return TrainingRun(options: options)
    }

    private func machines(_ flags: [Bool], _ side: Bool) -> Set<Int32> {
        let codes = train.entities?.codes ?? []
        return Set(codes.indices.filter { flags[$0] == side }.map { codes[$0] })
    }

    @Test(arguments: [(1, 4), (2, 2), (3, 1), (8, 1)])
    func membersShareTheThreadsOut(members: Int, expected: Int) {
        let run = TrainingRun(options: TrainerOptions(), memberCount: members, threadCount: 4)
        #expect(run.threadsOfAMember == expected)
    }

    @Test func judgesOnAFifthOfTheMachines() {
        let flags = run().validationFlags(train)
        #expect(machines(flags, true).count == 2)
        #expect(machines(flags, true).isDisjoint(with: machines(flags, false)))
        #expect(machines(flags, true).union(machines(flags, false)).count == 10)
    }

    @Test func choosesTheMachinesBySeed() {
        let chosen = (0..<20 as Range<UInt64>).map {
            machines(run(seed: $0).validationFlags(train), true)
        }
        #expect(Set(chosen).count > 5)
        #expect(machines(run(seed: 4).validationFlags(train), true) == chosen[4])
    }

    @Test(arguments: [(0.0, 0), (0.01, 1), (0.99, 9)])
    func keepsAMachineOnBothSides(validationSize: Double, count: Int) {
        var run = run()
        run.validationSize = validationSize
        #expect(machines(run.validationFlags(train), true).count == count)
    }

    @Test(arguments: [Double.leastNonzeroMagnitude, 1e-19, 0.01])
    func membersHoldOutAMachineEachOfThePartThatIsLeast(validationSize: Double) {
        var run = run()
        run.memberCount = 3
        run.validationSize = validationSize
        let heldOut = (0..<3).map { machines(run.validationFlags(train, member: $0), true) }
        #expect(heldOut.allSatisfy { $0.count == 1 })
        #expect(Set(heldOut).count == 3)
    }

    @Test func takesRowsWhereThereAreNoMachines() {
        var lone = train
        lone.entities = nil
        #expect(run().validationFlags(lone).count { $0 } == 120)
    }

    @Test func keepsTheWeightsOfTheBestEpoch() throws {
        let run = run()
        var epochs: [EpochReport] = []
        let outcome = try run.run(train: train, test: test) { epochs.append($1) }
        let best = try #require(epochs.max { ($0.prAUC ?? 0) < ($1.prAUC ?? 0) })
        #expect(outcome.validationPRAUC == best.prAUC)
        // A better epoch is followed by worse ones, so that there is something to restore.
        #expect(epochs.last?.isBest == false)
        let flags = run.validationFlags(train)
        let network = try Network(
            layers: outcome.members[0].layers,
            tensors: outcome.members[0].tensors
        )
        let probabilities = try TrainingRun.probabilities(
            train,
            network: network,
            calibrator: .identity
        )
        let rows = flags.indices.filter { flags[$0] }
        let prAUC = RankingMetrics.averagePrecision(
            scores: rows.map { probabilities[$0] },
            labels: rows.map { train.labels[$0] }
        )
        #expect(prAUC == best.prAUC)
    }

    @Test func scoresTheTestRowsWithTheFinalNetwork() throws {
        let outcome = try run(epochs: 3).run(train: train, test: test) { _, _ in }
        let network = try Network(
            layers: outcome.members[0].layers,
            tensors: outcome.members[0].tensors
        )
        let score = try TrainingRun.score(test, network: network, threshold: 0.5)
        #expect(outcome.test.metrics == score.metrics)
        #expect(outcome.test.metrics.count == 180)
    }

    @Test func lookingAtOtherTestRowsChangesNoWeight() throws {
        let one = try run(epochs: 3).run(train: train, test: test) { _, _ in }
        let other = try run(epochs: 3).run(train: train, test: train) { _, _ in }
        #expect(one.members[0].tensors == other.members[0].tensors)
    }

    @Test func refusesRowsThatOverflowTheNetwork() throws {
        var linear = run(epochs: 1)
        linear.options.hiddenSizes = []
        let outcome = try linear.run(train: train, test: test) { _, _ in }
        let network = try Network(
            layers: outcome.members[0].layers,
            tensors: outcome.members[0].tensors
        )
        var huge = test
        let width = test.names.count
        for index in 0..<width {
            // Infinities of both signs, for the weights have both.
            huge.values[width + index] = .infinity
        }
        let error = refusal { () throws(TrainingError) in
            try TrainingRun.score(huge, network: network, threshold: 0.5)
        }
        #expect(error == "row 2: its features are too large for the network")
    }

    private func labelError(_ matrix: FeatureMatrix, size: Double = 0.2) -> String? {
        refusal { () throws(TrainingError) in
            var run = run(seed: 4)
            run.validationSize = size
            try run.checkLabels(matrix, path: "f.csv")
        }
    }

    @Test(arguments: [(0, "no failure"), (1, "nothing but failures")] as [(UInt8, String)])
    func refusesAPartWithOneClass(label: UInt8, lack: String) {
        let isValidation = run(seed: 4).validationFlags(train)
        #expect(labelError(train) == nil)
        var changed = train
        changed.labels = train.labels.map { _ in label }
        #expect(labelError(changed) == "f.csv: \(lack) among its 600 rows: nothing to learn")
        for (side, name, count) in [(true, "validation", 120), (false, "training", 480)] {
            changed = train
            for row in isValidation.indices where isValidation[row] == side {
                changed.labels[row] = label
            }
            let error = labelError(changed)
            let place = "f.csv: with --seed 4 there is \(lack) among the \(count) \(name) rows of "
            #expect(error?.hasPrefix("\(place)\(count / 60) machines (M") == true, "\(error ?? "")")
            #expect(error?.contains("(--validation-size 0)") == true)
            #expect(labelError(changed, size: 0) == nil)
        }
    }

    @Test func refusesToKeepAValidationMachineOfOne() {
        var one = train
        one.entities = CategoryColumn(categories: ["M0"], codes: Array(repeating: 0, count: 600))
        #expect(labelError(one)?.contains("no failure among the 0 validation rows") == true)
        #expect(labelError(one, size: 0) == nil)
    }

    @Test func saysWhatCannotBeTrainedOn() {
        var oneClass = train
        oneClass.labels = train.labels.map { _ in 0 }
        let error = refusal { () throws(TrainingError) in
            try run().run(train: oneClass, test: test) { _, _ in }
        }
        #expect(error == "training: the training rows are all of one class")
    }

    @Test func membersShareTheMachinesOutForValidation() {
        var run = run()
        run.memberCount = 3
        var seen: [Set<Int32>] = []
        for member in 0..<3 {
            let flags = run.validationFlags(train, member: member)
            #expect(machines(flags, true).isDisjoint(with: machines(flags, false)))
            for other in seen { #expect(machines(flags, true).isDisjoint(with: other)) }
            seen.append(machines(flags, true))
        }
        // A fifth each, as one member would have.
        #expect(seen.map(\.count) == [2, 2, 2])
        run.memberCount = 10
        let all = (0..<10).map { machines(run.validationFlags(train, member: $0), true) }
        #expect(all.map(\.count) == Array(repeating: 1, count: 10))
        #expect(Set(all.joined()).count == 10)
        run.validationSize = 0
        #expect(!run.validationFlags(train, member: 3).contains(true))
    }

    @Test func membersAnswerTogetherAndTheTestRowsChangeNeitherLineNorThreshold() throws {
        var run = run(epochs: 4)
        run.memberCount = 2
        run.calibration = .platt
        run.decision = .recall(0.9)
        let one = try run.run(train: train, test: test) { _, _ in }
        #expect(one.members.count == 2)
        #expect(one.members[0].tensors != one.members[1].tensors)
        let probabilities = try TrainingRun.probabilities(
            test,
            network: try TrainingRun.network(one.members),
            calibrator: one.calibrator
        )
        let expected = Evaluation(
            probabilities: probabilities,
            labels: test.labels,
            threshold: one.threshold,
            thresholdRule: run.decision.description
        )
        #expect(one.test == expected)
        let other = try run.run(train: train, test: train) { _, _ in }
        #expect(one.calibrator == other.calibrator && one.threshold == other.threshold)
        #expect(one.members.map(\.tensors) == other.members.map(\.tensors))
    }

    @Test func membersReportTheirEpochsInOrder() throws {
        var run = run(epochs: 3)
        run.memberCount = 3
        var reported: [[Int]] = []
        let outcome = try run.run(train: train, test: test) { reported.append([$0, $1.epoch]) }
        let expected = outcome.members.enumerated().flatMap { member, trained in
            trained.history.map { [member, $0.epoch] }
        }
        #expect(reported == expected)
    }

    @Test func refusesAThresholdThatTheValidationRowsDoNotHave() {
        var run = run(epochs: 1)
        run.validationSize = 0
        run.decision = .precision(0.5)
        let error = refusal { () throws(TrainingError) in
            try run.run(train: train, test: test) { _, _ in }
        }
        #expect(error?.hasPrefix("the validation rows have no threshold of precision") == true)
    }
}
