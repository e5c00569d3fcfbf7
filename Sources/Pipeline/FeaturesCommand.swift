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

    func run() throws {
        try reporting { () throws(TrainingError) in
            let folder = FileAccess.parent(of: input)
            let parameters = try CleaningParameters(path: "\(folder)/preprocessing.json")
            let table = try ReadingTable.loadPrepared(input, schema: parameters.schema)
            let path = fitted ?? "\(FileAccess.parent(of: output))/\(FittedFeatures.fileName)"
            let transform =
                isTraining
                ? try fit(table, parameters, path) : try FittedFeatures(path: path).transform
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
            let matrix = FeatureMatrix(table, engine: try engine(transform, path))
            try matrix.write(output)
            Console.line("wrote \(output): \(matrix.rowCount) rows, \(matrix.names.count) features")
        }
    }

    private func fit(
        _ table: ReadingTable,
        _ parameters: CleaningParameters,
        _ path: String
    ) throws(TrainingError) -> FeatureTransform {
        let transform = try TransformFitter.fit(
            try SchemaSource.spec(spec),
            specPath: spec,
            parameters: parameters,
            table: table
        )
        let golden = GoldenSampler.cases(from: table, engine: try engine(transform, path))
        let fitted = FittedFeatures(transform: transform, golden: golden)
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
