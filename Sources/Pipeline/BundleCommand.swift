// SPDX-License-Identifier: MIT

import ArgumentParser
import ModelRuntime
import Platform
import Training

/// Makes a bundle of a network that another framework trained.
struct BundleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundle",
        abstract: "Makes a model bundle of a network trained by another framework.",
        discussion: """
            Reads network.json and weights.safetensors, checks that the network answers the \
            golden cases here as it did there, scores the test rows once, and writes the bundle. \
            The trainers in trainers/ call it at their end.
            """
    )

    @Option(help: "The directory that the trainer wrote.")
    var network: String

    @Option(help: "The feature file that it was trained on; its features.json is read too.")
    var trainData: String

    @Option(help: "The feature file to judge on.")
    var testData: String

    @Option(help: "The directory below which <model>/<version> is written.")
    var outputDir = "models"

    @Option(help: "The model's name.")
    var model = "predictive-maintenance"

    @Option(help: "The bundle's version, YYYYMMDD_HHMMSS (default: now, UTC).")
    var version: String?

    func validate() throws {
        if let version, BundleVersion(version) == nil {
            throw ValidationError("--version must have the form YYYYMMDD_HHMMSS")
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let fittedPath = "\(FileAccess.parent(of: trainData))/\(FittedFeatures.fileName)"
            let fitted = try FittedFeatures(path: fittedPath)
            let foreign = try ForeignNetwork(folder: network)
            try foreign.check(against: fitted)
            var packager = try ModelPackager(
                model: model,
                version: version,
                trainingFile: trainData,
                directory: outputDir
            )
            packager.framework = foreign.log.framework
            let test = try FeatureMatrix(path: testData, transform: fitted.transform)
            let outcome = try foreign.outcome(test: test)
            let loaded = try packager.write(
                outcome,
                fitted: fitted,
                train: try FeatureMatrix(path: trainData, transform: fitted.transform),
                evaluation: outcome.test.json(
                    protocolName: "test file, scored once after training"
                ),
                to: outputDir
            )
            try JSONFile.write(foreign.log.json, to: TrainingLog.path(ofBundle: loaded.path))
            Console.line(outcome.test.report())
            Console.line("wrote \(loaded.path)")
        }
    }
}
