// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import Platform
import Synchronization
import Testing

@Suite struct RequestLogTests {
    @Test func letsTenLinesThroughAndCountsTheOthers() {
        let gate = RepeatGate()
        let passed = (0..<RepeatGate.lineCountMax + 5).compactMap { _ in gate.pass(now: 0) }
        #expect(passed == [Int](repeating: 0, count: RepeatGate.lineCountMax))
        #expect(gate.pass(now: RepeatGate.intervalMicroseconds - 1) == nil)
        #expect(gate.pass(now: RepeatGate.intervalMicroseconds) == 6)
        #expect(gate.pass(now: RepeatGate.intervalMicroseconds + 1) == 0)
        // A clock that was set back does not silence the log.
        #expect(gate.pass(now: -5) == 0)
    }

    @Test func namesRequestAndTraceInALineAboutARequest() throws {
        let server = try TestServer()
        let client = try server.client()
        let trace = "0af7651916cd43dd8448eb211c80319c"
        _ = try client.request(
            "POST",
            "/predict",
            body: "{}",
            fields: ["X-Request-ID: mine", "traceparent: 00-\(trace)-b7ad6b7169203331-01"]
        )
        let line = try #require(server.lines.containing("request_refused").first)
        for text in [
            "\"request_id\":\"mine\"", "\"trace_id\":\"\(trace)\"", "\"status\":422",
            "\"reason\":\"invalid_content\"",
        ] {
            #expect(line.contains(text), "\(line)")
        }
        for _ in 0..<20 { _ = try client.request("POST", "/predict", body: "{}") }
        #expect(server.lines.containing("request_refused").count == RepeatGate.lineCountMax)
    }

    @Test func writesAnAccessLogWhereItIsAskedFor() throws {
        let server = try TestServer(arguments: ["access-log": "on"])
        let client = try server.client()
        let fields = ["X-Request-ID: one"]
        _ = try client.request("POST", "/predict", body: TestReading.brief, fields: fields)
        let rows = (0..<200).map { TestReading.json($0, hour: 1) }.joined(separator: ",")
        _ = try client.request("POST", "/batch_predict", body: "[\(rows)]")
        _ = try client.request("GET", "/equipment/EQ001")
        let lines = server.lines.containing("\"event\":\"request\"")
        #expect(lines.count == 3)
        let start =
            "\"request_id\":\"one\",\"method\":\"POST\",\"route\":\"/predict\",\"status\":200"
        #expect(lines[0].contains(start), "\(lines[0])")
        #expect(lines[1].contains("\"route\":\"/batch_predict\",\"status\":200"))
        #expect(lines[2].contains("\"route\":\"/equipment/{id}\",\"status\":200"))
        let silent = try TestServer()
        _ = try silent.client().request("POST", "/predict", body: TestReading.brief)
        #expect(silent.lines.containing("\"event\":\"request\"").isEmpty)
    }

    @Test func tellsWhichMachineHasABadSensor() throws {
        let server = try TestServer()
        let body = TestReading.brief.replacing("2.3", with: "null")
        _ = try server.client().request("POST", "/predict", body: body)
        let line = try #require(server.lines.containing("reading_flagged").first)
        let fields = #""equipment_id":"EQ001","sensors":"vibration missing+imputed"}"#
        #expect(line.contains(fields))
    }

    @Test func namesOfFlagsStandInTheOrderOfTheirBits() {
        for (place, flag) in PredictionEncoder.Keys.sensorFlags.enumerated() {
            #expect(flag.value.rawValue == 1 << place)
        }
    }

    @Test func tellsWhichMachineHasTurnedHigh() throws {
        let server = try TestServer { try TestBundle.write(to: $0, bias: 5) }
        let client = try server.client()
        for hour in 0..<2 {
            _ = try client.request("POST", "/predict", body: TestReading.json(4, hour: hour))
        }
        let lines = server.lines.containing("machine_at_risk")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("\"equipment_id\":\"M4\",\"probability\":0.9") == true)
    }

    /// Of several readings in one request the last one counts, and each rise is told once.
    @Test func tellsEachRiseOfABatchOnce() throws {
        let server = try TestServer { try TestBundle.write(to: $0, bias: 5) }
        let client = try server.client()
        for hours in [0...2, 3...5] {
            let rows = hours.map { TestReading.json(4, hour: $0) }.joined(separator: ",")
            let answer = try client.request("POST", "/batch_predict", body: "[\(rows)]")
            #expect(answer.status == 200)
        }
        #expect(server.lines.containing("machine_at_risk").count == 1)
    }

    @Test func namesSomeSilentMachinesOnceForEachRise() throws {
        let time = SetTime(1_767_268_800_000_000)
        let server = try TestServer(wallClock: WallClock { time.now.load(ordering: .relaxed) })
        let client = try server.client()
        for machine in 0..<10 {
            _ = try client.request("POST", "/predict", body: TestReading.json(machine, hour: 1))
        }
        server.application.fleet.countNow()
        #expect(server.lines.containing("machines_silent").isEmpty)
        time.now.add(10_801_000_000, ordering: .relaxed)
        server.application.fleet.countNow()
        server.application.fleet.countNow()
        let lines = server.lines.containing("machines_silent")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("\"count\":10,\"some\":\"M") == true)
    }

    @Test func saysWhatTheServerHadToRefuse() throws {
        let server = try TestServer()
        let client = try server.client()
        client.send("nonsense\r\n\r\n")
        _ = try client.receiveAnswer()
        server.application.watch.look()
        server.application.watch.look()
        let lines = server.lines.containing("requests_malformed")
        #expect(lines.count == 1)
        #expect(lines.first?.contains("\"count\":1") == true)
    }
}

/// A time that a test sets.
private final class SetTime: Sendable {
    let now: Atomic<Int64>

    init(_ microseconds: Int64) { now = Atomic(microseconds) }
}
