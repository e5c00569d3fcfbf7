// SPDX-License-Identifier: MIT

import Dispatch
import Features
import Glibc
@testable import InferenceServer
import JSON
import ModelRuntime
import Platform
import Synchronization
import Testing

@Suite struct ModelTests {
    static let files = [
        "manifest.json", "weights.safetensors", "reference.safetensors", "golden.json",
        "evaluation.json", "SHA256SUMS",
    ]

    private func version(_ server: TestServer) throws -> JSONValue? {
        try server.client().request("POST", "/predict", body: TestReading.brief)
            .json["model_version"]
    }

    private func flipByte(of file: String, in path: String) throws {
        var bytes = try FileAccess.read("\(path)/\(file)")
        bytes[bytes.count / 2] ^= 1
        try FileAccess.write(bytes, to: "\(path)/\(file)")
    }

    @Test func startsWithTheNewestBundle() throws {
        let server = try TestServer { path in
            try TestBundle.write(to: path)
            try TestBundle.write(to: path, version: TestBundle.secondVersion)
        }
        #expect(try version(server) == .string(TestBundle.secondVersion))
    }

    @Test func aLinkInACircleHindersNoUpdate() throws {
        let server = try TestServer()
        let link = "\(server.directory.path)/pump/20991231_000000"
        // SAFETY: Swift passes both strings NUL-terminated for the call.
        try #require(unsafe symlink("20991231_000000", link) == 0)
        try TestBundle.write(to: server.directory.path, version: TestBundle.secondVersion)
        server.application.watcher.scanNow(isForced: false)
        #expect(try version(server) == .string(TestBundle.secondVersion))
        #expect(server.lines.containing("broken_link").first?.contains(link) == true)
        // Once, until something changes.
        server.application.watcher.scanNow(isForced: false)
        #expect(server.lines.containing("broken_link").count == 1)
    }

