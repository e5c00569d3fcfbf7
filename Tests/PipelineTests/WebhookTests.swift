// SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// What `pdm retrain` calls, as the services of docs/ground-truth.md take it.
struct WebhookTests {
    private static let dispatches = "/repos/OWNER/REPOSITORY/dispatches"
    private static let jobs = "/apis/batch/v1/namespaces/NAMESPACE/jobs"
    private static let run =
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
        + "/workspaces/w/jobs/retrain-17"

    private let folder: Folder
    private let receiver: Receiver

    init() throws {
        folder = try Folder()
        receiver = try Receiver([
            "POST \(Self.dispatches)", "POST \(Self.jobs)", "PUT \(Self.run)", "GET \(Self.jobs)",
        ])
        let report = """
            {"format":1,"state":"drift","model_version":"20260101_000000","drifted_share":0.4,\
            "drifted_features":["a","b \\"c\\""]}
            """
        _ = try folder.write(report, "drift.json")
    }

    private func retrain(
        _ target: String,
        _ words: [String] = [],
        environment: [String: String] = [:]
    ) throws -> Program.Outcome {
        let arguments = ["--once", "--report", "drift.json", "--webhook", receiver.url(target)]
        return try Program.run(
            ["retrain", "--state-dir", "state", "--cooldown-hours", "0"] + arguments + words,
            in: folder.path,
            environment: environment
        )
    }

    private func lines() throws -> [JSONValue] {
        try Data(contentsOf: URL(filePath: folder.file("state/retrain.jsonl")))
            .split(separator: UInt8(ascii: "\n"))
            .map { try JSONValue.parse(Array($0)) }
    }

