// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import JSON
import ModelRuntime
import Platform
import Training

/// Scores a decision log again.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Scores the readings of a decision log again with any bundle.",
        discussion: """
            What this very bundle predicted has to come out with the same bits. Rows are counted \
            as not reproducible while their machine's windows hold what lies before the log. Ends \
            with 3 where a row comes out otherwise.
            """
    )

    /// How many differing rows are printed.
    private static let printedMax = 10

    @Option(help: "The directory of the server's decision log.")
    var log: String

    @Option(help: "The bundle to score with.")
    var bundle: String

    @Option(help: "A CSV file for every row's old and new probability.")
    var scores: String?

    @Option(help: "A file for the counts as JSON.")
    var report: String?

    func run() throws {
        var differs = false
        try reporting { () throws(TrainingError) in
            let history = try DecisionHistory.read(log)
            let model = try BundleReader.open(path: bundle)
            let replay = try replay(history, model)
            if let report { try JSONFile.write(replay.json(of: model, history), to: report) }
            summary(replay).forEach { Console.line($0) }
            differs = !replay.different.isEmpty
        }
        if differs { throw ExitCode(3) }
    }

    private func replay(
        _ history: DecisionHistory,
        _ model: LoadedModel
    ) throws(TrainingError) -> Replay {
        guard let scores else { return Replay(history, model: model) }
        var found: [Replay.Score] = []
        let replay = Replay(history, model: model) { found.append($0) }
        do throws(FileError) {
            try FileAccess.makeDirectory(FileAccess.parent(of: scores))
            var table = try TableWriter(
                scores,
                header: ["equipment_id", "timestamp", "model_version", "logged", "replayed"]
            )
            for score in found {
                table.append(score.equipmentID)
                table.append(timestamp: score.timestamp)
                table.append(score.version)
                table.append(score.logged)
                table.append(score.replayed)
                try table.endRow()
            }
            try table.finish()
        } catch {
            throw .file(error)
        }
        return replay
    }

    private func summary(_ replay: Replay) -> [String] {
        var lines = [
            "\(replay.rowCount) rows; of this bundle: \(replay.comparedCount) compared,"
                + " \(replay.different.count) different, \(replay.irreproducibleCount) not"
                + " reproducible",
            "of other bundles: \(replay.foreignCount), class changed \(replay.flippedCount),"
                + " mean distance \(Console.number(replay.foreignMeanDistance))",
        ]
        if replay.ownHistoryCount > 0 {
            lines.append("not scored, as they brought their own history: \(replay.ownHistoryCount)")
        }
        for score in replay.different.prefix(Self.printedMax) {
            lines.append(
                "different: \(score.equipmentID) at \(Timestamp.text(score.timestamp)): logged"
                    + " \(score.logged), replayed \(score.replayed)"
            )
        }
        return lines
    }
}
