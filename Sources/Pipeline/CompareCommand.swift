// SPDX-License-Identifier: MIT

import ArgumentParser
import JSON
import ModelRuntime
import Platform
import Training

/// Judges several bundles on the same feature file.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Judges several model bundles on one feature file.",
        discussion: """
            Prints a table and writes comparison.json and comparison.html: PR-AUC, ROC-AUC, Brier \
            score, calibration, and the time of training from the log beside each bundle.
            """
    )

    @Argument(help: "The bundles' directories.")
    var bundles: [String]

    @Option(help: "The feature file to judge on.")
    var testData: String

    @Option(help: "The directory to write to.")
    var outputDir = "models/comparison"

    func run() throws {
        try reporting { () throws(TrainingError) in
            var entries: [ModelComparison.Entry] = []
            for bundle in bundles { entries.append(try entry(bundle)) }
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
