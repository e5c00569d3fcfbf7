// SPDX-License-Identifier: MIT

import ArgumentParser
import ModelRuntime
import Training

/// Judges whether a new model may take the champion's place.
struct GateCommand: ParsableCommand {
    /// The exit code of a candidate that does not pass.
    static let refused = ExitCode(3)

    static let configuration = CommandConfiguration(
        commandName: "gate",
        abstract: "Judges whether a new model may take the champion's place.",
        discussion: """
            Both models judge the same held-out machines from the same readings. The candidate \
            passes where it is better by a margin, with confidence from a bootstrap over machines, \
            calibrated, within limits of size and latency, and means the same. Nor may its risk \
            levels be shifted, for which a server would send it back. Writes gate.json; status 3 \
            where it does not pass.
            """
    )

    @Option(help: "The new bundle's directory.")
    var candidate: String

    @Option(help: "The bundle to beat (default: the champion in --model-dir, if any).")
    var champion: String?

    @Option(help: "The folder of all models, or of one.")
    var modelDir = "models"

    @Option(help: "Readings that neither model has seen: test.csv of `pdm preprocess`.")
    var readings: String

    @Option(help: "The directory to write to.")
    var outputDir = "models/gate"

    @Option(help: "The gain in PR-AUC that is wanted.")
    var margin = 0.0

    @Option(help: "How sure the gain has to be.")
    var confidence = 0.9

    @Option(help: "The highest expected calibration error.")
    var calibrationErrorMax = 0.02

    @Option(help: "The largest bundle in bytes.")
    var bundleBytesMax = 16 << 20

    @Option(help: "The slowest forward pass of one row, in microseconds.")
    var latencyMicrosecondsMax = 200.0

    @Option(help: "The largest stability index of the risk levels, against the champion's.")
    var shiftMax = 0.25

    @OptionGroup var allowed: AllowOptions

    func validate() throws {
        guard (0.5..<1).contains(confidence) else {
            throw ValidationError("--confidence must be at least 0.5 and below 1")
        }
        guard (-1...1).contains(margin) else {
            throw ValidationError("--margin must lie between -1 and 1")
        }
        guard shiftMax >= 0 else { throw ValidationError("--shift-max must be at least 0") }
    }

    func run() throws {
        var passes = false
        try reporting { () throws(TrainingError) in
            let model = try BundleReader.open(path: candidate)
            let gate = try PromotionGate(
                candidate: model,
                champion: try other(than: model),
                readings: readings,
                criteria: criteria
            )
            for check in gate.checks {
                Console.line("\(check.passes ? "pass" : "FAIL")  \(check.name): \(check.text)")
            }
            try JSONFile.write(gate.json, to: "\(outputDir)/gate.json")
            Console.line("wrote \(outputDir)/gate.json")
            passes = gate.passes
        }
        if !passes { throw Self.refused }
    }

    private var criteria: PromotionGate.Criteria {
        var criteria = PromotionGate.Criteria()
        criteria.margin = margin
        criteria.confidence = confidence
        criteria.calibrationErrorMax = calibrationErrorMax
        criteria.byteCountMax = bundleBytesMax
        criteria.latencyMicrosecondsMax = latencyMicrosecondsMax
        criteria.shiftMax = shiftMax
        criteria.allowed = allowed.kinds
        return criteria
    }

    /// What the candidate has to beat; nil for the first model of all.
    private func other(than candidate: LoadedModel) throws(TrainingError) -> LoadedModel? {
        if let champion { return try BundleReader.open(path: champion) }
        let own = candidate.manifest
        let location: BundleLocation
        do throws(ModelDirectoryError) {
            let folder = try ModelDirectory(path: modelDir, model: own.model).modelFolder()
            let newest = try folder.versions().first { $0 != own.version }
            guard let version = try folder.registry()?.champion ?? newest, version != own.version
            else { return nil }
            location = folder.location(of: version)
        } catch {
            switch error {
            case .missing, .noModel, .unknownModel: return nil
            default: throw .unusable("\(error)")
            }
        }
        return try BundleReader.open(location)
    }
}
