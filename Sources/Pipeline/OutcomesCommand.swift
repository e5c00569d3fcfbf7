// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import Platform
import Training

/// Judges the predictions of a server by what became of its machines.
struct OutcomesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outcomes",
        abstract: "Judges a server's predictions by the failures that were told to it.",
        discussion: """
            Reads the directory of --decision-log, also while the server runs, and writes \
            outcomes.json, and training.csv with schema.json for `pdm preprocess`: every reading \
            of which it is known whether a failure followed within the horizon. A machine after a \
            maintenance goes under another name, since its windows begin anew.
            """
    )

    @Option(help: "The directory of the server's decision log.")
    var log: String

    @Option(help: "The directory to write to.")
    var output: String

    @Option(help: "The horizon in hours, in the place of each model's own.")
    var horizonHours: Double?

    @Option(help: "Up to when it is known what became of machines (default: the log's end).")
    var until: String?

    @Option(help: "The hours before a failure at which an alarm counts as ahead.")
    var hoursAhead = 12.0

    func validate() throws {
        if let fault = SpecLimits.fault(ofHorizonHours: horizonHours) {
            throw ValidationError("--horizon-hours: \(fault)")
        }
        guard hoursAhead >= 0, hoursAhead.isFinite else {
            throw ValidationError("--hours-ahead must be 0 or a number above")
        }
        if until != nil, untilMoment == nil { throw ValidationError("--until must be RFC 3339") }
    }

    func run() throws {
        try reporting { () throws(TrainingError) in
            let history = try DecisionHistory.read(log)
            let outcomes = try Outcomes(
                history,
                horizonHours: horizonHours,
                until: untilMoment
            )
            let report = OutcomeReport(outcomes, hoursAhead: hoursAhead)
            try JSONFile.write(report.json(outcomes, history), to: "\(output)/outcomes.json")
            var table = try OutcomeTable(outcomes, history)
            try table.write(to: "\(output)/training.csv")
            try JSONFile.write(table.schema.json, to: "\(output)/schema.json")
            for line in report.lines(outcomes) { Console.line(line) }
            Console.line(
                "wrote \(output)/outcomes.json, schema.json and training.csv:"
                    + " \(table.rowCount) rows, \(table.positiveCount) before a failure"
            )
        }
    }

    private var untilMoment: Int64? {
        until.flatMap { text in
            Timestamp.parse(text.utf8.span, 0..<text.utf8.count, naiveOffsetMinutes: 0)
        }
    }
}

extension DecisionHistory {
    /// Reads a log for a command.
    static func read(_ directory: String) throws(TrainingError) -> DecisionHistory {
        let history: DecisionHistory
        do throws(DecisionLogError) {
            history = try DecisionHistory(directory: directory)
        } catch {
            throw .unusable("\(error)")
        }
        if history.tornByteCount > 0 {
            Console.error("note: \(history.tornByteCount) bytes of the log are torn and left out")
        }
        return history
    }
}
