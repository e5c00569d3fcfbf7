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
        ("a@b: what? no", "a@b: what? no"),
    ])
    func tellsErrorsWithoutSecrets(message: String, told: String) {
        #expect(RemoteClient.withoutSecrets(message) == told)
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