    @Test func aPipeInPlaceOfTheRegistryHoldsNothing() throws {
        let server = try TestServer()
        // SAFETY: Swift passes the string NUL-terminated for the call.
        try #require(
            unsafe mkfifo("\(server.directory.path)/pump/registry.json", 0o600) == 0
        )
        server.application.watcher.scanNow(isForced: false)
        #expect(server.lines.containing("registry.json: not a regular file").count == 1)
        #expect(try version(server) == .string(TestBundle.firstVersion))
    }

    @Test(arguments: files)
    func aFlippedByteIsRefusedAndTheOldBundleGoesOn(_ file: String) throws {
        let server = try TestServer()
        let second = try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion
        )
        try flipByte(of: file, in: second.path)
        server.application.watcher.scanNow()
        #expect(try version(server) == .string(TestBundle.firstVersion))
        let refused = server.lines.containing("model_refused")
        #expect(refused.count == 1)
        // A damaged list blames itself or the file whose line it is.
        let blamed = file == "SHA256SUMS" ? "SHA" : file
        #expect(refused.first?.contains(blamed) == true, "\(refused)")
        let client = try server.client()
        let info = try client.request("GET", "/model/info").json
        #expect(info["version"] == .string(TestBundle.firstVersion))
        #expect(info["last_refusal"]?["version"] == .string(TestBundle.secondVersion))
        #expect(try client.request("GET", "/metrics").body.contains("\nmodel_refusals_total 1\n"))
        #expect(try client.request("GET", "/health").status == 200)
    }

    @Test func aBadNewestFallsBackAtTheStart() throws {
        let server = try TestServer { path in
            try TestBundle.write(to: path)
            let second = try TestBundle.write(to: path, version: TestBundle.secondVersion)
            try flipByte(of: "weights.safetensors", in: second.path)
        }
        #expect(try version(server) == .string(TestBundle.firstVersion))
        let info = try server.client().request("GET", "/model/info").json
        #expect(info["last_refusal"]?["version"] == .string(TestBundle.secondVersion))
    }

    @Test func aGoodBundleIsTakenBelowABadOneButNothingOlder() throws {
        let server = try TestServer()
        let folder = server.directory.path
        let bad = try TestBundle.write(to: folder, version: "20991231_235959")
        try flipByte(of: "weights.safetensors", in: bad.path)
        server.application.watcher.scanNow()
        #expect(try version(server) == .string(TestBundle.firstVersion))
        try TestBundle.write(to: folder, version: TestBundle.secondVersion)
        server.application.watcher.scanNow()
        #expect(try version(server) == .string(TestBundle.secondVersion))
        server.application.watcher.scanNow()
        #expect(try version(server) == .string(TestBundle.secondVersion))
    }

    @Test func waitsForAModelThatIsNotThereYet() throws {
        let server = try TestServer { _ in }
        let client = try server.client()
        for path in ["/health", "/readyz"] {
            #expect(try client.request("GET", path).status == 503)
        }
        for path in ["/livez", "/startupz"] {
            #expect(try client.request("GET", path).status == 200)
        }
        let early = try client.request("POST", "/predict", body: TestReading.brief)
        #expect(early.status == 503 && early.field("retry-after") != nil)
        #expect(try client.request("GET", "/model/info").status == 503)
        #expect(try client.request("GET", "/metrics").body.contains("\nservice_health_status 0\n"))
        try TestBundle.write(to: server.directory.path)
        server.application.watcher.scanNow()
        #expect(try client.request("GET", "/health").status == 200)
        #expect(
            try client.request("POST", "/predict", body: TestReading.brief).status == 200
        )
        #expect(try client.request("GET", "/metrics").body.contains("\nservice_health_status 1\n"))
    }

    @Test func aSwapUnderLoadLosesNothing() throws {
        // The versions are far apart on purpose.
        let server = try TestServer(arguments: ["quarantine-shift": "off"])
        let failures = Atomic(0)
        let perClient = 400
        DispatchQueue.concurrentPerform(iterations: 5) { index in
            if index == 0 {
                for step in 0..<4 {
                    let version = "2026020\(step + 1)_000000"
                    _ = try? TestBundle.write(
                        to: server.directory.path,
                        version: version,
                        bias: Float(step)
                    )
                    server.application.watcher.scanNow()
                }
                return
            }
            guard let client = try? server.client() else {
                failures.add(perClient, ordering: .relaxed)
                return
            }
            for request in 0..<perClient {
                let body = TestReading.json(index * perClient + request, hour: 1)
                let answer = try? client.request("POST", "/predict", body: body)
                if answer?.status != 200 { failures.add(1, ordering: .relaxed) }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        #expect(try version(server) == "20260204_000000")
        let page = try server.client().request("GET", "/metrics").body
        let counted = page.split(separator: "\n").filter { $0.hasPrefix("predictions_total{") }
            .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        #expect(counted.reduce(0, +) == 4 * perClient + 1)
        #expect(page.contains("\nmodel_swaps_total 5\n"))
        // Versions of equal layout share the machines' windows.
        #expect(page.contains("\nstate_machines \(4 * perClient + 1)\n"))
    }

    @Test func versionsOfEqualLayoutShareWindows() throws {
        let server = try TestServer()
        let client = try server.client()
        for hour in 0..<6 {
            _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
        }
        try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion,
            bias: 1
        )
        server.application.watcher.scanNow()
        let answer = try client.request("POST", "/predict", body: TestReading.json(1, hour: 6))
        #expect(try answer.json["model_version"] == .string(TestBundle.secondVersion))
        #expect(try answer.json["window_fill"]?["6h"] == 1)
    }

    @Test func anotherLayoutIsRefusedOnceWindowsAreKept() throws {
        let spec = FeatureSpec(
            name: "longer",
            elements: [.window([.mean], hours: [48], .gauges)]
        )
        let server = try TestServer()
        try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion,
            spec: spec
        )
        server.application.watcher.scanNow()
        #expect(try version(server) == .string(TestBundle.secondVersion), "no windows yet")
        try TestBundle.write(to: server.directory.path, version: "20260301_000000")
        server.application.watcher.scanNow()
        #expect(try version(server) == .string(TestBundle.secondVersion))
        let refused = server.lines.containing("model_refused")
        #expect(refused.count == 1 && refused[0].contains("differ"))
    }

    @Test func looksAgainOnlyWhereSomethingChanged() throws {
        let server = try TestServer { path in
            let only = try TestBundle.write(to: path)
            try flipByte(of: "golden.json", in: only.path)
        }
        server.application.watcher.scanNow(isForced: false)
        #expect(server.lines.containing("model_refused").count == 1)
        server.application.watcher.scanNow()
        #expect(server.lines.containing("model_refused").count == 2, "asked for by a signal")
        try TestBundle.write(to: server.directory.path, version: TestBundle.secondVersion)
        server.application.watcher.scanNow(isForced: false)
        #expect(try version(server) == .string(TestBundle.secondVersion))
    }

    @Test func describesTheModel() throws {
        let server = try TestServer()
        let info = try server.client().request("GET", "/model/info").json
        #expect(info["name"] == "pump" && info["framework"] == "test")
        #expect(info["threshold"] == 0.5 && info["horizon_hours"] == 24)
        #expect(info["risk_levels"] == ["medium": 0.3, "high": 0.7])
        #expect(info["last_refusal"] == JSONValue.null)
        for key in ["created", "schema", "features", "layers", "evaluation", "training_data"] {
            #expect(info[key] != nil, "\(key)")
        }
    }

    @Test func reportsABundleWithoutServingIt() throws {
        let directory = try TemporaryDirectory()
        let bundle = try TestBundle.write(to: directory.path)
        #expect(BundleReport(path: bundle.path).isGood)
        try flipByte(of: "evaluation.json", in: bundle.path)
        let report = BundleReport(path: bundle.path)
        #expect(!report.isGood && report.text.contains("evaluation.json"))
    }
}
