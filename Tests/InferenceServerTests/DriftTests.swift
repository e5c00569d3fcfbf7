// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import JSON
import Platform
import Synchronization
import Testing

/// A service with a fleet's reference, whose clock the test moves.
private final class DriftServer {
    private final class Seconds: Sendable {
        let count = Atomic(0)
    }

    let server: TestServer
    let client: TestClient
    private let seconds = Seconds()
    private var machines = 0

    /// With a model of its own, or those of a folder.
    init(_ arguments: [String: String] = [:], models: TemporaryDirectory? = nil) throws {
        let seconds = seconds
        let defaults = [
            "drift-window": "1s", "drift-readings-min": "500", "future-limit": "none",
        ]
        let folder = models.map { ["model-dir": $0.path] } ?? [:]
        server = try TestServer(
            arguments: defaults.merging(arguments) { $1 }.merging(folder) { $1 },
            clock: MonotonicClock {
                Int64(seconds.count.load(ordering: .relaxed)) * 1_000_000_000
            }
        ) { if models == nil { try TestBundle.write(to: $0, hasFleet: true) } }
        client = try server.client()
    }

    var drift: JSONValue {
        get throws { try client.request("GET", "/drift").json }
    }

    /// Lets twenty machines that this server has not seen before send their first forty readings.
    func send(change: (Int, Int, inout [Double]) -> Void = { _, _, _ in }) throws {
        let body = TestFleet.batch(
            machines: machines..<machines + 20,
            hours: 0..<40,
            change: change
        )
        machines += 20
        let answer = try client.request("POST", "/batch_predict", body: body)
        try #require(answer.status == 200, "\(answer.body)")
    }

    /// A second passes: what a window lasts here.
    func endWindow() {
        seconds.count.add(1, ordering: .relaxed)
        server.application.drift.lookNow()
    }

    /// A window of these readings, and what `/drift` says after it.
    func window(
        change: (Int, Int, inout [Double]) -> Void = { _, _, _ in }
    ) throws -> JSONValue {
        try send(change: change)
        endWindow()
        return try drift
    }

    func stop() { server.stop() }

    /// Three of five gauges read about a deviation too high.
    static func shift(_: Int, _: Int, _ values: inout [Double]) {
        for gauge in 0..<3 { values[gauge] += 1 }
    }
}

@Suite struct DriftTests {
    private func texts(_ value: JSONValue?) -> [String] {
        guard case .array(let items)? = value else { return [] }
        return items.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    @Test func staysStableWhereNothingChanges() throws {
        let server = try DriftServer()
        var drift = try server.drift
        #expect(drift["state"] == "warming" && drift["window"] == .null)
        #expect(drift["model_version"] == .string(TestBundle.firstVersion))
        for count in 1...5 {
            drift = try server.window()
            #expect(drift["state"] == "stable" && drift["window"]?["drifts"] == false)
            #expect(drift["windows"]?["compared"] == .integer(count))
            #expect(drift["sensor_faults"] == [])
        }
        #expect(drift["window"]?["readings"] == 800)
        // Linear counting is out by one at times.
        #expect([19, 20, 21].contains { drift["window"]?["machines"] == .integer($0) })
        #expect(drift["gathering"]?["readings"] == 0)
    }

    @Test func raisesDriftAfterTwoWindowsAndEndsItAfterThree() throws {
        let server = try DriftServer()
        #expect(try server.window()["state"] == "stable")
        // One odd hour raises nothing.
        let drift = try server.window(change: DriftServer.shift)
        #expect(drift["state"] == "stable" && drift["window"]?["drifts"] == true)
        let names = texts(drift["drifted_features"])
        #expect(names.contains("temperature") && names.contains("vibration_mean_24h"))
        #expect(!names.contains("operating_hours"))
        #expect(try server.window()["state"] == "stable")
        #expect(try server.window(change: DriftServer.shift)["state"] == "drift")
        #expect(server.server.lines.containing("drift_raised").count == 1)
        #expect(try server.window()["state"] == "drift")
        #expect(try server.window()["state"] == "drift")
        #expect(try server.window()["state"] == "stable")
        #expect(server.server.lines.containing("drift_ended").count == 1)
    }

    @Test func takesABrokenSensorForNoChangedWorld() throws {
        let server = try DriftServer(["drift-windows-needed": "1", "drift-windows": "1"])
        // Stuck on all machines: the readings that are so are a part of the window.
        var drift = try server.window { machine, hour, values in
            if hour > 10 { values[0] = 55 }
            if hour > 5, machine % 4 == 0 { values[1] = .nan }
            if hour == 20 { values[2] = 9e9 }
        }
        #expect(drift["state"] == "stable" && drift["window"]?["drifts"] == false)
        #expect(
            drift["sensor_faults"] == [
                ["sensor": "temperature", "kind": "stuck"],
                ["sensor": "vibration", "kind": "missing"],
                ["sensor": "pressure", "kind": "out_of_range"],
            ]
        )
        #expect(server.server.lines.containing("sensor_fault").count == 3)
        guard case .array(let features)? = drift["features"] else {
            throw ServiceError.noModel
        }
        let temperature = features.first { $0["name"] == "temperature_mean_6h" }
        #expect(temperature?["excluded"] == "sensor_fault" && temperature?["drifts"] == false)
        drift = try server.window()
        #expect(drift["sensor_faults"] == [])
        #expect(server.server.lines.containing("sensor_recovered").count == 3)
    }

