// SPDX-License-Identifier: MIT

@testable import InferenceServer
import JSON
import Platform
import Testing

/// What a restart leaves of a trial.
@Suite struct RestartTests {
    private static let first = TestBundle.firstVersion
    private static let second = TestBundle.secondVersion

    private let state: TemporaryDirectory
    private let models: TemporaryDirectory

    init() throws {
        state = try TemporaryDirectory()
        models = try TemporaryDirectory()
        try TestBundle.write(to: models.path)
    }

    /// A process from its start to its end, which lets the state directory go.
    private func serve<Result>(
        _ arguments: [String: String] = [:],
        _ body: (TestServer) throws -> Result
    ) throws -> Result {
        var values = [
            "state-dir": state.path, "model-dir": models.path, "quarantine-readings": "20",
        ]
        values.merge(arguments) { $1 }
        let server = try TestServer(arguments: values) { _ in }
        defer { server.stop() }
        return try body(server)
    }

    private func expectNoProbation(_ server: TestServer) throws {
        #expect(try server.modelInfo()["probation"] == JSONValue.null)
    }

    /// Twelve readings of a second version's probation, and the end of the process.
    private func begin(bias: Float) throws {
        try serve { server in
            try TestBundle.write(to: models.path, version: Self.second, bias: bias)
            server.application.watcher.scanNow(isForced: false)
            try server.predict(machines: 12, hour: 0)
            #expect(try server.modelInfo()["probation"]?["readings"] == 12)
        }
    }

    @Test func goesOnWithAProbation() throws {
        try begin(bias: 4)
        try serve { server in
            #expect(server.lines.containing("probation_resumed").count == 1)
            let probation = try server.modelInfo()["probation"]
            #expect(probation?["previous"] == .string(Self.first))
            #expect(probation?["readings"] == 12)
            guard case .number(let remaining)? = probation?["remaining_seconds"] else {
                Issue.record("\(probation ?? .null)")
                return
            }
            #expect((3000...3600).contains(remaining))
            try server.predict(machines: 7, hour: 1)
            server.application.watcher.reviewNow()
            #expect(try server.modelInfo()["version"] == .string(Self.second), "too few readings")
            try server.predict(machines: 1, hour: 2)
            server.application.watcher.reviewNow()
            #expect(try server.modelInfo()["version"] == .string(Self.first))
        }
        // Nothing of it comes back: the version is in quarantine.
        try serve { server in
            let info = try server.modelInfo()
            #expect(info["version"] == .string(Self.first))
            #expect(info["probation"] == JSONValue.null)
        }
    }

    @Test func aProbationThatIsOverStaysOver() throws {
        try begin(bias: 0.01)
        try serve(["probation": "0s"]) { server in
            try server.predict(machines: 8, hour: 1)
            // What is left of the hour that it began with has to pass.
            server.application.watcher.reviewNow()
            #expect(try server.modelInfo()["probation"]?["readings"] == 20)
        }
        let path = "\(state.path)/serving.json"
        guard case .object(var content) = try JSONValue.parse(FileAccess.read(path)),
            case .object(var trial)? = content["trial"]
        else {
            Issue.record("no trial was kept")
            return
        }
        trial["remaining_seconds"] = 0
        content["trial"] = .object(trial)
        try FileAccess.replace(path, with: JSONValue.object(content).serialized())
        try serve { server in
            server.application.watcher.reviewNow()
            #expect(server.lines.containing("probation_over").count == 1)
        }
        try serve { try expectNoProbation($0) }
    }

    @Test func aVersionThatComesWithTheStartIsOnProbationToo() throws {
        try serve { try $0.predict(machines: 1) }
        try TestBundle.write(to: models.path, version: Self.second, bias: 4)
        try serve { server in
            #expect(try server.modelInfo()["version"] == .string(Self.second))
            #expect(try server.modelInfo()["probation"]?["previous"] == .string(Self.first))
            #expect(try server.modelInfo()["probation"]?["readings"] == 0)
            try server.predict(machines: 20, hour: 1)
            server.application.watcher.reviewNow()
            #expect(try server.modelInfo()["version"] == .string(Self.first))
        }
    }

    @Test func withoutThePredecessorThereIsNothingToCompareWith() throws {
        try begin(bias: 0.01)
        try FileAccess.remove("\(models.path)/pump/\(Self.first)")
        try serve { server in
            let info = try server.modelInfo()
            #expect(info["version"] == .string(Self.second))
            #expect(info["probation"] == JSONValue.null)
            #expect(server.lines.containing("model_refused").isEmpty)
        }
    }

    @Test func anotherBundleOfThePredecessorsVersionIsNotTakenForIt() throws {
        try begin(bias: 0.01)
        try FileAccess.remove("\(models.path)/pump/\(Self.first)")
        try TestBundle.write(to: models.path, version: Self.first, bias: 1)
        try serve { try expectNoProbation($0) }
    }

    @Test func goesOnWithAChallenger() throws {
        try TestBundle.write(to: models.path, version: Self.second, bias: 0.01)
        try TestRegistry.write(
            to: models.path,
            champion: Self.first,
            challenger: "{\"version\":\"\(Self.second)\",\"mode\":\"shadow\"}"
        )
        try serve { try $0.predict(machines: 5) }
        try serve { server in
            #expect(try server.modelInfo()["challenger"]?["readings"] == 5)
            try server.predict(machines: 1, hour: 1)
            #expect(try server.modelInfo()["challenger"]?["readings"] == 6)
        }
    }

    @Test(arguments: [
        "", "{", "[]", "{\"format\":2}", "{\"format\":1,\"version\":\"../x\"}",
        """
        {"format":1,"version":"20260101_000000","sha256sums_digest":"0","trial":{"version":\
        "20260101_000000","sha256sums_digest":"0","mode":"probation","remaining_seconds":-1}}
        """,
    ])
    func aFileThatCannotBeReadEndsTheTrialAndNothingElse(text: String) throws {
        try begin(bias: 0.01)
        let path = "\(state.path)/serving.json"
        try FileAccess.replace(path, with: Array(text.utf8))
        try serve { server in
            let info = try server.modelInfo()
            #expect(info["version"] == .string(Self.second))
            #expect(info["probation"] == JSONValue.null)
            #expect(server.lines.containing("trial_not_resumed").count == 1)
        }
        #expect(try JSONValue.parse(FileAccess.read(path))["version"] == .string(Self.second))
    }
}
