// SPDX-License-Identifier: MIT

import ArgumentParser
import JSON
import ModelRuntime
import Platform
import Training

/// Judges several models on the same feature file, trained here or before.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Trains with several frameworks, or reads bundles, and judges them all.",
        discussion: """
            Prints a table and writes comparison.json and comparison.html: PR-AUC, ROC-AUC, Brier \
            score, calibration, and the time of training from the log beside each bundle. With \
            --train-data the same network is first trained by pdm, Keras and PyTorch, without \
            calibration; a framework that is not installed is left out.
            """
    )

    @Argument(help: "The directories of bundles that are there already.")
    var bundles: [String] = []

    @Option(help: "The feature file to judge on.")
    var testData: String

    @Option(help: "The feature file to train on; its features.json is read too.")
    var trainData: String?

    @Option(help: "Who trains, separated by commas.")
    var trainers = Contestants.names.joined(separator: ",")

    @Option(help: "The most epochs.")
    var epochs = TrainerOptions().epochs

    @Option(help: "Rows per step.")
    var batchSize = TrainerOptions().batchSize

    @Option(help: "Seed of each training.")
    var seed = TrainerOptions().seed

    @Option(help: "The folder that holds trainers/.")
    var trainersDir = "."

    @Option(help: "The folder that has a Python environment of each framework's name.")
    var environments = ".venv"

    @Option(help: "The directory to write to.")
    var outputDir = "models/comparison"

    private var trainerNames: [String] { trainers.split(separator: ",").map(String.init) }

    func validate() throws {
        guard trainData != nil || !bundles.isEmpty else {
            throw ValidationError("name bundles, or a file to train on with --train-data")
        }
        for name in trainerNames where !Contestants.names.contains(name) {
            throw ValidationError(
                "--trainers: \(name) is none of \(Contestants.names.joined(separator: ", "))"
            )
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            var entries: [ModelComparison.Entry] = []
            for bundle in try trained() + bundles { entries.append(try entry(bundle)) }
            guard !entries.isEmpty else { throw .unusable("no framework of --trainers is here") }
            let comparison = ModelComparison(entries: entries)
            try JSONFile.write(comparison.json, to: "\(outputDir)/comparison.json")
            do throws(FileError) {
                try FileAccess.replace("\(outputDir)/comparison.html", with: comparison.page)
            } catch {
                throw .file(error)
            }
            for line in comparison.lines { Console.line(line) }
            Console.line("wrote \(outputDir)/comparison.json and comparison.html")
        }
    }

    /// The bundles of those who can train, one after the other: each has all cores.
    private func trained() throws(TrainingError) -> [String] {
        guard let trainData else { return [] }
        let contestants = Contestants(
            trainData: trainData,
            testData: testData,
            epochs: epochs,
            batchSize: batchSize,
            seed: seed,
            trainersDir: trainersDir,
            environments: environments,
            modelsDir: "\(outputDir)/models"
        )
        var paths: [String] = []
        for name in trainerNames {
            Console.line("training with \(name)")
            if let path = try contestants.train(name) { paths.append(path) }
        }
        return paths
    }

    private func entry(_ bundle: String) throws(TrainingError) -> ModelComparison.Entry {
        let path = bundle.hasSuffix("/") ? String(bundle.dropLast()) : bundle
        let loaded = try BundleReader.open(path: path)
        let manifest = loaded.manifest
        let test = try FeatureMatrix(path: testData, transform: manifest.transform)
        let entry = ModelComparison.Entry(
            name: "\(manifest.framework) (\(manifest.version))",
            probabilities: try TrainingRun.probabilities(
                test,
                network: loaded.network,
                calibrator: manifest.calibration
            ),
            labels: test.labels,
            threshold: manifest.threshold,
            trainingSeconds: try seconds(TrainingLog.path(ofBundle: path))
        )
        guard let entry else { throw .unusable("\(testData): there are no rows to score") }
        return entry
    }

    /// The duration of a training, where its log still stands beside the bundle.
    private func seconds(_ path: String) throws(TrainingError) -> Double? {
        guard (try? FileAccess.status(of: path)) ?? nil != nil else { return nil }
        let json = JSONView(try JSONFile.read(path))
        do throws(JSONShapeError) {
            return try TrainingLog(json: json).seconds
        } catch {
            throw .shape(path: path, error)
        }
    }
}