    @Test func aDispatchOfGitHub() throws {
        receiver.answer(204, "")
        let secret = "ghp_s3cret"
        let outcome = try retrain(
            Self.dispatches + "?key=1",
            [
                "--token-variable", "TOKEN",
                "--webhook-header", "Accept: application/vnd.github+json",
                "--webhook-header", "X-GitHub-Api-Version: 2022-11-28",
            ],
            environment: ["TOKEN": secret + "\n"]
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        #expect(receiver.calls.count == 1)
        let call = try #require(receiver.calls.first)
        #expect(call.method == "POST" && call.target == Self.dispatches + "?key=1")
        #expect(call.fields["authorization"] == "Bearer \(secret)")
        #expect(call.fields["accept"] == "application/vnd.github+json")
        #expect(call.fields["x-github-api-version"] == "2022-11-28")
        #expect(call.fields["content-type"] == "application/json")
        #expect(call.fields["content-length"] == "\(call.body.count)")
        let body = try JSONValue.parse(call.body)
        #expect(body["event_type"] == "retrain")
        let payload = body["client_payload"]
        #expect(payload?["model_version"] == "20260101_000000")
        #expect(payload?["drifted_features"] == ["a", "b \"c\""])
        #expect(payload?["allow"] == "shift")
        let kept = try String(contentsOfFile: folder.file("state/retrain.jsonl"), encoding: .utf8)
        #expect(!(kept + outcome.output + outcome.error).contains(secret))
        #expect(!(kept + outcome.output + outcome.error).contains("key=1"))
        #expect(try lines().map { $0["event"] } == ["triggered", "finished"])
        #expect(try lines()[1]["target"] == .string("POST \(receiver.url(Self.dispatches))"))
        #expect(try lines()[1]["status"] == 204)
    }

    @Test func aJobOfKubernetes() throws {
        receiver.answer(201, #"{"kind":"Job","metadata":{"name":"retrain-x7"}}"#)
        let manifest = #"""
            {"apiVersion":"batch/v1","kind":"Job","metadata":{"generateName":"retrain-",
            "annotations":{"reason":"${reason}","drifted":"${drifted_features}"}},
            "spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"pdm",
            "image":"pdm","args":["pipeline","--set=allow=${allow}","--set=until=${time}"]}]}}}}
            """#
        let outcome = try retrain(
            Self.jobs,
            [
                "--webhook-body", try folder.write(manifest, "job.json"),
                "--token-file", try folder.write("eyJhb.token\n", "token"),
            ]
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        let call = try #require(receiver.calls.first)
        #expect(call.method == "POST" && call.target == Self.jobs)
        #expect(call.fields["authorization"] == "Bearer eyJhb.token")
        #expect(call.fields["content-type"] == "application/json")
        let job = try JSONValue.parse(call.body)
        #expect(job["kind"] == "Job" && job["metadata"]?["generateName"] == "retrain-")
        #expect(job["metadata"]?["annotations"]?["drifted"] == "a,b \"c\"")
        #expect(call.text.contains(#""--set=allow=shift","--set=until=20"#))
    }

    @Test func aJobOfAzure() throws {
        receiver.answer([(503, "busy"), (500, "a fault"), (201, "{}")])
        let document = #"{"properties":{"jobType":"Command","displayName":"of ${model_version}"}}"#
        let outcome = try retrain(
            Self.run + "?api-version=2024-04-01",
            [
                "--webhook-body", try folder.write(document, "job.json"),
                "--webhook-method", "PUT", "--token-variable", "AZURE_TOKEN",
            ],
            environment: ["AZURE_TOKEN": "t"]
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        // The same PUT twice makes one job, so that any fault is worth another attempt.
        #expect(receiver.calls.count == 3)
        for call in receiver.calls {
            #expect(call.method == "PUT" && call.target == Self.run + "?api-version=2024-04-01")
            #expect(call.fields["authorization"] == "Bearer t")
            #expect(call.text.contains(#""displayName":"of 20260101_000000""#))
        }
        #expect(try lines()[1]["status"] == 201)
    }

    /// What is asked for again, how often, and what is kept of it.
    @Test(arguments: [
        ([503, 202], 2, "finished", 202), ([429, 204], 2, "finished", 204),
        ([503], 4, "failed", 503), ([500], 1, "failed", 500), ([401], 1, "failed", 401),
        ([422], 1, "failed", 422), ([302], 1, "failed", 302),
    ])
    func whatFailsIsToldAndTriedAsOftenAsThatCanHelp(
        statuses: [Int],
        calls: Int,
        event: String,
        status: Int
    ) throws {
        receiver.answer(statuses.map { ($0, "") })
        let outcome = try retrain(Self.jobs)
        #expect(outcome.status == (event == "finished" ? 0 : 1), "\(outcome.error)")
        #expect(receiver.calls.count == calls)
        #expect(try lines().map { $0["event"] } == ["triggered", .string(event)])
        #expect(try lines()[1]["status"] == .integer(status))
    }

    @Test func aLongRefusalIsARefusalAndALongAnswerIsNone() throws {
        let long = String(repeating: "x", count: 20 << 20)
        receiver.answer(422, long)
        #expect(try retrain(Self.jobs).status == 1)
        #expect(try lines()[1]["status"] == 422)
        receiver.answer(200, long)
        let outcome = try retrain(Self.jobs)
        #expect(outcome.status == 1 && outcome.error.contains("larger than the limit"))
    }

    @Test func anAnswerThatNeverComesIsAFailure() throws {
        receiver.wait()
        let outcome = try retrain(Self.jobs, ["--timeout", "1"])
        #expect(outcome.status == 1 && outcome.errorLines.count == 1, "\(outcome.error)")
        // Whether the job was made is not known: a second one must not be asked for.
        #expect(receiver.calls.count == 1)
        #expect(try lines().map { $0["event"] } == ["triggered", "failed"])
    }

    @Test func aServiceThatIsGoneIsAFailure() throws {
        receiver.stop()
        let outcome = try retrain(Self.jobs)
        #expect(outcome.status == 1 && outcome.errorLines.count == 1, "\(outcome.error)")
        #expect(try lines().map { $0["event"] } == ["triggered", "failed"])
        // Nothing of it stops the next attempt.
        let again = try retrain(Self.jobs)
        #expect(again.status == 1)
        #expect(try lines().count == 4)
    }

    @Test func theCallIsASpanOfTheCommandsTrace() throws {
        let collector = try Receiver(["POST /v1/traces"])
        receiver.answer(202, "")
        let outcome = try retrain(
            Self.jobs + "?key=s3cret",
            environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": collector.url("")]
        )
        #expect(outcome.status == 0, "\(outcome.error)")
        let sent = try JSONValue.parse(try #require(collector.calls.first).body)
        let spans = JSONView(sent)
        let scope = try spans.required("resourceSpans").array[0].required("scopeSpans").array[0]
        let all = try scope.required("spans").array
        let (command, call) = (try #require(all.first), try #require(all.last))
        #expect(try command.required("name").string == "pdm retrain")
        #expect(try call.required("name").string == "POST")
        #expect(try call.required("kind").int == 3, "a client")
        let (trace, span) = (
            try call.required("traceId").string, try call.required("spanId").string
        )
        #expect(try call.required("parentSpanId").string == command.required("spanId").string)
        #expect(receiver.calls.first?.fields["traceparent"] == "00-\(trace)-\(span)-01")
        let told = String(decoding: sent.serialized(), as: UTF8.self)
        #expect(told.contains(receiver.url(Self.jobs)) && told.contains(#""intValue":"202""#))
        #expect(!told.contains("s3cret"))
    }
}
