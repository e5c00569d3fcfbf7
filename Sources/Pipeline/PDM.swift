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

    /// Runs a command, and sends its trace where one is wanted.
    static func main() {
        var failure: (any Error)?
        let trace = CommandTrace.current
        do {
            var command = try parseAsRoot()
            do { try command.run() } catch { failure = error }
            trace.end(name(of: CommandLine.arguments.dropFirst()))
        } catch {
            failure = error
        }
        if let failure { exit(withError: failure) }
    }

    /// The words of a command line that name the command, such as `pdm registry push`.
    static func name(of arguments: some Sequence<String>) -> String {
        var command: any ParsableCommand.Type = PDM.self
        var names = [Self._commandName]
        for argument in arguments {
            let next = command.configuration.subcommands.first {
                $0._commandName == argument
            }
            guard let next else { break }
            names.append(argument)
            command = next
        }
        return names.joined(separator: " ")
    }
}

extension ParsableCommand {
    /// Runs a step and turns its error into one line and exit code 1.
    func reporting(_ body: () throws(TrainingError) -> Void) throws {
        do throws(TrainingError) {
            try body()
        } catch {
            CommandTrace.current.note(error)
            Console.error("error: \(error)")
            throw ExitCode.failure
        }
    }
}
