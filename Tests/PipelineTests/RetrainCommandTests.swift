// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// `pdm retrain`, with an address on this machine that says what a server would.
struct RetrainCommandTests {
    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver(["GET /drift"])
        try answer(drift("drift"))
    }

    private func drift(
        _ state: String,
        version: String = "20260101_000000",
        names: [String] = ["a", "b"]
    ) -> String {
        let names = names.map { "\"\($0)\"" }.joined(separator: ",")
        return """
            {"format":1,"state":"\(state)","model_version":"\(version)","drifted_share":0.4,\
            "drifted_features":[\(names)],"window":{"start":"2026-01-01T00:00:00Z"}}
            """
    }

    private func answer(_ text: String) throws { receiver.answer(200, text) }

    private func retrain(
        _ words: [String],
        environment: [String: String] = [:]
    ) throws -> Program.Outcome {
        try Program.run(
            ["retrain", "--state-dir", "state"] + words,
            in: folder.path,
            environment: environment
        )
    }

    private var server: [String] { ["--server", receiver.url("/drift?x=1"), "--once"] }

    private func pipeline(_ run: String) throws -> [String] {
        let text = """
            {"format":1,"variables":{"until":"","allow":"none"},"steps":[\
            {"name":"only","run":[\(run)],"inputs":[],"outputs":[]}]}
            """
        return ["--pipeline", try folder.write(text, "pipeline.json"), "--work-dir", "work"]
    }

    private func lines() throws -> [JSONValue] {
        try Data(contentsOf: URL(filePath: folder.file("state/retrain.jsonl")))
            .split(separator: UInt8(ascii: "\n"))
            .map { try JSONValue.parse(Array($0)) }
    }

    private func events() throws -> [JSONValue?] { try lines().map { $0["event"] } }

    private let helps = #""generate","--help""#

    @Test func aDriftIsAnsweredOnce() throws {
        let arguments = server + (try pipeline(helps)) + ["--cooldown-hours", "0"]
        for _ in 0..<3 { #expect(try retrain(arguments).status == 0) }
        #expect(try events() == ["triggered", "finished", "rest"])
        let first = try lines()[0]
        #expect(first["format"] == 1)
        #expect(first["model_version"] == "20260101_000000")
        #expect(first["drifted_features"] == ["a", "b"])
        #expect(first["source"] == .string(receiver.url("/drift")))
        // Neither is it of another version, or after a time in which nothing drifted.
        for (state, version) in [("drift", "2"), ("stable", "2"), ("drift", "2"), ("drift", "1")] {
            try answer(drift(state, version: version))
            #expect(try retrain(arguments).status == 0)
        }
        #expect(try lines().count { $0["event"] == "triggered" } == 1)
        // Another drift is answered.
        try answer(drift("drift", names: ["a", "c"]))
        #expect(try retrain(arguments).status == 0)
        #expect(try events().suffix(2) == ["triggered", "finished"])
        #expect(try lines().last?["grown_features"] == ["c"])
    }

    @Test func theCoolDownHolds() throws {
        let arguments = server + (try pipeline(helps))
        #expect(try retrain(arguments).status == 0)
        try answer(drift("drift", names: ["c"]))
        #expect(try retrain(arguments).output.contains("cooling down"))
        #expect(try events() == ["triggered", "finished", "rest"])
        #expect(try retrain(arguments + ["--cooldown-hours", "0"]).status == 0)
        #expect(try events().count == 5)
    }

    @Test func warmingAndStableAreNoReason() throws {
        let arguments = server + (try pipeline(helps))
        for state in ["warming", "stable", "stable"] {
            try answer(drift(state))
            let outcome = try retrain(arguments)
            #expect(outcome.status == 0)
            #expect(outcome.output == "nothing to do: \(state)\n")
        }
        #expect(try events().allSatisfy { $0 == "rest" })
    }

    @Test func aFailureIsTriedAgainAfterTheCoolDown() throws {
        let arguments = server + (try pipeline(#""train","--no-such-option""#))
        #expect(try retrain(arguments).status == 64)
        #expect(try events() == ["triggered", "failed"])
        #expect(try retrain(arguments).output.contains("cooling down"))
        #expect(try retrain(arguments + ["--cooldown-hours", "0"]).status == 64)
        #expect(try events() == ["triggered", "failed", "rest", "triggered", "failed"])
    }

    @Test func aDryRunDoesAndWritesNothing() throws {
        let outcome = try retrain(server + (try pipeline(helps)) + ["--dry-run"])
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("would start pipeline"))
        #expect(try lines().isEmpty)
    }

    @Test func aReportOfDriftWillDo() throws {
        let report = """
            {"format":1,"drift":true,"drifted_share":0.5,\
            "features":[{"name":"a","drifts":true},{"name":"b","drifts":false}]}
            """
        let path = try folder.write(report, "drift.json")
        let outcome = try retrain(["--report", path, "--once"] + (try pipeline(helps)))
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(try lines()[0]["drifted_features"] == ["a"])
    }

    @Test func aShiftIsAllowedWhereDriftIsTheReason() throws {
        let run = #""gate","--candidate","${until}","--readings","x","--allow","${allow}""#
        let outcome = try retrain(server + (try pipeline(run)))
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("--allow shift"), "\(outcome.output)")
        let other = try retrain(
            server + (try pipeline(run)) + ["--set", "allow=none", "--cooldown-hours", "0"]
        )
        #expect(other.output.contains("--allow none"), "\(other.output)")
    }

    @Test func aServerThatIsNotThereIsAnError() throws {
        receiver.answer(404, "{}")
        let outcome = try retrain(server + (try pipeline(helps)))
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 1 && outcome.error.contains("status 404"))
        receiver.stop()
        let gone = try retrain(server + (try pipeline(helps)))
        #expect(gone.status == 1 && gone.errorLines.count == 1)
        #expect(!gone.error.contains("x=1"), "the query may hold a key")
        #expect(try lines().isEmpty)
    }

    @Test(arguments: [
        ["--once"], ["--server", "http://a/", "--report", "b", "--once"],
        ["--server", "ftp://a/", "--once"], ["--server", "http://a@b/", "--once"],
        ["--server", "http://a/", "--webhook", "http://b/", "--token-file", "c", "--once"],
        ["--server", "http://a/", "--cooldown-hours", "-1"],
        ["--server", "http://a/", "--repeat-hours", "-1"],
        ["--server", "http://a/", "--set", "x"],
        ["--server", "http://a/", "--interval", "0"],
        ["--server", "http://a/", "--timeout", "0"],
        ["--server", "http://a/", "--webhook", "http://b/", "--webhook-method", "PO ST"],
        ["--server", "http://a/", "--webhook", "http://b/", "--webhook-header", "none"],
        ["--server", "http://a/", "--webhook", "http://b/", "--webhook-header", "a: b\r\nc: d"],
        ["--server", "http://a/", "--token-file", "a", "--token-variable", "b"],
    ])
    func whatCannotBeIsRefused(words: [String]) throws {
        #expect(try retrain(words).status == 64)
    }
}