    @Test func seesAnotherModeOfOperation() throws {
        let server = try DriftServer(["drift-windows-needed": "1", "drift-windows": "1"])
        let drift = try server.window { machine, _, values in
            guard machine % 2 == 0 else { return }
            for gauge in 0..<5 { values[gauge] *= 0.8 }
        }
        #expect(drift["state"] == "drift" && drift["sensor_faults"] == [])
        // So far off that most sensors leave their ranges at once.
        let other = try DriftServer(["drift-windows-needed": "1", "drift-windows": "1"])
        let outside = try other.window { machine, _, values in
            if machine % 2 == 0 { for gauge in 0..<3 { values[gauge] = 9000 } }
        }
        #expect(outside["state"] == "drift" && outside["sensor_faults"] == [])
    }

    @Test func waitsForReadingsAndForMachines() throws {
        let server = try DriftServer(["drift-readings-min": "801"])
        #expect(try server.window()["window"] == .null)
        #expect(try server.drift["gathering"]?["readings"] == 800)
        #expect(try server.window()["window"]?["readings"] == 1600)
        // Four machines are no fleet; their sensors are looked at all the same.
        let few = try DriftServer(["drift-readings-min": "100"])
        let body = TestFleet.batch(machines: 0..<4, hours: 0..<40) { _, _, values in
            values[0] = .nan
        }
        _ = try few.client.request("POST", "/batch_predict", body: body)
        few.endWindow()
        let drift = try few.drift
        #expect(drift["state"] == "warming" && drift["window"]?["drifts"] == .null)
        #expect(drift["sensor_faults"] == [["sensor": "temperature", "kind": "missing"]])
    }

    @Test func aChallengerBesideTheModelChangesNothing() throws {
        let server = try DriftServer()
        #expect(try server.window()["windows"]?["compared"] == 1)
        let folder = server.server.directory.path
        try TestBundle.write(to: folder, version: TestBundle.secondVersion, hasFleet: true)
        let challenger = "{\"version\":\"\(TestBundle.secondVersion)\",\"mode\":\"shadow\"}"
        try TestRegistry.write(
            to: folder,
            champion: TestBundle.firstVersion,
            challenger: challenger
        )
        server.server.application.watcher.scanNow()
        let info = try server.client.request("GET", "/model/info").json
        #expect(info["challenger"]?["mode"] == "shadow")
        #expect(try server.drift["windows"]?["compared"] == 1)
        #expect(try server.window()["windows"]?["compared"] == 2)
    }

    @Test func beginsAnewWithAnotherModel() throws {
        let server = try DriftServer(["drift-windows-needed": "1", "drift-windows": "1"])
        #expect(try server.window(change: DriftServer.shift)["state"] == "drift")
        try server.send(change: DriftServer.shift)
        try TestBundle.write(
            to: server.server.directory.path,
            version: TestBundle.secondVersion,
            hasFleet: true
        )
        server.server.application.watcher.scanNow()
        var drift = try server.drift
        #expect(drift["state"] == "warming")
        #expect(drift["model_version"] == .string(TestBundle.secondVersion))
        server.endWindow()
        drift = try server.window()
        #expect(drift["state"] == "stable" && drift["window"]?["readings"] == 800)
    }

    /// A process from its start to its end, which lets the state directory go.
    private func serve(
        _ state: TemporaryDirectory,
        _ models: TemporaryDirectory,
        _ body: (DriftServer) throws -> Void
    ) throws {
        let server = try DriftServer(["state-dir": state.path], models: models)
        defer { server.stop() }
        try body(server)
    }

