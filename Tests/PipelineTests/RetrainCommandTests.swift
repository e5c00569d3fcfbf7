// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// `pdm retrain`, with a `curl` of its own that writes down what it is told.
struct RetrainCommandTests {
    private let folder: Folder

    init() throws {
        folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.file("bin"),
            withIntermediateDirectories: false
        )
        let curl = """
            #!/bin/sh
            echo "$@" >> arguments
            cat >> asked
            cat answer
            printf '\\n'
            cat status
            """
        let path = try folder.write(curl, "bin/curl")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try answer(drift("drift"))
        _ = try folder.write("200", "status")
    }

    private func drift(_ state: String, version: String = "20260101_000000") -> String {
        """
        {"format":1,"state":"\(state)","model_version":"\(version)","drifted_share":0.4,\
        "drifted_features":["a","b"],"window":{"start":"2026-01-01T00:00:00Z"}}
        """
    }

    private func answer(_ text: String) throws { _ = try folder.write(text, "answer") }

    private func retrain(
        _ words: [String],
        environment: [String: String] = [:]
    ) throws -> Program.Outcome {
        var variables = environment
        variables["PATH"] = "\(folder.file("bin")):/usr/bin:/bin"
        return try Program.run(
            ["retrain", "--state-dir", "state"] + words,
            in: folder.path,
            environment: variables
        )
    }

    private var server: [String] { ["--server", "http://127.0.0.1:1/drift?x=1", "--once"] }

    private func pipeline(_ run: String) throws -> [String] {
        let text = """
            {"format":1,"variables":{"until":""},"steps":[\
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
        #expect(first["source"] == "http://127.0.0.1:1/drift")
        // Another version drifts apart from it, and so does this one after it was stable.
        try answer(drift("drift", version: "20260102_000000"))
        #expect(try retrain(arguments).status == 0)
        try answer(drift("stable", version: "20260102_000000"))
        #expect(try retrain(arguments).status == 0)
        try answer(drift("drift", version: "20260102_000000"))
        #expect(try retrain(arguments).status == 0)
        #expect(
            try events() == [
                "triggered", "finished", "rest", "triggered", "finished", "rest", "triggered",
                "finished",
            ]
        )
    }

    @Test func theCoolDownHolds() throws {
        let arguments = server + (try pipeline(helps))
        #expect(try retrain(arguments).status == 0)
        try answer(drift("drift", version: "20260102_000000"))
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

    @Test func aWebhookIsCalledAndItsTokenKept() throws {
        let secret = "ghp_s3cret"
        let outcome = try retrain(
            server + ["--webhook", "https://example.org/dispatches?key=1"]
                + ["--token-variable", "TOKEN", "--webhook-header", "Accept: a/b"],
            environment: ["TOKEN": secret + "\n"]
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        let asked = try String(contentsOfFile: folder.file("asked"), encoding: .utf8)
        #expect(asked.contains(#"url = "https://example.org/dispatches?key=1""#))
        #expect(asked.contains(#"header = "Authorization: Bearer ghp_s3cret""#))
        #expect(asked.contains(#"header = "Accept: a/b""#))
        #expect(asked.contains(#"data-raw = "{\"event_type\":\"retrain\","#))
        #expect(asked.contains(#"\"model_version\":\"20260101_000000\""#))
        for name in ["arguments", "state/retrain.jsonl"] {
            let text = try String(contentsOfFile: folder.file(name), encoding: .utf8)
            #expect(!text.contains(secret))
        }
        #expect(!(outcome.output + outcome.error).contains(secret))
        #expect(try events() == ["triggered", "finished"])
        #expect(try lines()[1]["target"] == "POST https://example.org/dispatches")
        #expect(try lines()[1]["status"] == 200)
    }

    @Test func aTemplateIsFilledIn() throws {
        let template = #"{"name":"r-${seconds}","v":"${model_version}","f":"${drifted_features}"}"#
        let path = try folder.write(template, "body.json")
        let token = try folder.write("t0ken\n", "token")
        let outcome = try retrain(
            server + ["--webhook", "https://example.org/", "--webhook-body", path]
                + ["--token-file", token, "--webhook-method", "PUT"]
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        let asked = try String(contentsOfFile: folder.file("asked"), encoding: .utf8)
        #expect(asked.contains(#"\"v\":\"20260101_000000\",\"f\":\"a,b\"}"#))
        #expect(asked.contains("request = \"PUT\""))
        #expect(asked.contains("Bearer t0ken\""))
    }

    @Test func aServerThatIsNotThereIsAnError() throws {
        _ = try folder.write("503", "status")
        let outcome = try retrain(server + (try pipeline(helps)))
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 1)
        #expect(try lines().isEmpty)
    }

    @Test(arguments: [
        ["--once"], ["--server", "http://a/", "--report", "b", "--once"],
        ["--server", "ftp://a/", "--once"], ["--server", "http://a@b/", "--once"],
        ["--server", "http://a/", "--webhook", "http://b/", "--token-file", "c", "--once"],
        ["--server", "http://a/", "--cooldown-hours", "-1"],
        ["--server", "http://a/", "--set", "x"],
        ["--server", "http://a/", "--interval", "0"],
        ["--server", "http://a/", "--token-file", "a", "--token-variable", "b"],
    ])
    func whatCannotBeIsRefused(words: [String]) throws {
        #expect(try retrain(words).status == 64)
    }
}
