// SPDX-License-Identifier: MIT

import ArgumentParser
import JSON
import ModelRuntime
import Platform
import Training

/// Trains the network and writes a bundle.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains the network on a feature file and writes a model bundle.",
        discussion: """
            A fifth of the training machines is kept for early stopping; the test rows are scored \
            once, at the end. With --seeds n, n networks are trained and the one with the best \
            validation PR-AUC becomes the bundle.
            """
    )

    @Option(help: "The feature file to train on; its features.json is read too.")
    var trainData: String

    @Option(help: "The feature file to judge on.")
    var testData: String

    @Option(help: "The most epochs.")
    var epochs = TrainerOptions().epochs

    @Option(help: "Rows per step.")
    var batchSize = TrainerOptions().batchSize

    @Option(help: "The directory below which <model>/<version> is written.")
    var outputDir = "models"

    @Option(help: "The model's name.")
    var model = "predictive-maintenance"

    @Option(help: "The bundle's version, YYYYMMDD_HHMMSS (default: now, UTC).")
    var version: String?

    @Option(help: "Widths of the hidden layers, separated by commas.")
    var hidden = TrainerOptions().hiddenSizes.map { "\($0)" }.joined(separator: ",")

    @Option(help: "The share of hidden outputs that dropout sets to zero.")
    var dropout = TrainerOptions().dropout

    @Option(help: "Adam's learning rate at the start.")
    var learningRate = TrainerOptions().learningRate

    @Flag(inversion: .prefixedNo, help: "Weigh both classes alike in the loss.")
    var classWeights = TrainerOptions().weighsClasses

    @Option(help: "Seed of weights, order, dropout and validation machines.")
    var seed = TrainerOptions().seed

    @Option(help: "How many models to train, with consecutive seeds; the best becomes the bundle.")
    var seeds = 1

    @Option(help: "How many networks a model has, each with validation machines of its own.")
    var members = 1

    @Option(help: "The most threads that train (default: one per core); the bytes stay the same.")
    var threads: Int?

    @Option(help: "Score the training machines too, each held out in one of so many folds.")
    var folds: Int?

    @Option(help: "How probabilities are corrected on the validation machines.")
    var calibration = CalibrationMethod.platt

    @OptionGroup(title: "Threshold")
    var threshold: ThresholdOptions

    @OptionGroup(title: "Alarms")
    var alarm: AlarmOptions

    @Option(help: "The share of the training machines that early stopping judges on.")
    var validationSize = 0.2

    @Option(help: "Write each network's test PR-AUC and ROC-AUC to this JSON file.")
    var report: String?

    func validate() throws {
        guard seeds > 0, seeds <= 1000 else { throw ValidationError("--seeds must be 1 to 1000") }
        guard members > 0, members <= Network.memberCountMax else {
            throw ValidationError("--members must be 1 to \(Network.memberCountMax)")
        }
        guard (1...TrainingRun.threadCountMax).contains(threads ?? 1) else {
            throw ValidationError("--threads must be 1 to \(TrainingRun.threadCountMax)")
        }
        guard folds ?? 2 >= 2 else { throw ValidationError("--folds must be at least 2") }
        guard (0..<1).contains(validationSize) else {
            throw ValidationError("--validation-size must be at least 0 and below 1")
        }
        do {
            try options().validate()
        } catch {
            throw ValidationError("\(error)")
        }
        if let version, BundleVersion(version) == nil {
            throw ValidationError("--version must have the form YYYYMMDD_HHMMSS")
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let fittedPath = "\(FileAccess.parent(of: trainData))/\(FittedFeatures.fileName)"
            let fitted = try FittedFeatures(path: fittedPath)
            let train = try FeatureMatrix(path: trainData, transform: fitted.transform)
            let test = try FeatureMatrix(path: testData, transform: fitted.transform)
            Console.line(
                "\(train.rowCount) training rows, \(test.rowCount) test rows, "
                    + "\(train.names.count) features"
            )
            var packager = try ModelPackager(
                model: model,
                version: version,
                trainingFile: trainData,
                directory: outputDir
            )
            packager.alarm = alarm.choice
            let runs = try runs()
            for run in runs { try run.checkLabels(train, path: trainData) }
            let warnings = Leakage.warnings(train: train, test: test)
            for warning in warnings { Console.error("warning: \(warning)") }
            let validated = try crossValidate(runs[0], train)
            var log = TrainingLog(framework: packager.framework)
            let outcomes = try trainAll(runs, train, test, &log)
            if let report { try JSONFile.write(SeedTable(outcomes).json, to: report) }
            let best = SeedTable(outcomes).best
            var evaluation = best.test.json(protocolName: "test file, scored once after training")
            evaluation["seeds"] = .array(runs.map { .number(Double($0.options.seed)) })
            evaluation["members"] = .integer(members)
            if seeds > 1 { evaluation["spread"] = SeedTable(outcomes).json }
            evaluation["cross_validation"] = validated.map { .object($0.json) }
            evaluation["warnings"] = .array(warnings.map { .string($0) })
            let loaded = try packager.write(
                best,
                fitted: fitted,
                train: train,
                evaluation: evaluation,
                to: outputDir
            )
            try JSONFile.write(log.json, to: TrainingLog.path(ofBundle: loaded.path))
            Console.line(best.test.report())
            Console.line(Self.text(best.calibrator))
            if seeds > 1 { for line in SeedTable(outcomes).lines { Console.line(line) } }
            Console.line("wrote \(loaded.path)")
        }
    }

    private func runs() throws(TrainingError) -> [TrainingRun] {
        var options = try options()
        var runs: [TrainingRun] = []
        for index in 0..<UInt64(seeds) {
            options.seed = seed &+ index
            runs.append(
                TrainingRun(
                    options: options,
                    validationSize: validationSize,
                    memberCount: members,
                    calibration: validationSize > 0 ? calibration : .none,
                    decision: threshold.rule,
                    // Several seeds share the cores out among them.
                    threadCount: seeds > 1
                        ? 1 : min(threads ?? UsableCores.count, TrainingRun.threadCountMax)
                )
            )
        }
        return runs
    }

    private func crossValidate(
        _ run: TrainingRun,
        _ train: FeatureMatrix
    ) throws(TrainingError) -> CrossValidation? {
        guard let folds else { return nil }
        let validated = try CrossValidation(
            train,
            run: run,
            foldCount: folds,
            path: trainData,
            report: { Console.line("fold \($0 + 1) of \(folds)") }
        )
        for line in validated.lines { Console.line(line) }
        return validated
    }

    private func trainAll(
        _ runs: [TrainingRun],
        _ train: FeatureMatrix,
        _ test: FeatureMatrix,
        _ log: inout TrainingLog
    ) throws(TrainingError) -> [TrainingRun.Outcome] {
        if members > 1 { Console.line("training \(members) members side by side") }
        guard seeds > 1 else {
            let outcome = try runs[0].run(train: train, test: test) { member, epoch in
                log.recordEpoch(loss: epoch.loss, prAUC: epoch.prAUC)
                printEpoch(member, epoch)
            }
            return [outcome]
        }
        Console.line("training \(seeds) seeds side by side")
        let results = concurrentMap(count: seeds) { index in
            Result { () throws(TrainingError) in try Self.trainQuietly(runs[index], train, test) }
        }
        var outcomes: [TrainingRun.Outcome] = []
        for (run, result) in zip(runs, results) {
            let (outcome, epochs) = try result.get()
            Console.line("seed \(run.options.seed)")
            for epoch in epochs {
                log.recordEpoch(loss: epoch.report.loss, prAUC: epoch.report.prAUC)
                printEpoch(epoch.member, epoch.report)
            }
            outcomes.append(outcome)
        }
        return outcomes
    }

    private static func trainQuietly(
        _ run: TrainingRun,
        _ train: FeatureMatrix,
        _ test: FeatureMatrix
    ) throws(TrainingError) -> (TrainingRun.Outcome, [(member: Int, report: EpochReport)]) {
        var epochs: [(member: Int, report: EpochReport)] = []
        let outcome = try run.run(train: train, test: test) { epochs.append(($0, $1)) }
        return (outcome, epochs)
    }

    private func options() throws(TrainingError) -> TrainerOptions {
        var options = TrainerOptions()
        options.hiddenSizes = hidden.split(separator: ",").compactMap { Int($0) }
        guard options.hiddenSizes.count == hidden.split(separator: ",").count else {
            throw .unusable("--hidden \(hidden): expected widths separated by commas")
        }
        options.epochs = epochs
        options.batchSize = batchSize
        options.dropout = dropout
        options.learningRate = learningRate
        options.weighsClasses = classWeights
        return options
    }

    private func printEpoch(_ member: Int, _ epoch: EpochReport) {
        let name = members > 1 ? "member \(member + 1)  " : ""
        Console.line(
            "\(name)epoch \(epoch.epoch)/\(epochs)  loss \(Console.number(epoch.loss))"
                + "  val loss \(Console.number(epoch.validationLoss))"
                + "  acc \(Console.number(epoch.accuracy))"
                + "  prec \(Console.number(epoch.precision))"
                + "  rec \(Console.number(epoch.recall))"
                + "  roc-auc \(Console.number(epoch.rocAUC))"
                + "  pr-auc \(Console.number(epoch.prAUC))"
                + "  lr \(epoch.learningRate)\(epoch.isBest ? "  *" : "")"
        )
    }

    private static func text(_ calibrator: Calibrator) -> String {
        switch calibrator {
        case .identity: "calibration: none"
        case .platt(let slope, let offset):
            "calibration: platt, slope \(Console.number(slope)), offset \(Console.number(offset))"
        case .isotonic(let logits, _): "calibration: isotonic, \(logits.count) points"
        }
    }
}

extension CalibrationMethod: ExpressibleByArgument {}
