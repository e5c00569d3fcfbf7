// SPDX-License-Identifier: MIT

import Foundation
import Testing

/// A small fleet taken from simulation to bundles once, for all tests of what comes out.
struct SmallFleet: Sendable {
    static let version = "20240102_030405"
    static let epochs = 3
    static let made = Result { try SmallFleet() }

    let folder: Folder
    /// What each step printed.
    let outputs: [String: [String]]

    private init() throws {
        let folder = try Folder()
        var outputs: [String: [String]] = [:]
        func step(_ name: String, _ command: String) throws {
            let words = command.split(separator: " ").map(String.init)
            let outcome = try Program.run(words, in: folder.path)
            try #require(
                outcome.status == 0 && !outcome.isCrash,
                "\(name): \(outcome.output)\(outcome.error)"
            )
            outputs[name] = outcome.lines.map(String.init)
        }
        try step("generate", "generate --machines 20 --days 12 --seed 7 --output raw.csv")
        try step("preprocess", "preprocess --input raw.csv --output data")
        try step(
            "fit",
            "features --input data/train.csv --output data/train_features.csv --is-training true"
        )
        try step(
            "apply",
            "features --input data/test.csv --output data/test_features.csv --is-training false"
        )
        for name in ["one", "two"] { try step(name, Self.train(to: name)) }
        try step(
            "evaluate",
            "evaluate --model-path one/predictive-maintenance/\(Self.version)"
                + " --test-data data/test_features.csv --output-dir scores"
        )
        self.folder = folder
        self.outputs = outputs
        // A static value is never released, and with it the folder.
        atexit { if let fleet = try? SmallFleet.made.get() { fleet.folder.remove() } }
    }

    static func train(to folder: String, seed: Int = 42) -> String {
        "train --train-data data/train_features.csv --test-data data/test_features.csv"
            + " --epochs \(epochs) --batch-size 128 --seed \(seed) --version \(version)"
            + " --output-dir \(folder)"
    }
}
