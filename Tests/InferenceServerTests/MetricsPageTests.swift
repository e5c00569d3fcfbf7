// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import JSON
import Metrics
import ModelRuntime
import Platform
import Testing

@Suite struct MetricsPageTests {
    private func value(_ series: String, _ page: String) -> String? {
        page.split(separator: "\n").first { $0.hasPrefix(series + " ") }
            .map { String($0.dropFirst(series.utf8.count + 1)) }
    }

    /// Name, type and label names of every family of a page.
    private func families(_ page: String) -> [String: String] {
        var result: [String: String] = [:]
        var types: [Substring: Substring] = [:]
        for line in page.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE ") {
                types[words[2]] = words[3]
            } else if !line.hasPrefix("#") {
                let name = line.prefix { $0 != "{" && $0 != " " }
                let family =
                    ["_bucket", "_sum", "_count"].lazy
                    .filter { name.hasSuffix($0) }
                    .map { name.dropLast($0.count) }
                    .first { types[$0] == "histogram" } ?? name
                let labels = line.matches(of: /([a-z_]+)="/).map { String($0.1) }
                    .filter { $0 != "le" }
                result[String(family)] = "\(types[family] ?? "none") \(labels)"
            }
        }
        return result
    }

    /// The same of the documentation's tables.
    private func documented() throws -> [String: String] {
        var result: [String: String] = [:]
        for line in try Repository.text("docs/metrics.md").split(separator: "\n") {
            guard line.hasPrefix("| `") else { continue }
            let cells = line.split(separator: "|").map { $0.filter { $0 != " " } }
            let labels = cells[2].split(separator: ",").map { $0.prefix { $0 != ":" } }
            let names = labels.map { String($0.filter { $0 != "`" }) }
            result[String(cells[0].dropFirst().dropLast())] = "\(cells[1]) \(names)"
        }
        return result
    }

    @Test func documentationListsEveryMetric() throws {
        let server = try TestServer(
            arguments: ["drift-window": "1s", "drift-readings-min": "100", "future-limit": "none"]
        ) { path in
            try TestBundle.write(to: path, hasFleet: true)
            try TestBundle.write(to: path, version: TestBundle.secondVersion)
            try TestRegistry.write(
                to: path,
                champion: TestBundle.firstVersion,
                challenger: "{\"version\":\"\(TestBundle.secondVersion)\",\"mode\":\"shadow\"}"
            )
        }
        let client = try server.client()
        _ = try client.request("POST", "/predict", body: TestReading.brief)
        _ = try client.request("POST", "/predict", body: "{}")
        let body = TestFleet.batch(machines: 0..<20, hours: 0..<10)
        _ = try client.request("POST", "/batch_predict", body: body)
        server.application.drift.endWindowNow()
        let served = families(try client.request("GET", "/metrics").body)
        let documented = try documented()
        #expect(served.count > 45)
        for (name, family) in served { #expect(documented[name] == family, "\(name)") }
        for name in documented.keys { #expect(served[name] != nil, "\(name) is not served") }
    }

    @Test func namesNoMachine() throws {
        let server = try TestServer()
        let client = try server.client()
        _ = try client.request("POST", "/predict", body: TestReading.brief)
        server.application.fleet.countNow()
        #expect(!(try client.request("GET", "/metrics").body.contains("EQ001")))
    }

    @Test func speaksOpenMetricsToThoseWhoPreferIt() throws {
        let server = try TestServer()
        let client = try server.client()
        let accept =
            "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
        let page = try client.request("GET", "/metrics", fields: [accept])
        #expect(
            page.field("content-type")
                == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        )
        #expect(page.body.hasSuffix("\n# EOF\n"))
        #expect(page.body.contains("\n# TYPE predictions counter\npredictions_total{"))
        #expect(page.head.lowercased().contains("vary: accept\r\n"))
    }

    @Test func tellsOfTracesInTheFormatThatHasRoomForThem() throws {
        let collector = try Collector()
        let server = try TestServer(
            arguments: ["otlp-collector": collector.address, "trace-percent": "0"]
        )
        let client = try server.client()
        let accept = "Accept: application/openmetrics-text"
        let trace = "0af7651916cd43dd8448eb211c80319c"
        func exemplars(_ fields: [String]) throws -> [Substring] {
            try client.request("GET", "/metrics", fields: fields).body
                .split(separator: "\n").filter { $0.contains(" # {trace_id=") }
        }
        for flags in ["00", "01"] {
            #expect(try exemplars([accept]).isEmpty)
            _ = try client.request(
                "POST",
                "/predict",
                body: TestReading.brief,
                fields: ["traceparent: 00-\(trace)-b7ad6b7169203331-\(flags)"]
            )
        }
        let found = try exemplars([accept])
        #expect(found.count == 1)
        let line = try #require(found.first)
        #expect(line.hasPrefix("prediction_latency_seconds_bucket{model_version="))
        #expect(line.contains(" # {trace_id=\"\(trace)\"} "))
        #expect(try exemplars([]).isEmpty)
        // Of a batch too, one of its own.
        let other = String(trace.reversed())
        _ = try client.request(
            "POST",
            "/batch_predict",
            body: "[\(TestReading.brief)]",
            fields: ["traceparent: 00-\(other)-b7ad6b7169203331-01"]
        )
        #expect(try exemplars([accept]).contains { $0.contains(other) })
    }

    @Test(
        arguments: [
            (nil, ExpositionFormat.text), ("*/*", .text), ("", .text), ("application/json", .text),
            ("application/openmetrics-text", .openMetrics),
            ("Application/OpenMetrics-Text ; Version=1.0.0", .openMetrics),
            ("application/openmetrics-text;version=0.0.1", .text),
            ("application/openmetrics-text;version=2.0.0,*/*;q=0.1", .text),
            ("application/openmetrics-text;q=0.5,text/plain;q=0.6", .text),
            ("application/openmetrics-text;q=0.6,text/*;q=0.5", .openMetrics),
            ("application/*,text/plain;q=0.9", .openMetrics),
            ("*/*,text/plain;version=0.0.4;q=0.2", .openMetrics),
            ("application/openmetrics-text;q=1.5,text/plain;q=0.1", .text),
            ("application/openmetrics-text;q=x", .text),
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
                    + "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", .openMetrics
            ),
            (String(repeating: "a/b,", count: 31) + "application/openmetrics-text", .openMetrics),
            // One range past those that are looked at, and one parameter.
            (String(repeating: "a/b,", count: 32) + "application/openmetrics-text", .text),
            ("text/plain;q=0.1,application/openmetrics-text;a;b;c;d;e;f;q=0", .text),
            ("text/plain;q=0.1,application/openmetrics-text;a;b;c;d;e;f;g;q=0", .openMetrics),
        ] as [(String?, ExpositionFormat)]
    )
    func choosesTheFormat(accept: String?, format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: accept) == format)
    }

    private static let readings = (0..<12).map { machine in
        TestReading.json(machine, hour: 3, temperature: Double(machine * 20))
    }

    /// A server whose risk levels part these readings.
    private func partedServer() throws -> TestServer {
        let server = try TestServer()
        let client = try server.client()
        let probabilities = try Self.readings.map { body in
            let answer = try client.request("POST", "/predict", body: body).json
            guard case .number(let value)? = answer["probability"] else { return 0.0 }
            return value
        }.sorted()
        return try TestServer(arguments: ["silent-after": "1h"]) { path in
            try TestBundle.write(
                to: path,
                threshold: 0.999,
                riskLevels: RiskLevels(medium: probabilities[3], high: probabilities[8])
            )
        }
    }

    private func riskLevel(of body: String, _ client: TestClient) throws -> String {
        let answer = try client.request("POST", "/predict", body: body).json
        guard case .string(let level)? = answer["risk_level"] else { return "none" }
        return level
    }

    @Test func countsMachinesByRiskAndSilence() throws {
        let server = try partedServer()
        let client = try server.client()
        var levels: [String: Int] = [:]
        for body in Self.readings { levels[try riskLevel(of: body, client), default: 0] += 1 }
        #expect(levels == ["LOW": 3, "MEDIUM": 5, "HIGH": 4])
        let fleet = server.application.fleet
        fleet.countNow()
        var page = try client.request("GET", "/metrics").body
        for level in ["LOW", "MEDIUM", "HIGH", "UNKNOWN"] {
            let series = "equipment_by_risk_level{risk_level=\"\(level)\"}"
            #expect(value(series, page) == "\(levels[level] ?? 0)")
        }
        #expect(value("equipment_silent", page) == "0")
        // The clock of the test stands at noon: everything came then.
        let noon: Int64 = 1_767_268_800_000_000
        #expect(fleet.census(now: noon + 3_600_000_000)?.silent == 0)
        #expect(fleet.census(now: noon + 3_600_000_001)?.silent == 12)
        // Another model knows nothing of what this one said.
        try TestBundle.write(to: server.directory.path, version: TestBundle.secondVersion)
        server.application.watcher.scanNow()
        fleet.countNow()
        page = try client.request("GET", "/metrics").body
        #expect(value("equipment_by_risk_level{risk_level=\"UNKNOWN\"}", page) == "12")
        #expect(value("model_versions", page) == "2")
        #expect(value("model_created_timestamp_seconds", page) == "1767225600")
    }

    @Test func ofABatchTheLastReadingOfEachMachineCounts() throws {
        let server = try partedServer()
        let client = try server.client()
        for body in Self.readings { _ = try riskLevel(of: body, client) }
        let rows = (4..<8).flatMap { hour in
            (0..<12).map { machine in
                let temperature = Double((machine * 5 + hour * 5) % 12 * 20)
                return TestReading.json(machine, hour: hour, temperature: temperature)
            }
        }
        let body = "[\(rows.joined(separator: ","))]"
        let answer = try client.request("POST", "/batch_predict", body: body).json
        guard case .array(let elements)? = answer["predictions"] else {
            Issue.record("no predictions")
            return
        }
        let levels = elements.suffix(12).map { $0["risk_level"] }
        server.application.fleet.countNow()
        let page = try client.request("GET", "/metrics").body
        for level in ["LOW", "MEDIUM", "HIGH"] {
            let series = "equipment_by_risk_level{risk_level=\"\(level)\"}"
            #expect(value(series, page) == "\(levels.count { $0 == .string(level) })")
        }
    }

    @Test func keepsTheRiskOfTheLastReadingInOrder() throws {
        let server = try partedServer()
        let client = try server.client()
        let levels = try Self.readings.map { try riskLevel(of: $0, client) }
        let low = try #require(levels.firstIndex(of: "LOW"))
        let high = try #require(levels.firstIndex(of: "HIGH"))
        func counted() throws -> String? {
            server.application.fleet.countNow()
            let page = try client.request("GET", "/metrics").body
            return value("equipment_by_risk_level{risk_level=\"HIGH\"}", page)
        }
        // A late reading of a machine that stands low, and one in order.
        let body = Self.readings[high].replacing("M\(high)", with: "M\(low)")
        let hour = "\(1_767_225_600 + 3 * 3600)"
        _ = try riskLevel(of: body.replacing(hour, with: "1767225600"), client)
        #expect(try counted() == "4")
        let level = try riskLevel(of: body.replacing(hour, with: "1767243600"), client)
        #expect(try counted() == (level == "HIGH" ? "5" : "4"))
    }

    @Test func countsWhatWasNoticedOfSensors() throws {
        let server = try TestServer()
        let client = try server.client()
        let body = TestReading.brief.replacing("2.3", with: "null").replacing("95.0", with: "-999")
        _ = try client.request("POST", "/predict", body: body)
        _ = try client.request("POST", "/batch_predict", body: "[\(body)]")
        let page = try client.request("GET", "/metrics").body
        for (sensor, flag, count) in [
            ("vibration", "missing", 2), ("vibration", "imputed", 2),
            ("pressure", "out_of_range", 2), ("current", "missing", 0),
        ] {
            let series = "sensor_flags_total{sensor=\"\(sensor)\",flag=\"\(flag)\"}"
            #expect(value(series, page) == "\(count)", "\(sensor) \(flag)")
        }
    }

    @Test func saysThatABundleIsRefused() throws {
        let server = try TestServer()
        let client = try server.client()
        let path = "\(server.directory.path)/pump/\(TestBundle.secondVersion)"
        try TestBundle.write(to: server.directory.path, version: TestBundle.secondVersion)
        try FileAccess.write([0], to: "\(path)/golden.json")
        server.application.watcher.scanNow()
        var page = try client.request("GET", "/metrics").body
        #expect(value("model_preferred_refused", page) == "1")
        #expect(value("model_refusals_total", page) == "1")
        #expect(
            page.contains(
                "model_info{model=\"pump\",model_version=\"\(TestBundle.firstVersion)\"} 1"
            )
        )
        try FileAccess.remove(path)
        server.application.watcher.scanNow()
        page = try client.request("GET", "/metrics").body
        #expect(value("model_preferred_refused", page) == "0")
    }
}
