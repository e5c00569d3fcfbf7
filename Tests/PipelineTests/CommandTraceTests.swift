// SPDX-License-Identifier: MIT

import Foundation
import OTLP
@testable import Pipeline
import Testing

/// What a trace tells of commands and their calls; scripts/check-observability has them decoded.
struct CommandTraceTests {
    @Test(arguments: [
        ("http://127.0.0.1:5000/a/b", "http://127.0.0.1:5000/a/b", 5000),
        ("https://name:secret@host/a?key=secret#part", "https://host/a", 443),
        ("http://host", "http://host", 80),
    ])
    func tellsAddressesWithoutSecrets(address: String, told: String, port: Int) throws {
        let attributes = CommandTrace.attributes(of: try #require(URL(string: address)))
        let values = Dictionary(uniqueKeysWithValues: attributes.map { ($0.name, $0.value) })
        #expect(values["url.full"] == .string(told))
        #expect(values["server.port"] == .integer(port))
        #expect(values.count == 3)
    }

    @Test(arguments: [
        ("https://name:secret@host/a: status 403: no", "https://host/a: status 403: no"),
        ("GET http://host/a?key=secret&b=1: no answer", "GET http://host/a: no answer"),
        ("http://name:se@cret@host/a@b", "http://host/a@b"),
        ("a@b: what? no", "a@b: what? no"),
    ])
    func tellsErrorsWithoutSecrets(message: String, told: String) {
        #expect(RemoteClient.withoutSecrets(message) == told)
    }

    @Test func aServiceThatAsksWhoIsThereGetsNoOtherAnswer() throws {
        let folder = try Folder()
        let receiver = try Receiver(["GET /drift"])
        // The receiver names the way to say who one is with it.
        receiver.answer(401, "no")
        let outcome = try Program.run(
            ["retrain", "--server", receiver.url("/drift"), "--once", "--state-dir", "state"],
            in: folder.path
        )
        #expect(outcome.status == 1 && outcome.error.contains("401"), "\(outcome.error)")
        #expect(receiver.calls.count == 1)
    }

    /// The same page again, or another for ever.
    @Test func aListOfVersionsThatDoesNotEndIsRefused() throws {
        let folder = try Folder()
        let receiver = try Receiver(["GET /api/2.0/mlflow/model-versions/search"])
        receiver.answer(200, "{\"next_page_token\":\"x\"}")
        let arguments = [
            "registry", "pull", "--model", "m", "--model-dir", folder.path, "--tracking-uri",
            receiver.url(""),
        ]
        let outcome = try Program.run(arguments, in: folder.path)
        #expect(outcome.status == 1 && outcome.error.contains("does not end"), "\(outcome.error)")
        #expect(receiver.calls.count == 2)
        receiver.answer((0...1000).map { (200, "{\"next_page_token\":\"\($0)\"}") })
        let endless = try Program.run(arguments, in: folder.path)
        #expect(endless.status == 1 && endless.error.contains("does not end"), "\(endless.error)")
        #expect(receiver.calls.count == 1002)
    }

    @Test func noMessageRepeatsAnAddressWithItsSecrets() throws {
        let folder = try Folder()
        let receiver = try Receiver(["GET /api/2.0/mlflow/registered-models/alias"])
        let address = receiver.url("").replacing("//", with: "//name:s3cret@")
        // A refusal, an answer that is no JSON, JSON that says nothing, and nobody there.
        for (status, body) in [(403, "no"), (200, "<"), (200, "{}"), (0, "")] {
            if status > 0 { receiver.answer(status, body) } else { receiver.stop() }
            let outcome = try Program.run(
                [
                    "registry", "pull", "--model", "m", "--alias", "champion",
                    "--model-dir", folder.path, "--tracking-uri", address,
                ],
                in: folder.path
            )
            #expect(outcome.status == 1 && outcome.error.contains("http://127.0.0.1:"))
            #expect(!outcome.error.contains("s3cret"), "\(outcome.error)")
        }
        let words = [
            ["--server", "http://name:s3cret@a/"],
            ["--server", "http://a/", "--webhook", "http://b/?s3cret", "--token-file", "c"],
            ["--server", "http://a/", "--webhook", "http://b/", "--webhook-header", "s3cret"],
        ]
        for words in words {
            let outcome = try Program.run(["retrain", "--once"] + words, in: folder.path)
            #expect(outcome.status == 64)
            #expect(!outcome.error.contains("s3cret"), "\(outcome.error)")
        }
    }

    @Test(arguments: [
        (["registry", "push", "--model-dir", "a"], "pdm registry push"),
        (["retrain", "--once"], "pdm retrain"), (["sign", "registry"], "pdm sign"), ([], "pdm"),
    ])
    func namesCommandsWithoutTheirArguments(arguments: [String], name: String) {
        #expect(PDM.name(of: arguments) == name)
    }

    @Test func aCollectorThatIsNotThereIsToldAndNoFault() throws {
        let folder = try Folder()
        for (endpoint, isTold) in [("http://127.0.0.1:1", true), ("", false)] {
            let outcome = try Program.run(
                ["registry", "list", "--model-dir", folder.path],
                in: folder.path,
                environment: ["OTEL_EXPORTER_OTLP_ENDPOINT": endpoint]
            )
            #expect(outcome.error.contains("telemetry was not sent") == isTold)
            let plain = try Program.run(
                ["registry", "list", "--model-dir", folder.path],
                in: folder.path
            )
            #expect(outcome.status == plain.status && outcome.output == plain.output)
        }
    }
}
