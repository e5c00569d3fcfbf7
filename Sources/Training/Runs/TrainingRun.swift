// SPDX-License-Identifier: MIT

internal import Features
package import ModelRuntime
internal import Platform

/// A model trained on a feature file, judged on another, ready to become a bundle.
package struct TrainingRun: Sendable {
    /// The most threads that may train.
    package static let threadCountMax = WorkTeam.threadCountMax

    /// How the networks are trained.
    package var options: TrainerOptions
    /// The share of the machines that early stopping judges on.
    package var validationSize: Double
    /// How many networks answer together, each with a seed and validation machines of its own.
    package var memberCount: Int
    /// How the probabilities are corrected with the validation machines.
    package var calibration: CalibrationMethod
    /// How the threshold is found on the validation machines.
    package var decision: DecisionRule
    /// How many threads may train; the bytes do not depend on it.
    package var threadCount: Int

    /// Describes a run.
    package init(
        options: TrainerOptions,
        validationSize: Double = 0.2,
        memberCount: Int = 1,
        calibration: CalibrationMethod = .none,
        decision: DecisionRule = .fixed(0.5),
        threadCount: Int = 1
    ) {
        precondition(memberCount > 0 && threadCount > 0)
        self.options = options
        self.validationSize = validationSize
        self.memberCount = memberCount
        self.calibration = calibration
        self.decision = decision
        self.threadCount = threadCount
    }

    /// What a run came to.
    package struct Outcome: Sendable {
        /// The trained members, at least one, all of the same layers.
        package var members: [TrainedNetwork]
        /// What turns their mean logit into a probability.
        package var calibrator: Calibrator
        /// The least probability that is a positive prediction.
        package var threshold: Double
        /// The mean over the members of the best epoch's PR-AUC on their validation machines.
        package var validationPRAUC: Double?
        /// The score on the test rows, which were looked at once, after training.
        package var test: Evaluation

        /// Gathers what a run came to.
        package init(
            members: [TrainedNetwork],
            calibrator: Calibrator = .identity,
            threshold: Double = 0.5,
            validationPRAUC: Double?,
            test: Evaluation
        ) {
            self.members = members
            self.calibrator = calibrator
            self.threshold = threshold
            self.validationPRAUC = validationPRAUC
            self.test = test
        }
    }

    /// Trains each member on `train` but for its validation machines, and scores `test` once at the
    /// end.
    ///
    /// `report` is called after each epoch with the member's index; several members are trained
    /// side by side, on a thread each, and their epochs are reported at the end.
    ///
    /// - Throws: ``TrainingError``.
    package func run(
        train: FeatureMatrix,
        test: FeatureMatrix,
        report: (_ member: Int, EpochReport) -> Void
    ) throws(TrainingError) -> Outcome {
        let members = try trainMembers(train, report: report)
        var heldOut = HeldOutLogits()
        for (member, trained) in members.enumerated() {
            let isValidation = validationFlags(train, member: member)
            let network = try Self.network([trained])
            let logits = try Self.logits(train, network: network)
            let folds = calibrationFolds(train, member: member)
            for row in isValidation.indices where isValidation[row] {
                heldOut.append(logit: logits[row], label: train.labels[row], fold: folds[row])
            }
        }
        let calibrator = heldOut.calibrator(calibration)
        let threshold = try threshold(heldOut, calibrator)
        let probabilities = try Self.probabilities(
            test,
            network: try Self.network(members),
            calibrator: calibrator
        )
        let evaluation = Evaluation(
            test,
            probabilities: probabilities,
            threshold: threshold,
            thresholdRule: decision.description
        )
        guard let evaluation else { throw .unusable("there are no rows to score") }
        let bests = members.compactMap { member in
            member.history.first { $0.epoch == member.bestEpoch }?.prAUC
        }
        return Outcome(
            members: members,
            calibrator: calibrator,
            threshold: threshold,
            validationPRAUC: bests.isEmpty ? nil : bests.reduce(0, +) / Double(bests.count),
            test: evaluation
        )
    }

    /// Trains the members; their bytes do not depend on how many are trained at a time.
    private func trainMembers(
        _ train: FeatureMatrix,
        report: (_ member: Int, EpochReport) -> Void
    ) throws(TrainingError) -> [TrainedNetwork] {
        guard memberCount > 1 else {
            return [try trainMember(0, train, validationFlags(train)) { report(0, $0) }]
        }
        let results = concurrentMap(count: memberCount) { member in
            Result { () throws(TrainingError) in
                try trainMember(member, train, validationFlags(train, member: member)) { _ in }
            }
        }
        var members: [TrainedNetwork] = []
        for (member, result) in results.enumerated() {
            let trained = try result.get()
            for epoch in trained.history { report(member, epoch) }
            members.append(trained)
        }
        return members
    }

    private func trainMember(
        _ member: Int,
        _ train: FeatureMatrix,
        _ isValidation: [Bool],
        report: (EpochReport) -> Void
    ) throws(TrainingError) -> TrainedNetwork {
        var options = options
        var generator = SeededGenerator(seed: options.seed, stream: 2)
        for _ in 0..<member { options.seed = generator.next() }
        do throws(TrainerError) {
            let trainer = try NetworkTrainer(options: options, threadCount: threadsOfAMember)
            return try trainer.train(
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
    }

    /// The most threads that train one member.
    package var threadsOfAMember: Int { max(1, threadCount / memberCount) }

    private func threshold(
        _ heldOut: HeldOutLogits,
        _ calibrator: Calibrator
    ) throws(TrainingError) -> Double {
        let threshold = decision.threshold(
            probabilities: heldOut.probabilities(calibrator),
            labels: heldOut.labels
        )
        guard let threshold else {
            throw .unusable("the validation rows have no threshold of \(decision.description)")
        }
        return threshold
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
        for member in 0..<memberCount {
            try checkSides(train, validationFlags(train, member: member), path)
        }
    }

    private func checkSides(
        _ train: FeatureMatrix,
        _ isValidation: [Bool],
        _ path: String
    ) throws(TrainingError) {
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

    /// Which rows early stopping of a member judges on: whole machines, at least one and never all
    /// of them where ``validationSize`` is not 0; rows where there are no machines.
    ///
    /// Several members share the machines out among them, so that each machine is held out from one
    /// at most; there are no fewer parts than members.
    package func validationFlags(_ matrix: FeatureMatrix, member: Int = 0) -> [Bool] {
        let (codes, machines) = shuffledMachines(matrix)
        guard validationSize > 0 else { return codes.map { _ in false } }
        let chosen: Set<Int32>
        if memberCount == 1 {
            let share = Int((Double(machines.count) * validationSize).rounded())
            chosen = Set(machines.prefix(min(max(share, 1), machines.count - 1)))
        } else {
            // More parts than machines hold out no other ones.
            let wanted = min((1 / validationSize).rounded(), Double(machines.count))
            let parts = max(memberCount, Int(wanted))
            let places = machines.indices.filter { $0 % parts == member }
            chosen = Set(places.map { machines[$0] })
        }
        return codes.map { chosen.contains($0) }
    }

    /// The part of each row's machine among those that calibration is fitted on and judged by: that
    /// of its member, or halves where there is one.
    private func calibrationFolds(_ matrix: FeatureMatrix, member: Int) -> [Int] {
        let (codes, machines) = shuffledMachines(matrix)
        guard memberCount == 1 else { return codes.map { _ in member } }
        var folds: [Int32: Int] = [:]
        for (place, machine) in machines.enumerated() { folds[machine] = place % 2 }
        return codes.map { folds[$0] ?? 0 }
    }

    /// Each row's machine, itself where there are none, and all machines in the seed's order.
    private func shuffledMachines(_ matrix: FeatureMatrix) -> (codes: [Int32], machines: [Int32]) {
        var generator = SeededGenerator(seed: options.seed, stream: 1)
        let codes = matrix.entities?.codes ?? (0..<Int32(matrix.rowCount)).map { $0 }
        // Context leaves gaps in the numbers of the machines.
        var machines = Array(Set(codes)).sorted()
        generator.shuffle(&machines)
        return (codes, machines)
    }
}
