// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import ModelRuntime
import Platform
import Testing

@Suite struct QuarantineTests {
    private static let first = TestBundle.firstVersion
    private static let second = TestBundle.secondVersion

    private let state: TemporaryDirectory

    init() throws { state = try TemporaryDirectory() }

    private var file: String { "\(state.path)/quarantine.json" }

    private func server(
        _ arguments: [String: String] = [:],
        clock: MonotonicClock = .system,
        _ bundles: (String) throws -> Void = { try TestBundle.write(to: $0) }
    ) throws -> TestServer {
        var values = ["state-dir": state.path, "quarantine-readings": "20"]
        values.merge(arguments) { $1 }
        return try TestServer(arguments: values, clock: clock, bundles: bundles)
    }

    /// Brings the second version in, whose answers are far from those of the first.
    private func bringBadVersion(_ server: TestServer) throws {
        try TestBundle.write(to: server.directory.path, version: Self.second, bias: 4)
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["version"] == .string(Self.second))
        #expect(try server.modelInfo()["probation"]?["previous"] == .string(Self.first))
    }

    @Test func sendsBackAVersionWhoseRiskLevelsJump() throws {
        let server = try server()
        try bringBadVersion(server)
        try server.predict(machines: 19)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["version"] == .string(Self.second), "too few readings")
        try server.predict(machines: 1, hour: 1)
        server.application.watcher.reviewNow()
        let info = try server.modelInfo()
        #expect(info["version"] == .string(Self.first))
        #expect(info["probation"] == JSONValue.null)
        guard case .array(let entries)? = info["quarantine"], entries.count == 1 else {
            Issue.record("\(info["quarantine"] ?? .null)")
            return
        }
        #expect(entries[0]["version"] == .string(Self.second))
        #expect(entries[0]["previous"] == .string(Self.first))
        let lines = server.lines.containing("model_quarantined")
        #expect(lines.count == 1 && lines[0].contains("risk levels are shifted by"))
        let page = try server.client().request("GET", "/metrics").body
        #expect(page.contains("\nmodel_quarantines_total 1\n"))
        #expect(page.contains("\nmodels_quarantined 1\n"))
        #expect(page.contains("\nmodel_preferred_refused 1\n"))
        // It is not taken again, and one line has told so.
        for isForced in [false, true, true] {
            server.application.watcher.scanNow(isForced: isForced)
        }
        #expect(try server.modelInfo()["version"] == .string(Self.first))
        #expect(server.lines.containing("model_quarantined").count == 1)
        #expect(server.lines.containing("model_refused").isEmpty)
        let kept = try JSONValue.parse(FileAccess.read(file))
        #expect(kept["format"] == 1 && kept["models"] == .array(entries))
    }

    @Test func remembersItAcrossARestart() throws {
        let directory = try serveAndSendBack()
        let after = try server(["model-dir": directory.path]) { _ in }
        #expect(try after.modelInfo()["version"] == .string(Self.first))
        #expect(try after.modelInfo()["last_refusal"]?["version"] == .string(Self.second))
        #expect(after.lines.containing("model_in_service").count == 1)
    }

    /// The models of a server that has ended, and let go of the state directory.
    private func serveAndSendBack() throws -> TemporaryDirectory {
        let server = try server()
        try bringBadVersion(server)
        // A version between the two that never served is not stepped on.
        try TestBundle.write(to: server.directory.path, version: "20260115_000000", bias: 1)
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        server.application.watcher.scanNow()
        #expect(try server.modelInfo()["version"] == .string(Self.first))
        server.stop()
        return server.directory
    }

    @Test func takesItAgainOnceTheFileIsGone() throws {
        let server = try server()
        try bringBadVersion(server)
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        try FileAccess.remove(file)
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["version"] == .string(Self.second))
        #expect(try server.modelInfo()["quarantine"] == .array([]))
        // The next trial begins at nothing.
        #expect(try server.modelInfo()["probation"]?["readings"] == 0)
        try server.predict(machines: 20, hour: 1)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["version"] == .string(Self.first))
    }

    @Test func takesAnotherBundleOfTheSameVersion() throws {
        let server = try server()
        try bringBadVersion(server)
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        let folder = server.directory.path
        try FileAccess.remove("\(folder)/pump/\(Self.second)")
        try TestBundle.write(to: folder, version: Self.second, bias: 0.01)
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["version"] == .string(Self.second))
    }

    @Test func withoutAStateDirectoryItIsInMemory() throws {
        let server = try TestServer(arguments: ["quarantine-readings": "20"])
        try bringBadVersion(server)
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        for _ in 0..<2 {
            server.application.watcher.scanNow()
            #expect(try server.modelInfo()["version"] == .string(Self.first))
        }
        #expect(server.lines.containing("model_quarantined")[0].contains("in memory only"))
    }

    @Test func aFileThatCannotBeReadLiftsNothing() throws {
        let server = try server()
        try bringBadVersion(server)
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        for text in ["{", "{\"format\":2,\"models\":[]}", "{\"format\":1,\"models\":[{}]}"] {
            try FileAccess.replace(file, with: Array(text.utf8))
            server.application.watcher.scanNow(isForced: false)
            #expect(try server.modelInfo()["version"] == .string(Self.first))
        }
        #expect(server.lines.containing("quarantine_unreadable").count == 3)
    }

    @Test func aGoodVersionEndsItsProbation() throws {
        let clock = TestClock()
        let server = try server(["probation": "60s"], clock: clock.clock)
        try TestBundle.write(to: server.directory.path, version: Self.second, bias: 0.01)
        server.application.watcher.scanNow(isForced: false)
        try server.predict(machines: 20)
        clock.set(59_999_999_999)
        server.application.watcher.reviewNow()
        let probation = try server.modelInfo()["probation"]
        #expect(probation?["readings"] == 20 && probation?["failures"] == 0)
        #expect(probation?["readings_needed"] == 20 && probation?["shift_max"] == 0.25)
        let page = try server.client().request("GET", "/metrics").body
        let labels = "model_version=\"\(Self.second)\",other_version=\"\(Self.first)\""
        #expect(page.contains("\ntrial_share{\(labels),mode=\"probation\"} 1\n"))
        clock.set(60_000_000_000)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["probation"] == JSONValue.null)
        #expect(try server.modelInfo()["version"] == .string(Self.second))
        #expect(server.lines.containing("probation_over").count == 1)
        #expect(try server.modelInfo()["quarantine"] == .array([]))
    }

    @Test func probationLastsUntilThereAreReadings() throws {
        let server = try server(["probation": "0s"])
        try TestBundle.write(to: server.directory.path, version: Self.second, bias: 0.01)
        server.application.watcher.scanNow(isForced: false)
        try server.predict(machines: 19)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["probation"]?["readings"] == 19)
        try server.predict(machines: 1, hour: 1)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["probation"] == JSONValue.null)
    }

    @Test(arguments: ["\"shift\"", "\"unit\",\"shift\"", "\"unit\"", ""])
    func aShiftThatTheRegistryAllowsIsNotJudged(_ allowed: String) throws {
        let isAllowed = allowed.contains("shift")
        let server = try server { path in
            try TestBundle.write(to: path)
            try TestRegistry.write(to: path, champion: Self.first, challenger: nil)
        }
        try TestBundle.write(to: server.directory.path, version: Self.second, bias: 4)
        let event = """
            {"time":"2026-02-01T00:00:00Z","action":"promote","version":"\(Self.second)",\
            "by":"a","reason":"b","allowed":[\(allowed)]}
            """
        try TestRegistry.write(
            to: server.directory.path,
            champion: Self.second,
            challenger: nil,
            history: event
        )
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["probation"]?["allows_shift"] == .bool(isAllowed))
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["version"] == .string(isAllowed ? Self.second : Self.first))
        #expect(server.lines.containing("\"allows_shift\":\"yes\"").count == (isAllowed ? 1 : 0))
        guard isAllowed else { return }
        // What it is compared with is still there, for those who look.
        #expect(try server.modelInfo()["probation"]?["readings"] == 20)
    }

    @Test func answersThatAreNotFiniteAreNeverAllowed() throws {
        let server = try server { path in
            try TestBundle.write(to: path)
            try TestRegistry.write(to: path, champion: Self.first, challenger: nil)
        }
        try TestBundle.write(to: server.directory.path, version: Self.second, explodes: true)
        let event = """
            {"time":"2026-02-01T00:00:00Z","action":"promote","version":"\(Self.second)",\
            "by":"a","reason":"b","allowed":["shift"]}
            """
        try TestRegistry.write(
            to: server.directory.path,
            champion: Self.second,
            challenger: nil,
            history: event
        )
        server.application.watcher.scanNow(isForced: false)
        let body = TestReading.json(1, hour: 0, temperature: 149)
        #expect(try server.client().request("POST", "/predict", body: body).status == 200)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["version"] == .string(Self.first))
    }

    @Test func nothingIsComparedWhereThatIsOff() throws {
        let server = try server(["quarantine-shift": "off"])
        try TestBundle.write(to: server.directory.path, version: Self.second, bias: 4)
        server.application.watcher.scanNow(isForced: false)
        try server.predict(machines: 30)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["version"] == .string(Self.second))
        #expect(try server.modelInfo()["probation"] == JSONValue.null)
    }

    @Test func theWayBackToAnOlderVersionIsNotJudged() throws {
        let server = try server { path in
            try TestBundle.write(to: path)
            try TestBundle.write(to: path, version: Self.second, bias: 4)
        }
        #expect(try server.modelInfo()["version"] == .string(Self.second))
        try TestRegistry.write(
            to: server.directory.path,
            champion: Self.first,
            challenger: nil
        )
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["version"] == .string(Self.first))
        #expect(try server.modelInfo()["probation"] == JSONValue.null)
    }

    @Test func thePredecessorAnswersWhatTheNewVersionCannot() throws {
        let server = try server()
        try TestBundle.write(to: server.directory.path, version: Self.second, explodes: true)
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["version"] == .string(Self.second))
        let client = try server.client()
        let body = TestReading.json(1, hour: 0, temperature: 149)
        let answer = try client.request("POST", "/predict", body: body)
        #expect(answer.status == 200)
        #expect(try answer.json["model_version"] == .string(Self.first))
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["version"] == .string(Self.first))
        let lines = server.lines.containing("model_quarantined")
        #expect(lines.count == 1 && lines[0].contains("1 of 1 answers were no finite number"))
    }

    @Test func aVersionWithoutPredecessorGivesWayToOneOnTheDisk() throws {
        let server = try server { path in
            try TestBundle.write(to: path)
            try TestBundle.write(to: path, version: Self.second, explodes: true)
        }
        let client = try server.client()
        let body = TestReading.json(1, hour: 0, temperature: 149)
        #expect(try client.request("POST", "/predict", body: body).status == 503)
        server.application.watcher.reviewNow()
        let answer = try client.request("POST", "/predict", body: body)
        #expect(answer.status == 200)
        #expect(try answer.json["model_version"] == .string(Self.first))
        #expect(server.lines.containing("model_quarantined").count == 1)
    }

    @Test func theOnlyVersionGoesOnWithWhatItCanAnswer() throws {
        let server = try server { try TestBundle.write(to: $0, explodes: true) }
        let client = try server.client()
        let body = TestReading.json(1, hour: 0, temperature: 149)
        for _ in 0..<2 {
            #expect(try client.request("POST", "/predict", body: body).status == 503)
            server.application.watcher.reviewNow()
        }
        #expect(server.lines.containing("model_faulty").count == 1)
        #expect(try server.modelInfo()["version"] == .string(Self.first))
        #expect(try server.modelInfo()["quarantine"] == .array([]))
    }

    @Test func aChallengerThatAnswersIsStoppedAndAShadowIsNot() throws {
        for (mode, isStopped) in [("\"share\",\"share\":0.9", true), ("\"shadow\"", false)] {
            let server = try server(["state-dir": "\(state.path)/\(isStopped)"]) { path in
                try TestBundle.write(to: path)
                try TestBundle.write(to: path, version: Self.second, bias: 4)
                try TestRegistry.write(
                    to: path,
                    champion: Self.first,
                    challenger: "{\"version\":\"\(Self.second)\",\"mode\":\(mode)}"
                )
            }
            try server.predict(machines: 40)
            server.application.watcher.reviewNow()
            #expect(try server.modelInfo()["version"] == .string(Self.first))
            #expect((try server.modelInfo()["challenger"] == .null) == isStopped)
            server.application.watcher.scanNow()
            #expect((try server.modelInfo()["challenger"] == .null) == isStopped)
            try server.predict(machines: 40, hour: 1)
            let page = try server.client().request("GET", "/metrics").body
            #expect(page.contains("\nmodels_quarantined \(isStopped ? 1 : 0)\n"))
        }
    }

    @Test func theChallengerWaitsForTheEndOfTheProbation() throws {
        let third = "20260301_000000"
        let server = try server(["probation": "0s"]) { path in
            try TestBundle.write(to: path)
            try TestBundle.write(to: path, version: Self.second, bias: 0.01)
            try TestBundle.write(to: path, version: third, bias: 0.02)
            try TestRegistry.write(to: path, champion: Self.first, challenger: nil)
        }
        try TestRegistry.write(
            to: server.directory.path,
            champion: Self.second,
            challenger: "{\"version\":\"\(third)\",\"mode\":\"shadow\"}"
        )
        server.application.watcher.scanNow(isForced: false)
        #expect(try server.modelInfo()["probation"] != .null)
        #expect(try server.modelInfo()["challenger"] == JSONValue.null)
        try server.predict(machines: 20)
        server.application.watcher.reviewNow()
        #expect(try server.modelInfo()["challenger"]?["version"] == .string(third))
    }

    @Test func measuresTheShiftOfRiskLevels() {
        func shift(_ readings: [Int]) -> Double {
            TrialComparison(readings: readings, disagreements: 0, failures: 0, difference: 0).shift
        }
        #expect(shift([950, 0, 0, 0, 20, 0, 0, 0, 30]) == 0)
        // Swapped readings leave the distribution as it is.
        #expect(shift([900, 25, 25, 25, 20, 0, 25, 0, 30]) == 0)
        // All low where 20 were medium and 30 high. By hand, with half a reading more in each
        // level: (50 ln(1000.5 / 950.5) + 20 ln(20.5 / 0.5) + 30 ln(30.5 / 0.5)) / 1001.5.
        let mute = shift([950, 20, 30, 0, 0, 0, 0, 0, 0])
        #expect(abs(mute - 0.199_861) < 1e-5, "\(mute)")
        // Everything high.
        #expect(shift([0, 0, 0, 0, 0, 0, 950, 20, 30]) > 5)
    }
}
