// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// `pdm pipeline` with the pipeline that the repository ships.
struct PipelineCommandTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        let fleet = try SmallFleet.made.get()
        try FileManager.default.copyItem(
            atPath: fleet.folder.file("raw.csv"),
            toPath: folder.file("raw.csv")
        )
    }

    private func pipeline(_ words: String...) throws -> Program.Outcome {
        let settings = ["readings=raw.csv", "epochs=3", "calibration_error_max=1"]
            .flatMap { ["--set", $0] }
        let file = repositoryPath("ml_pipeline/pipeline.json")
        return try Program.run(["pipeline", file] + settings + words, in: folder.path)
    }

    /// The first word of each line that says what became of a step.
    private func steps(_ outcome: Program.Outcome, ending: String) -> [String] {
        outcome.lines.filter { $0.hasSuffix(ending) }.map { String($0.prefix { $0 != ":" }) }
    }

    private static let all = [
        "preprocess", "fit features", "apply features", "train", "evaluate", "gate", "register",
    ]

    private func champion() throws -> JSONValue? {
        let path = folder.file("models/predictive-maintenance/registry.json")
        return try JSONValue.parse(Array(try Data(contentsOf: URL(filePath: path))))["champion"]
    }

    private func versions() throws -> [String] {
        try FileManager.default
            .contentsOfDirectory(atPath: folder.file("models/predictive-maintenance"))
            .filter { $0.first == "2" && !$0.contains(".") }
            .sorted()
    }

    @Test func runsOnlyWhatHasChanged() throws {
        #expect(steps(try pipeline("--dry-run"), ending: "would run") == Self.all)
        let first = try pipeline()
        #expect(first.status == 0, "\(first.output)\(first.error)")
        let made = try versions()
        #expect(made.count == 1)
        #expect(try champion() == .string(made[0]))
        let second = try pipeline()
        #expect(second.status == 0)
        #expect(steps(second, ending: "up to date") == Self.all)
        // A lost output is made again, and what depends on it only where its bytes differ.
        try FileManager.default.removeItem(atPath: folder.file("data/processed/test_features.csv"))
        let third = try pipeline()
        let kept = Self.all.filter { $0 != "apply features" }
        #expect(steps(third, ending: "up to date") == kept)
        #expect(try versions() == made)
    }

    @Test func makesANewModelOfNewReadingsAndKeepsTheChampionThatTheGateKeeps() throws {
        #expect(try pipeline().status == 0)
        let before = try versions()
        let raw = URL(filePath: folder.file("raw.csv"))
        let lines = try String(contentsOf: raw, encoding: .utf8).split(separator: "\n")
        try Data((lines.dropLast(40).joined(separator: "\n") + "\n").utf8).write(to: raw)
        let refused = try pipeline("--set", "margin=1")
        #expect(refused.status == 3, "\(refused.output)\(refused.error)")
        #expect(refused.output.contains("FAIL  gain"))
        #expect(try versions().count == 2)
        #expect(try champion() == .string(before[0]))
        // The model is there already: only the gate and what follows is run again.
        let again = try pipeline("--set", "margin=-1")
        #expect(again.status == 0, "\(again.output)\(again.error)")
        #expect(steps(again, ending: "up to date") == Array(Self.all.prefix(5)))
        #expect(try versions().count == 2)
        #expect(try champion() == .string(try versions()[1]))
    }

    @Test func goesOnWhereItStopped() throws {
        try FileManager.default.createDirectory(
            atPath: folder.file("models"),
            withIntermediateDirectories: true
        )
        // In the place of the folder that `evaluate` writes to.
        _ = try folder.write("", "models/evaluation")
        let stopped = try pipeline()
        #expect(stopped.status == 1)
        #expect(stopped.error.contains("step evaluate ended with status 1"))
        try FileManager.default.removeItem(atPath: folder.file("models/evaluation"))
        let resumed = try pipeline()
        #expect(resumed.status == 0, "\(resumed.error)")
        #expect(steps(resumed, ending: "up to date") == Array(Self.all.prefix(4)))
        #expect(try versions().count == 1)
    }

    @Test(arguments: [
        (#"{"format":2,"steps":[]}"#, "/format"),
        (#"{"format":1,"steps":[]}"#, "/steps"),
        (#"{"format":1,"steps":[{"name":"a"}]}"#, "/steps/0/run"),
        (#"{"format":1,"variables":{"version":"1"},"steps":[]}"#, "/variables/version"),
        (#"{"format":1,"steps":[{"name":"a","run":["${b}"]}]}"#, "no variable b"),
        (#"{"format":1,"steps":[{"name":"a","run":["${b"]}]}"#, "without its }"),
        (#"{"format":1,"steps":[{"name":"a","run":[]},{"name":"a","run":[]}]}"#, "/steps/1/name"),
        (#"{"format":1,"steps":[{"name":"a","run":[],"inputs":["x"]}]}"#, "x is not there"),
    ])
    func saysWhatIsWrongWithItsFile(_ text: String, _ place: String) throws {
        let path = try folder.write(text, "bad.json")
        let outcome = try Program.run(["pipeline", path], in: folder.path)
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 1 && outcome.error.contains(place), "\(outcome.error)")
    }
}
