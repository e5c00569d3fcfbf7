// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import ModelRuntime
import OTLP
import Platform
import Testing

@Suite struct TelemetryTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    @Test func sendsWhatItsCallersWantTraced() throws {
        let collector = try Collector()
        let server = try TestServer(
            arguments: ["otlp-collector": collector.address, "trace-percent": "0"]
        )
        let client = try server.client()
        var own = ""
        for flags in ["00", "01"] {
            let answer = try client.request(
                "POST",
                "/predict",
                body: TestReading.brief,
                fields: ["traceparent: 00-\(Self.trace)-\(Self.parent)-\(flags)"]
            )
            own = try #require(answer.field("traceparent"))
            #expect(own.hasPrefix("00-\(Self.trace)-") && own.hasSuffix("-\(flags)"))
            #expect(!own.contains(Self.parent))
        }
        _ = try client.request("POST", "/predict", body: TestReading.brief)
        server.application.telemetry?.sendNow()
        let spans = collector.spans
        // With its stages; what else there is comes of the model that was loaded.
        #expect(spans.count { $0["traceId"] == .string(Self.trace) } == 5)
        let span = try #require(spans.first { $0["name"] == "POST /predict" })
        #expect(span["traceId"] == .string(Self.trace))
        #expect(span["parentSpanId"] == .string(Self.parent))
        #expect(span["spanId"] == .string(String(own.dropFirst(36).prefix(16))))
        #expect(Collector.attribute("http.response.status_code", span) == ["intValue": "200"])
        let events = collector.events
        #expect(events.count == 3)
        let event = try #require(events.first)
        #expect(
            Collector.attribute("microsoft.custom_event.name", event)
                == ["stringValue": "ModelPrediction"]
        )
        #expect(Collector.attribute("equipment_id", event) == ["stringValue": "EQ001"])
        #expect(Collector.attribute("prediction", event) != nil)
        #expect(server.application.telemetry?.sentCount == spans.count + events.count)
    }

    @Test func tellsTheStagesOfARequestInTheirOrder() throws {
        let collector = try Collector()
        let server = try TestServer(
            arguments: ["otlp-collector": collector.address, "trace-percent": "100"],
            wallClock: .system
        )
        let client = try server.client()
        _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: 1))
        let rows = (0..<100).map { TestReading.json($0, hour: 2) }
        _ = try client.request("POST", "/batch_predict", body: "[\(rows.joined(separator: ","))]")
        server.application.telemetry?.sendNow()
        let spans = collector.spans
        let single = try #require(try Collector.stages(under: "POST /predict", in: spans).first)
        #expect(Set(single.keys) == ["parse", "state", "features", "forward"])
        let order = ["parse", "state", "features", "forward"].compactMap { single[$0] }
        for (before, after) in zip(order, order.dropFirst()) {
            #expect(before.start <= before.end && before.end <= after.start)
        }
        for stage in order {
            #expect(Collector.attribute("batch.size", stage.span) == ["intValue": "1"])
            let busy: JSONValue = ["intValue": .string("\(stage.end - stage.start)")]
            #expect(Collector.attribute("busy_nanoseconds", stage.span) == busy)
        }
        let batches = try Collector.stages(under: "POST /batch_predict", in: spans)
        let batch = try #require(batches.first)
        #expect(Set(batch.keys) == ["parse", "state", "features", "forward"])
        let forward = try #require(batch["forward"]).span
        #expect(Collector.attribute("batch.size", forward) == ["intValue": "100"])
    }

    @Test func anExceptionIsOfTheTraceOfItsRequest() throws {
        let collector = try Collector()
        let server = try TestServer(
            arguments: ["otlp-collector": collector.address, "trace-percent": "100"],
            bundles: { _ in }
        )
        let client = try server.client()
        let types = ["application/json", "application/x-ndjson"]
        for type in types {
            let answer = try client.request(
                "POST",
                "/batch_predict",
                body: TestReading.brief,
                type: type
            )
            #expect(answer.status == 503)
            #expect(answer.field("traceparent") == nil)
        }
        server.application.telemetry?.sendNow()
        let (spans, events) = (collector.spans, collector.events)
        #expect(spans.count == types.count && events.count == types.count)
        #expect(spans.allSatisfy { $0["parentSpanId"] == nil && $0["status"] == ["code": 2] })
        for (span, event) in zip(spans, events) {
            #expect(event["traceId"] == span["traceId"])
            #expect(event["spanId"] == span["spanId"])
        }
        // So are its lines in the log.
        guard case .string(let trace)? = spans.first?["traceId"] else { return }
        #expect(server.lines.containing(trace).count == 1)
    }

    @Test func tellsWhatAModelWentThrough() throws {
        let collector = try Collector()
        let server = try TestServer(arguments: ["otlp-collector": collector.address])
        server.application.telemetry?.sendNow()
        var spans = collector.spans
        let load = try #require(spans.first)
        #expect(spans.map { $0["name"] } == ["model load", "load", "self-test", "swap"])
        #expect(spans.dropFirst().allSatisfy { $0["parentSpanId"] == load["spanId"] })
        #expect(Collector.attribute("outcome", load) == ["stringValue": "in_service"])
        #expect(load["status"] == nil)
        // One that is broken, and then nothing new.
        let second = TestBundle.secondVersion
        let bundle = try TestBundle.write(to: server.directory.path, version: second)
        try FileAccess.remove("\(bundle.path)/golden.json")
        server.application.watcher.scanNow()
        server.application.telemetry?.sendNow()
        spans = Array(collector.spans.dropFirst(spans.count))
        #expect(spans.map { $0["name"] } == ["model load", "load"])
        #expect(spans.allSatisfy { $0["status"] == ["code": 2] })
        let failure = try #require(collector.events.first)
        #expect(failure["traceId"] == spans.last?["traceId"])
        #expect(failure["spanId"] == spans.last?["spanId"])
        #expect(Collector.attribute("exception.type", failure) == ["stringValue": "BundleError"])
        #expect(Collector.attribute("exception.message", failure) != nil)
    }

    @Test func samplesEvenly() throws {
        let collector = try Collector()
        let server = try TestServer(
            arguments: [
                "otlp-collector": collector.address, "trace-percent": "10", "event-percent": "25",
            ]
        )
        let client = try server.client()
        for machine in 0..<100 {
            _ = try client.request("POST", "/predict", body: TestReading.json(machine, hour: 1))
        }
        server.application.telemetry?.sendNow()
        #expect(collector.spans.count { $0["name"] == "POST /predict" } == 10)
        #expect(collector.events.count == 25)
    }

    @Test func dropsAndCountsWhatNobodyTakes() throws {
        let collector = try Collector(status: 503)
        let server = try TestServer(arguments: ["otlp-collector": collector.address])
        let client = try server.client()
        let rows = (0..<50).map { TestReading.json($0, hour: 1) }.joined(separator: ",")
        _ = try client.request("POST", "/batch_predict", body: "[\(rows)]")
        let telemetry = try #require(server.application.telemetry)
        telemetry.sendNow()
        #expect(telemetry.droppedCount >= 50)
        #expect(server.lines.containing("telemetry_not_sent").count == 1)
        // The queue has an end.
        let event = TelemetryEvent(time: 0, name: "a", isError: false, attributes: [])
        let before = telemetry.droppedCount
        for _ in 0..<Telemetry.recordsMax + 1 { telemetry.add(event) }
        #expect(telemetry.droppedCount > before)
    }

    @Test func countsWhatACollectorRejects() throws {
        let collector = try Collector(
            answer: #"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"late"}}"#
        )
        let server = try TestServer(
            arguments: ["otlp-collector": collector.address, "trace-percent": "0"]
        )
        let telemetry = try #require(server.application.telemetry)
        telemetry.sendNow()
        let (sent, dropped) = (telemetry.sentCount, telemetry.droppedCount)
        let event = TelemetryEvent(time: 0, name: "a", isError: false, attributes: [])
        for _ in 0..<5 { telemetry.add(event) }
        telemetry.sendNow()
        #expect(telemetry.sentCount - sent == 3)
        #expect(telemetry.droppedCount - dropped == 2)
        #expect(server.lines.containing("2 rejected: late").count == 1)
    }

    @Test func givesUpAtTheEndWhatAHangingCollectorDoesNotTake() throws {
        let hanging = try HangingCollector()
        let server = try TestServer(
            arguments: ["otlp-collector": hanging.address, "trace-percent": "0"]
        )
        let telemetry = try #require(server.application.telemetry)
        let event = TelemetryEvent(time: 0, name: "a", isError: false, attributes: [])
        // More than go into one POST, each of which would wait for five seconds.
        for _ in 0..<2000 { telemetry.add(event) }
        let start = ContinuousClock.now
        telemetry.stop(within: .milliseconds(100))
        #expect(start.duration(to: .now) < .seconds(4))
        #expect(telemetry.droppedCount >= 2000 && telemetry.sentCount == 0)
        let lines = server.lines.containing("telemetry_abandoned")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("\"dropped\":20") == true, "\(lines)")
    }

    @Test(arguments: [
        ("127.0.0.1:4318", true), ("[::1]:4318", true), ("localhost:1", true), ("127.0.0.1", false),
        ("collector:4318", false), ("127.0.0.1:0", false), ("127.0.0.1:65536", false),
        (":4318", false),
    ])
    func readsTheCollectorsAddress(text: String, isAddress: Bool) {
        #expect((CollectorAddress(text) != nil) == isAddress)
    }
}
