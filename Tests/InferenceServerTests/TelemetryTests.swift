// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import Platform
import Synchronization
import Testing

/// A collector that keeps what it gets.
private final class Collector: RequestHandler {
    private let bodies = Mutex<[(path: Int, body: JSONValue)]>([])
    private let status: Int

    init(status: Int = 200) { self.status = status }

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
        let body = [UInt8](capacity: request.body.count) {
            $0.append(copying: bytes.extracting(request.body))
        }
        let value = (try? JSONValue.parse(body)) ?? .null
        bodies.withLock { $0.append((request.routeID, value)) }
        response.status = status
    }

    /// The records of all bodies for a route: of spans 0, of events 1.
    func records(_ route: Int) -> [JSONValue] {
        let keys = [
            ["resourceSpans", "scopeSpans", "spans"], ["resourceLogs", "scopeLogs", "logRecords"],
        ]
        return bodies.withLock { $0 }.filter { $0.path == route }.flatMap { body in
            keys[route].reduce([body.body]) { values, key in
                values.flatMap { value -> [JSONValue] in
                    guard case .array(let elements)? = value[key] else { return [] }
                    return elements
                }
            }
        }
    }
}

@Suite struct TelemetryTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    private func serve(_ collector: Collector) throws -> Server {
        let server = Server(
            configuration: ServerConfiguration(listeners: [ListenerConfiguration(.main, port: 0)]),
            routes: RouteTable([Route(.post, "/v1/traces", id: 0), Route(.post, "/v1/logs", id: 1)]
            ),
            handler: collector
        )
        try server.start()
        return server
    }

    private func attribute(_ name: String, _ record: JSONValue) -> JSONValue? {
        guard case .array(let attributes)? = record["attributes"] else { return nil }
        return attributes.first { $0["key"] == .string(name) }?["value"]
    }

    @Test func sendsWhatItsCallersWantTraced() throws {
        let collector = Collector()
        let receiver = try serve(collector)
        defer { receiver.stopNow() }
        let port = try #require(receiver.port(of: .main))
        let server = try TestServer(
            arguments: ["otlp-collector": "127.0.0.1:\(port)", "trace-percent": "0"]
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
        let spans = collector.records(0)
        #expect(spans.count == 1)
        let span = try #require(spans.first)
        #expect(span["traceId"] == .string(Self.trace))
        #expect(span["parentSpanId"] == .string(Self.parent))
        #expect(span["spanId"] == .string(String(own.dropFirst(36).prefix(16))))
        #expect(span["name"] == "POST /predict")
        #expect(attribute("http.response.status_code", span) == ["intValue": "200"])
        let events = collector.records(1)
        #expect(events.count == 3)
        let event = try #require(events.first)
        #expect(
            attribute("microsoft.custom_event.name", event) == ["stringValue": "ModelPrediction"]
        )
        #expect(attribute("equipment_id", event) == ["stringValue": "EQ001"])
        #expect(attribute("prediction", event) != nil)
        #expect(server.application.telemetry?.sentCount == 4)
    }

    @Test func samplesEvenly() throws {
        let collector = Collector()
        let receiver = try serve(collector)
        defer { receiver.stopNow() }
        let port = try #require(receiver.port(of: .main))
        let server = try TestServer(
            arguments: [
                "otlp-collector": "127.0.0.1:\(port)", "trace-percent": "10", "event-percent": "25",
            ]
        )
        let client = try server.client()
        for machine in 0..<100 {
            _ = try client.request("POST", "/predict", body: TestReading.json(machine, hour: 1))
        }
        server.application.telemetry?.sendNow()
        #expect(collector.records(0).count == 10)
        #expect(collector.records(1).count == 25)
    }

    @Test func dropsAndCountsWhatNobodyTakes() throws {
        let collector = Collector(status: 503)
        let receiver = try serve(collector)
        defer { receiver.stopNow() }
        let port = try #require(receiver.port(of: .main))
        let server = try TestServer(arguments: ["otlp-collector": "127.0.0.1:\(port)"])
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

    @Test(arguments: [
        ("127.0.0.1:4318", true), ("[::1]:4318", true), ("localhost:1", true), ("127.0.0.1", false),
        ("collector:4318", false), ("127.0.0.1:0", false), ("127.0.0.1:65536", false),
        (":4318", false),
    ])
    func readsTheCollectorsAddress(text: String, isAddress: Bool) {
        #expect((CollectorAddress(text) != nil) == isAddress)
    }
}
