// SPDX-License-Identifier: MIT

import Foundation
import Testing

/// Options: what they are called, what they default to and what they refuse.
struct OptionTests {
    private static let files = "--train-data a.csv --test-data b.csv"

    private func run(_ command: String) throws -> Program.Outcome {
        try Program.run(command.split(separator: " ").map(String.init))
    }

    @Test(arguments: [
        ("preprocess --input a.csv --test-size 0", "--test-size must lie between 0 and 1"),
        ("preprocess --input a.csv --test-size 1", "--test-size must lie between 0 and 1"),
        ("preprocess --input a.csv --test-size nan", "--test-size must lie between 0 and 1"),
        ("preprocess --input a.csv --test-size much", "The value 'much' is invalid"),
        ("preprocess --input a.csv --split bogus", "The value 'bogus' is invalid"),
        ("preprocess --input a.csv --split fold --fold 5", "--fold must be 0 to --folds minus 1"),
        ("preprocess --input a.csv --split fold --folds 1", "--fold must be 0 to --folds minus 1"),
        ("preprocess --input a.csv --z-threshold inf", "--z-threshold must not be negative"),
        ("preprocess --input a.csv --z-threshold=-1", "--z-threshold must not be negative"),
        ("preprocess --input a.csv --seed 9007199254740993", "--seed must be at most 2^53"),
        ("preprocess --input a.csv --test-remaining-life b", "belongs to --test-input"),
        ("preprocess", "Missing expected argument '--input <input>'"),
        ("features --input a.csv --output b.csv --is-training maybe", "The value 'maybe'"),
        ("train \(files) --version bad", "--version must have the form YYYYMMDD_HHMMSS"),
        ("train \(files) --version 20241301_000000", "--version must have the form"),
        ("train \(files) --seeds 0", "--seeds must be 1 to 1000"),
        ("train \(files) --validation-size 1", "--validation-size must be at least 0"),
        ("train \(files) --members 0", "--members must be 1 to 32"),
        ("train \(files) --members 33", "--members must be 1 to 32"),
        ("train \(files) --folds 1", "--folds must be at least 2"),
        ("train \(files) --calibration best", "The value 'best' is invalid"),
        ("train \(files) --target-recall 1.1", "--target-recall must be above 0"),
        ("train \(files) --target-precision 0", "--target-precision must be above 0"),
        ("train \(files) --missed-failure-cost 1", "--false-alarm-cost go together"),
        (
            "train \(files) --missed-failure-cost 1 --false-alarm-cost=-1",
            "a cost must not be negative"
        ),
        ("train \(files) --target-recall 0.9 --best-f1", "choose one"),
        (
            "evaluate --model-path a --test-data b --alarm-needed 4 --alarm-of 3",
            "--alarm-needed must be 1 to"
        ), ("train \(files) --alarm-needed 65", "--alarm-of at most 64"),
        ("evaluate --model-path a --test-data b --lead-hours=-1", "--lead-hours must not be"),
        ("drift --current-data a", "give either --reference-data or --bundle"),
        ("drift --current-data a --bundle b --reference-data c", "give either --reference-data"),
        ("drift --current-data a --bundle b --schema default", "--schema is for raw readings"),
        ("drift --current-data a --reference-data b --feature-share 1", "--feature-share 0 to"),
        ("drift --current-data a --reference-data b --significance 1.1", "--significance and"),
        ("evaluate --model-path a --test-data b --false-alarm-cost 1", "go together"),
        (
            "evaluate --model-path a --test-data b --planned-stop-cost=-1",
            "a cost must not be negative"
        ),
        ("train \(files) --epochs 0", "epochs is 0, allowed is at least 1"),
        ("train \(files) --batch-size 1", "batch size is 1, allowed is 2 to 65536"),
        ("train \(files) --dropout 1", "dropout is 1.0, allowed is 0 <= dropout < 1"),
        ("train \(files) --learning-rate nan", "learning rate is nan, allowed is positive"),
        ("train \(files) --hidden 64,wide", "--hidden 64,wide: expected widths"),
        ("train \(files) --epochs many", "The value 'many' is invalid"),
        (
            "train \(files) --missed-failure-cost 1e308 --false-alarm-cost 1",
            "a cost must not be negative, nor above 1000000000000000"
        ),
        (
            "evaluate --model-path a --test-data b --planned-stop-cost 1e308",
            "a cost must not be negative, nor above 1000000000000000"
        ),
        ("outcomes --log a --output b --horizon-hours 87601", "at most 87600 h"),
        ("outcomes --log a --output b --horizon-hours 1e300", "at most 87600 h"),
        ("outcomes --log a --output b --hours-ahead inf", "--hours-ahead must be 0 or a number"),
        (
            "state import --state-dir a --input b --machines-max 9223372036854775807",
            "--machines-max must be 1 to 100000000"
        ), ("state import --state-dir a --input b --machines-max 0", "--machines-max must be"),
        ("bogus", "Unexpected argument 'bogus'"),
    ])
    func refusesWhatIsNoSetting(command: String, message: String) throws {
        let outcome = try run(command)
        #expect(outcome.status == 64 && !outcome.isCrash)
        #expect(outcome.errorLines.first?.contains(message) == true, "\(outcome.error)")
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: ["--machines 0", "--days 1", "--interval 7", "--interval 0"])
    func refusesAFleetThatCannotBe(options: String) throws {
        let outcome = try run("generate \(options) --output /tmp/never-written.csv")
        #expect(outcome.status == 64 && !outcome.isCrash)
        #expect(outcome.errorLines.first?.hasPrefix("Error: ") == true)
    }

