// SPDX-License-Identifier: MIT

import ModelRuntime
import Platform
import Training

/// Trains the same network with several programs on the same files, for a comparison.
struct Contestants {
    /// Who can train: this program, and the programs in `trainers/`.
    static let names = ["pdm", "keras", "pytorch"]

    let trainData: String
    let testData: String
    let epochs: Int
    let batchSize: Int
    let seed: UInt64
    /// The folder that holds `trainers/`.
    let trainersDir: String
    /// The folder with a Python environment for each framework.
    let environments: String
    /// Where the bundles go, below a folder of the trainer's name.
    let modelsDir: String

    /// Lets one train.
    ///
    /// - Returns: The path of its bundle; nil where its framework is not installed.
    /// - Throws: ``TrainingError`` where the training fails.
    func train(_ name: String) throws(TrainingError) -> String? {
        let version = "\(BundleVersion(microseconds: WallClock.system.nowMicroseconds))"
        let options = [
            "--train-data", trainData, "--test-data", testData, "--epochs", "\(epochs)",
            "--batch-size", "\(batchSize)", "--seed", "\(seed)", "--output-dir", modelsDir,
            "--model", name, "--version", version,
        ]
        let status: Int32
        if name == "pdm" {
            // As the frameworks' networks are: without calibration.
            status = try ChildProcess.run(["train", "--calibration", "none"] + options)
        } else {
            let python = "\(environments)/\(name)/bin/python"
            guard (try? FileAccess.status(of: python)) ?? nil != nil else {
                Console.error("\(name) is left out: there is no \(python) (see docs/trainers.md)")
                return nil
            }
            status = try ChildProcess.run(
                ["-m", "trainers.\(name)", "--pdm", ChildProcess.ownPath] + options,
                program: python,
                environment: ["PYTHONPATH": trainersDir]
            )
        }
        guard status == 0 else { throw .unusable("\(name): the training ended with \(status)") }
        return "\(modelsDir)/\(name)/\(version)"
    }
}
