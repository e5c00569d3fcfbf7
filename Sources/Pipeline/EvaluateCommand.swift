// SPDX-License-Identifier: MIT

import ArgumentParser
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
            Writes evaluation.json and predictions.csv (timestamp, machine, probability, label) \
            and prints the classification report.
            """
    )

    @Option(help: "A bundle's directory.")
    var modelPath: String

    @Option(help: "The feature file to score.")
    var testData: String

    @Option(help: "The directory to write to.")
    var outputDir = "models/evaluation"

    @Option(help: "How many of the last predictions have to be positive for an alarm.")
    var alarmNeeded = 2

    @Option(help: "How many predictions an alarm looks back on.")
    var alarmOf = 3

    @Option(help: "The probability that keeps an alarm up (default: where risk MEDIUM begins).")
    var alarmClear: Double?

    @Option(help: "Count the failures that an alarm came before by so many hours.")
    var leadHours = 12.0

    func validate() throws {
        guard AlarmRule(raise: 1, clear: 1, needed: alarmNeeded, of: alarmOf) != nil else {
            throw ValidationError(
                "--alarm-needed must be 1 to --alarm-of, --alarm-of at most \(AlarmRule.lengthMax)"
            )
        }
        guard leadHours >= 0, leadHours.isFinite else {
            throw ValidationError("--lead-hours must not be negative")
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let loaded: LoadedModel
            do throws(BundleError) {
                loaded = try BundleReader.load(path: modelPath)
            } catch {
                throw .unusable("\(modelPath): \(error)")
            }
            let test = try FeatureMatrix(path: testData, transform: loaded.manifest.transform)
            let probabilities = try TrainingRun.probabilities(
                test,
                network: loaded.network,
                calibrator: loaded.manifest.calibration
            )
            let evaluation = Evaluation(
                probabilities: probabilities,
                labels: test.labels,
                threshold: loaded.manifest.threshold
            )
            guard var evaluation else { throw .unusable("\(testData): there are no rows to score") }
            if case .string(let how) = loaded.manifest.evaluation["threshold_rule"] {
                evaluation.thresholdRule = how
            }
            let rule = try alarmRule(loaded.manifest)
            let leadTime = LeadTime(
                test,
                probabilities: probabilities,
                rule: rule,
                horizonHours: loaded.manifest.horizonHours
            )
            var json = evaluation.json(protocolName: "scored by pdm evaluate")
            json["lead_time"] = leadTime.map {
                .object($0.json(rule: rule, hoursAhead: leadHours))
            }
            try JSONFile.write(.object(json), to: "\(outputDir)/evaluation.json")
            try write(probabilities, test, to: "\(outputDir)/predictions.csv")
            Console.line(evaluation.report())
            for line in leadTime?.lines(rule: rule, hoursAhead: leadHours) ?? [] {
                Console.line(line)
            }
            Console.line("wrote \(outputDir)/evaluation.json and predictions.csv")
        }
    }

    private func alarmRule(_ manifest: Manifest) throws(TrainingError) -> AlarmRule {
        let clear = alarmClear ?? min(manifest.riskLevels.medium, manifest.threshold)
        let rule = AlarmRule(
            raise: manifest.threshold,
            clear: clear,
            needed: alarmNeeded,
            of: alarmOf
        )
        guard let rule else {
            throw .unusable(
                "--alarm-clear \(clear): it must be above 0 and at most the threshold,"
                    + " \(manifest.threshold)"
            )
        }
        return rule
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
