// SPDX-License-Identifier: MIT

import ArgumentParser
import Training

/// Runs a pipeline that a file describes: only the steps whose inputs have changed.
struct PipelineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pipeline",
        abstract: "Runs the steps of a pipeline file whose inputs have changed.",
        discussion: """
            A step that ended well is not run again while program, arguments, inputs and outputs \
            stay the same, to the byte. A run that is cut off goes on where it was. The exit code \
            is that of the step that failed, so 3 where the gate refuses the new model.
            """
    )

    @Argument(help: "The pipeline file.")
    var file = "ml_pipeline/pipeline.json"

    @Option(help: "The folder for the memory of what has run.")
    var workDir = "models/pipeline"

    @Option(name: .customLong("set"), help: "A variable of the file, as name=value.")
    var variables: [String] = []

    @Flag(help: "Say what would run, and run nothing.")
    var dryRun = false

    func validate() throws {
        for text in variables where !text.contains("=") {
            throw ValidationError("--set \(text): it must be name=value")
        }
    }

    func run() throws {
        var status: Int32 = 0
        try reporting { () throws(TrainingError) in
            var run = PipelineRun(
                file: try PipelineFile(path: file),
                folder: workDir,
                variables: values
            )
            run.isDryRun = dryRun
            status = try run.run()
        }
        if status != 0 { throw ExitCode(status) }
    }

    private var values: [String: String] {
        var values: [String: String] = [:]
        for text in variables {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            values[String(parts[0])] = String(parts[1])
        }
        return values
    }
}
