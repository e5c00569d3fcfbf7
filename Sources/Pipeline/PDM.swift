// SPDX-License-Identifier: MIT

import ArgumentParser
import Training

/// The training side: one binary with a subcommand per step.
@main
struct PDM: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pdm",
        abstract: "Trains and judges models that predict equipment failure.",
        subcommands: [
            GenerateCommand.self, PreprocessCommand.self, FeaturesCommand.self, TrainCommand.self,
            BundleCommand.self, EvaluateCommand.self, CompareCommand.self, DriftCommand.self,
            RegistryCommand.self, SignCommand.self, GateCommand.self, PipelineCommand.self,
            StateCommand.self, OutcomesCommand.self, ReplayCommand.self, RetrainCommand.self,
        ]
    )
}

extension ParsableCommand {
    /// Runs a step and turns its error into one line and exit code 1.
    func reporting(_ body: () throws(TrainingError) -> Void) throws {
        do throws(TrainingError) {
            try body()
        } catch {
            Console.error("error: \(error)")
            throw ExitCode.failure
        }
    }
}
