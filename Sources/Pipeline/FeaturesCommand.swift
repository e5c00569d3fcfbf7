// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import Platform
import Training

/// Turns measured rows into scaled feature rows with the engine that the server runs.
struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features",
        abstract: "Computes the scaled feature rows of train.csv or test.csv.",
        discussion: """
            With --is-training true it fits the spec (constant columns, scaling) and writes \
            features.json beside the output; with false it reads that file.
            """
    )

    @Option(help: "train.csv or test.csv as `pdm preprocess` writes them.")
    var input: String

    @Option(help: "The feature file to write.")
    var output: String

    @Option(help: "Fit (true) or apply what was fitted (false).")
    var isTraining: Bool

    @Option(help: "A feature spec file, or `default`.")
    var spec = "default"

    @Option(help: "The fitted features (default: features.json beside the output).")
    var fitted: String?

    @Option(help: "The share of rows whose history is cut short (default: the spec's to train on).")
    var coldStart: Double?

    @Flag(help: "Tell on standard error how long reading, computing and writing took.")
    var timing = false

    func validate() throws {
        guard (0...1).contains(coldStart ?? 0) else {
            throw ValidationError("--cold-start must be 0 to 1")
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let folder = FileAccess.parent(of: input)
            let parameters = try CleaningParameters(path: "\(folder)/preprocessing.json")
            var times = StageTimes()
            let table = try ReadingTable.loadPrepared(input, schema: parameters.schema)
            times.end("read")
            let path = fitted ?? "\(FileAccess.parent(of: output))/\(FittedFeatures.fileName)"
            var coldStart = coldStart ?? 0
            let transform: FeatureTransform
            if isTraining {
                let spec = try SchemaSource.spec(spec)
                coldStart = self.coldStart ?? spec.coldStart
                transform = try fit(spec, table, parameters, path)
            } else {
                transform = try FittedFeatures(path: path).transform
            }
            guard transform.schema == parameters.schema else {
                throw .unusable("\(path): fitted for another schema than \(folder) has")
            }
            // Whoever names another fit means it; beside the output it would be left from before.
            guard fitted != nil || transform.isFitted(with: parameters) else {
                throw .unusable(
                    "\(path): fitted on other training rows than those of \(folder): fit again"
                        + " with --is-training true, or name it with --fitted"
                )
            }
            times.end("fit")
            let engine = try engine(transform, path)
            let matrix = FeatureMatrix(
                table,
                engine: engine,
                coldStart: ColdStart(share: coldStart, transform: transform)
            )
            times.end("compute")
            try matrix.write(output)
            times.end("write")
            if timing { report(times, rowCount: table.rowCount) }
            Console.line("wrote \(output): \(matrix.rowCount) rows, \(matrix.names.count) features")
            guard transform.schema.hasState else { return }
            Console.line("a machine's record: \(engine.records.wordCount * 8) bytes")
        }
    }

    /// One line a stage: `name seconds rows/s`, and `MB/s` where a file was read or written.
    private func report(_ times: StageTimes, rowCount: Int) {
        for (name, seconds) in times.stages {
            let rate = Console.number(Double(rowCount) / seconds, decimals: 0)
            var line = "timing \(name) \(Console.number(seconds, decimals: 6)) s \(rate) rows/s"
            let file = ["read": input, "write": output][name]
            if let file, let status = try? FileAccess.status(of: file) {
                let rate = Double(status.byteCount) / 1e6 / seconds
                line += " \(Console.number(rate, decimals: 1)) MB/s"
            }
            Console.error(line)
        }
    }

    private func fit(
        _ spec: FeatureSpec,
        _ table: ReadingTable,
        _ parameters: CleaningParameters,
        _ path: String
    ) throws(TrainingError) -> FeatureTransform {
        let transform = try TransformFitter.fit(
            spec,
            specPath: self.spec,
            parameters: parameters,
            table: table
        )
        let golden = GoldenSampler.cases(from: table, engine: try engine(transform, path))
        let fitted = FittedFeatures(
            transform: transform,
            golden: golden,
            background: BackgroundSampler.records(from: table, transform: transform)
        )
        try JSONFile.write(fitted.json, to: path)
        Console.line("wrote \(path): digest \(fitted.digest)")
        return transform
    }

    private func engine(
        _ transform: FeatureTransform,
        _ path: String
    ) throws(TrainingError) -> FeatureEngine {
        do throws(SpecError) {
            return try FeatureEngine(transform)
        } catch {
            throw .spec(path: path, error)
        }
    }
}

/// How long the stages of a command took, one after the other.
private struct StageTimes {
    private(set) var stages: [(name: String, seconds: Double)] = []
    private var start = MonotonicClock.system.nowNanoseconds

    /// Ends the stage that began at the end of the one before.
    mutating func end(_ name: String) {
        let now = MonotonicClock.system.nowNanoseconds
        stages.append((name, Double(now - start) / 1e9))
        start = now
    }
}
