// SPDX-License-Identifier: MIT

import ArgumentParser
import Training

/// Parts raw data into training and test rows and learns how to clean them.
struct PreprocessCommand: ParsableCommand {
    enum SplitKind: String, ExpressibleByArgument, CaseIterable {
        case group, stratified, time, fold
    }

    static let configuration = CommandConfiguration(
        commandName: "preprocess",
        abstract: "Splits raw readings, learns cleaning parameters and reports what it found.",
        discussion: """
            Writes train.csv, test.csv (measured values and flags), preprocessing.json (the \
            parameters) and report.json. Cleaning itself happens in the feature engine, offline \
            and online alike.
            """
    )

    @Option(help: "The raw data file; gzip is recognised.")
    var input: String

    @Option(help: "A second raw file that is the test part already; then nothing is split.")
    var testInput: String?

    @Option(help: "Hours that the machines of --test-input had left, one number a line.")
    var testRemainingLife: String?

    @Option(help: "The directory to write to.")
    var output = "data/processed"

    @Option(help: "A schema file, or `default`.")
    var schema = "default"

    @Option(help: "The share of machines (rows, time) to judge on.")
    var testSize = 0.2

    @Option(help: "By machine, by row keeping the failure rate, by time, or by fold number.")
    var split = SplitKind.group

    @Option(help: "How many folds there are (--split fold).")
    var folds = 5

    @Option(help: "The fold to judge on, from 0 (--split fold).")
    var fold = 0

    @Option(help: "Seed of the split.")
    var seed: UInt64 = 42

    @Option(help: "Clip values beyond so many standard deviations; 0 for never.")
    var zThreshold = 6.0

    @Flag(inversion: .prefixedNo, help: "Let a missing value take the machine's last one.")
    var forwardFill = true

    @Option(
        help: "The model that serves: a bundle, or a directory of them (default: models)."
    )
    var champion: String?

    @Flag(help: "Take no layout from the model that serves: the machines' windows begin empty.")
    var newLayout = false

    func validate() throws {
        guard champion == nil || !newLayout else {
            throw ValidationError("--new-layout takes nothing from a --champion")
        }
        guard testSize > 0, testSize < 1 else {
            throw ValidationError("--test-size must lie between 0 and 1")
        }
        guard folds > 1, (0..<folds).contains(fold) else {
            throw ValidationError("--fold must be 0 to --folds minus 1, of at least 2 folds")
        }
        guard zThreshold >= 0, zThreshold.isFinite else {
            throw ValidationError("--z-threshold must not be negative")
        }
        guard seed <= 1 << 53 else {
            throw ValidationError("--seed must be at most 2^53, so that JSON can hold it")
        }
        guard testRemainingLife == nil || testInput != nil else {
            throw ValidationError("--test-remaining-life belongs to --test-input")
        }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let schema = try SchemaSource.schema(schema)
            let preprocessor = Preprocessor(
                split: dataSplit,
                forwardFill: forwardFill,
                zThreshold: zThreshold == 0 ? nil : zThreshold,
                layout: newLayout ? nil : try Champion.layout(champion, for: schema)
            )
            let table = try ReadingTable.load(input, schema: schema)
            let report: Preprocessor.Report
            if let testInput {
                let test = try ReadingTable.load(
                    testInput,
                    schema: schema,
                    remainingLifePath: testRemainingLife
                )
                report = try preprocessor.run(train: table, test: test, output: output)
            } else {
                report = try preprocessor.run(table, output: output)
            }
            for line in report.summary { Console.line(line) }
            for warning in report.warnings { Console.error("warning: \(warning)") }
            Console.line("wrote \(output)/train.csv, test.csv, preprocessing.json, report.json")
        }
    }

    private var dataSplit: DataSplit {
        switch split {
        case .group: .group(testSize: testSize, seed: seed)
        case .stratified: .stratified(testSize: testSize, seed: seed)
        case .time: .time(testSize: testSize)
        case .fold: .fold(index: fold, count: folds)
        }
    }
}
