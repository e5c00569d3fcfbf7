// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import JSON
import ModelRuntime
import Platform
import Training

/// Scores a bundle on a feature file.
struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Scores a model bundle on a feature file.",
        discussion: """
            Writes evaluation.json, predictions.csv (timestamp, machine, probability, label) and \
            the page evaluation.html, and prints the classification report.
            """
    )

    @Option(help: "A bundle's directory.")
    var modelPath: String

    @Option(help: "The feature file to score.")
    var testData: String

    @Option(help: "The test.csv of the feature file: adds importance and what raised each alarm.")
    var readings: String?

    @Option(help: "The directory to write to.")
    var outputDir = "models/evaluation"

    @OptionGroup(title: "Alarms (default: the bundle's)")
    var alarm: AlarmOptions

    @Option(help: "Count the failures that an alarm came before by so many hours.")
    var leadHours = 12.0

    @OptionGroup var prices: CostOptions

    func validate() throws {
        guard leadHours >= 0, leadHours.isFinite else {
            throw ValidationError("--lead-hours must not be negative")
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let loaded = try BundleReader.open(path: modelPath)
            let test = try FeatureMatrix(path: testData, transform: loaded.manifest.transform)
            let probabilities = try TrainingRun.probabilities(
                test,
                network: loaded.network,
                calibrator: loaded.manifest.calibration
            )
            let evaluation = Evaluation(
                test,
                probabilities: probabilities,
                threshold: loaded.manifest.threshold
            )
            guard var evaluation else { throw .unusable("\(testData): there are no rows to score") }
            if case .string(let how) = loaded.manifest.evaluation["threshold_rule"] {
                evaluation.thresholdRule = how
            }
            let rule = try alarm.choice.rule(
                threshold: loaded.manifest.threshold,
                riskLevels: loaded.manifest.riskLevels,
                usual: loaded.manifest.alarm
            )
            let leadTime = LeadTime(
                test,
                probabilities: probabilities,
                rule: rule,
                horizonHours: loaded.manifest.horizonHours
            )
            var json = evaluation.json(protocolName: "scored by pdm evaluate")
            let warnings = try warnings(test, loaded.manifest)
            for warning in warnings { Console.error("warning: \(warning)") }
            json["warnings"] = .array(warnings.map { .string($0) })
            json["training"] = EvaluationPage.training(
                try JSONFile.read("\(loaded.path)/evaluation.json")
            )
            json["lead_time"] = leadTime.map {
                .object($0.json(rule: rule, hoursAhead: leadHours))
            }
            var importance: PermutationImportance?
            if let readings {
                let table = try readingTable(readings, test, loaded)
                importance = PermutationImportance(table, model: loaded)
                json["importance"] = importance?.json
                json["explanations"] = leadTime.flatMap {
                    AlarmExplanations($0, of: table, model: loaded)?
                        .json(probabilities: probabilities)
                }
            }
            json["cost"] = prices.costs.flatMap { costs in
                leadTime.map { .object($0.json(costs: costs)) }
            }
            let page = EvaluationPage(
                model: "\(loaded.manifest.model) \(loaded.manifest.version)",
                evaluation: evaluation,
                json: json,
                matrix: test,
                probabilities: probabilities,
                leadTime: leadTime
            )
            json = page.content
            try JSONFile.write(.object(json), to: "\(outputDir)/evaluation.json")
            try write(page)
            try write(probabilities, test, to: "\(outputDir)/predictions.csv")
            Console.line(evaluation.report())
            let alarms = leadTime?.lines(rule: rule, hoursAhead: leadHours) ?? []
            for line in alarms + (importance?.lines ?? []) { Console.line(line) }
            Console.line("wrote \(outputDir)/evaluation.json, evaluation.html and predictions.csv")
        }
    }

    /// What rows alone show of leakage: features, and whether the model was trained on them.
    private func warnings(
        _ test: FeatureMatrix,
        _ manifest: Manifest
    ) throws(TrainingError) -> [String] {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.read(testData)
        } catch {
            throw .file(error)
        }
        let isTraining = FittedFeatures.digest(of: bytes) == manifest.trainingData.sha256
        return (isTraining ? ["these are the rows that the model was trained on"] : [])
            + Leakage.warnings(of: test)
    }

    /// Reads the readings that the rows of a feature file were computed from.
    private func readingTable(
        _ path: String,
        _ matrix: FeatureMatrix,
        _ model: LoadedModel
    ) throws(TrainingError) -> ReadingTable {
        let table = try ReadingTable.loadPrepared(path, schema: model.manifest.transform.schema)
        let own = table.ownRows
        let isSame =
            own.map { table.labels[$0] } == matrix.labels
            && table.timestamps.map { times in own.map { times[$0] } } == matrix.timestamps
        guard isSame else {
            throw .unusable("\(path): its rows are not those of \(testData)")
        }
        return table
    }

    private func write(_ page: EvaluationPage) throws(TrainingError) {
        do throws(FileError) {
            try FileAccess.replace("\(outputDir)/evaluation.html", with: page.bytes)
        } catch {
            throw .file(error)
        }
    }

    private func write(
        _ probabilities: [Double],
        _ matrix: FeatureMatrix,
        to path: String
    ) throws(TrainingError) {
        do throws(FileError) {
            var writer = try TableWriter(
                path,
                header: ["timestamp", "equipment_id", "probability", "failure"]
            )
            for row in 0..<matrix.rowCount {
                if let timestamps = matrix.timestamps {
                    writer.append(timestamp: timestamps[row])
                } else {
                    writer.append("")
                }
                let machine = matrix.entities.map { $0.categories[Int($0.codes[row])] }
                writer.append(machine ?? "\(row + 1)")
                writer.append(probabilities[row])
                writer.append(Int(matrix.labels[row]))
                try writer.endRow()
            }
            try writer.finish()
        } catch {
            throw .file(error)
        }
    }
}