    @Test func aRestartForgetsNoWindow() throws {
        let (models, state) = (try TemporaryDirectory(), try TemporaryDirectory())
        try TestBundle.write(to: models.path, hasFleet: true)
        var before = JSONValue.null
        try serve(state, models) { server in
            #expect(try server.window()["state"] == "stable")
            before = try server.window(change: DriftServer.shift)
            #expect(before["state"] == "stable" && before["window"]?["drifts"] == true)
        }
        try serve(state, models) { server in
            #expect(server.server.lines.containing("drift_resumed").count == 1)
            let after = try server.drift
            for name in ["state", "drifted_share", "drifted_features", "windows", "features"] {
                #expect(after[name] == before[name], "\(name)")
            }
            #expect(after["window"]?["readings"] == 800)
            // That was the first of the two windows that raise drift.
            #expect(try server.window(change: DriftServer.shift)["state"] == "drift")
            // Half a window before the end, half of it after.
            try server.send()
            before = try server.drift
            #expect(before["gathering"]?["readings"] == 800)
        }
        try serve(state, models) { server in
            let after = try server.drift
            #expect(after["state"] == "drift")
            #expect(after["gathering"] == before["gathering"])
            #expect(try server.window()["window"]?["readings"] == 1600)
            #expect(try server.drift["windows"]?["compared"] == 4)
            let lines = server.server.lines
            #expect(lines.containing("drift_raised").isEmpty, "it was raised before")
        }
    }

    @Test func aFileThatFitsNoModelOrCannotBeReadIsPassedOver() throws {
        let (models, state) = (try TemporaryDirectory(), try TemporaryDirectory())
        try TestBundle.write(to: models.path, hasFleet: true)
        try serve(state, models) { _ = try $0.window() }
        let file = "\(state.path)/drift-window.json"
        let text = String(decoding: try FileAccess.read(file), as: UTF8.self)
        for (broken, isTold) in [
            (text.replacing("\"counts\":[", with: "\"counts\":[1,", maxReplacements: 1), true),
            (text.replacing("\"flags\":[", with: "\"flags\":[-1,", maxReplacements: 1), true),
            (text.replacing("\"format\":1", with: "\"format\":2"), true),
            (String(text.prefix(text.utf8.count / 2)), true), ("", true), ("[]", true),
            (text.replacing("_digest\":\"", with: "_digest\":\"0"), false),
        ] {
            try FileAccess.replace(file, with: Array(broken.utf8))
            try serve(state, models) { server in
                let drift = try server.drift
                #expect(drift["state"] == "warming")
                let lines = server.server.lines
                #expect(lines.containing("drift_not_resumed").count == (isTold ? 1 : 0))
                #expect(lines.containing("drift_resumed").isEmpty)
            }
            // What it wrote at its end is sound again.
            try serve(state, models) { server in
                #expect(server.server.lines.containing("drift_resumed").count == 1)
            }
        }
    }

    @Test func saysThatThereIsNothingToCompareWith() throws {
        for (arguments, hasFleet) in [(["drift": "off"], true), ([:], false)] {
            let server = try TestServer(arguments: arguments) { path in
                try TestBundle.write(to: path, hasFleet: hasFleet)
            }
            let answer = try server.client().request("GET", "/drift")
            #expect(answer.status == 404)
            #expect(answer.body.contains("no reference") || answer.body.contains("--drift is off"))
        }
        let empty = try TestServer { _ in }
        #expect(try empty.client().request("GET", "/drift").status == 503)
    }

    @Test func hasSeriesForEachFeatureAndSensor() throws {
        let server = try DriftServer(["drift-windows-needed": "1", "drift-windows": "1"])
        _ = try server.window { machine, hour, values in
            DriftServer.shift(machine, hour, &values)
            values[4] = .nan
        }
        let page = try server.client.request("GET", "/metrics").body
        for line in [
            "drift_raised 1", "drift_windows_compared 1", "drift_window_readings 800",
            "drift_feature_drifted{feature=\"temperature\"} 1",
            "drift_feature_drifted{feature=\"current\"} 0",
            "sensor_quality_ratio{sensor=\"current\",flag=\"missing\"} 1",
            "sensor_fault{sensor=\"current\",kind=\"missing\"} 1",
            "sensor_fault{sensor=\"pressure\",kind=\"stuck\"} 0",
        ] { #expect(page.contains("\n\(line)\n"), "\(line)") }
        #expect(!page.contains("\"M1\""))
    }

    @Test(arguments: [("1", "1", true), ("3", "3", true), ("3", "2", false), ("65", "64", false)])
    func boundsTheWindowsLookedBackOn(needed: String, of: String, isAccepted: Bool) {
        let texts = ["drift-windows-needed": needed, "drift-windows": of]
        let settings = try? Settings(texts: texts, environment: [:])
        #expect((settings != nil) == isAccepted)
    }
}