    /// A rename in its place would take it away from all that use it, as it did with devices.
    @Test func takesNoPipeAwayAndLeavesLinks() throws {
        let folder = try Folder()
        let options = ["generate", "--machines", "2", "--days", "2", "--output"]
        // SAFETY: Swift passes the string NUL-terminated for the call.
        try #require(unsafe mkfifo(folder.file("pipe"), 0o600) == 0)
        let refused = try Program.run(options + [folder.file("pipe")])
        #expect(refused.status != 0 && !refused.isCrash)
        #expect(refused.error.contains("\(folder.file("pipe")): not a regular file"))
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"),
            withDestinationPath: "table.csv"
        )
        let outcome = try Program.run(options + [folder.file("link")])
        #expect(outcome.status == 0, "\(outcome.error)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(names.sorted() == ["link", "pipe", "table.csv"])
        let link = try FileManager.default.destinationOfSymbolicLink(atPath: folder.file("link"))
        #expect(link == "table.csv")
    }

    @Test(arguments: [
        (
            "generate",
            [
                "--machines <machines>", "--days <days>", "--interval <interval>", "--seed <seed>",
                "(default: data/sample_sensor_data.csv)",
            ]
        ),
        (
            "preprocess",
            [
                "--input <input>", "--output <output>", "--test-size <test-size>", "(default: 0.2)",
                "--split <split>", "(values: group, stratified, time, fold; default: group)",
                "--schema <schema>", "--z-threshold <z-threshold>",
            ]
        ),
        (
            "features",
            [
                "--input <input>", "--output <output>", "--is-training <is-training>",
                "--spec <spec>",
            ]
        ),
        (
            "train",
            [
                "--train-data <train-data>", "--test-data <test-data>", "--epochs <epochs>",
                "(default: 50)", "--batch-size <batch-size>", "(default: 128)",
                "--output-dir <output-dir>", "(default: models)", "--hidden <hidden>",
                "(default: 128,64,32)", "--dropout <dropout>", "(default: 0.3)",
                "--learning-rate <learning-rate>", "(default: 0.001)", "--version <version>",
            ]
        ),
        (
            "evaluate",
            ["--model-path <model-path>", "--test-data <test-data>", "--output-dir <output-dir>"]
        ),
    ])
    func helpNamesThem(command: String, expected: [String]) throws {
        let outcome = try run("\(command) --help")
        #expect(outcome.status == 0)
        // The help wraps its lines where it likes.
        let words = outcome.output.split { $0.isWhitespace }.joined(separator: " ")
        for option in expected { #expect(words.contains(option), "\(option) in \(words)") }
    }
}
