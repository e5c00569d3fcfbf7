// SPDX-License-Identifier: MIT

import Features
import HTTPServer
@testable import InferenceServer
import JSON
import Testing

/// Alarms as they are served are those that the offline evaluation plays.
@Suite struct AlarmTests {
    private static let machines = 4
    private static let hours = 30
    private let folder: TemporaryDirectory
    private let rule: AlarmRule
    /// Readings of several machines by hour, in the order of time, now and then one again.
    private let readings: [Reading]

    private struct Reading {
        let machine: Int
        let hour: Int
        let json: String
    }

    init() throws {
        folder = try TemporaryDirectory()
        var readings: [Reading] = []
        var state: UInt32 = 7
        for hour in 0..<Self.hours {
            for machine in 0..<Self.machines {
                state = state &* 1_664_525 &+ 1_013_904_223
                let heat = Double(state >> 24) + (hour / 6 % 2 == machine % 2 ? 60 : -40)
                let json = TestReading.json(machine, hour: hour, temperature: min(heat, 250))
                let reading = Reading(machine: machine, hour: hour, json: json)
                readings.append(reading)
                if state >> 20 & 15 == 0 { readings.append(reading) }
            }
        }
        self.readings = readings
        // A rule in the midst of what this network says of these readings.
        let server = try TestServer(arguments: ["future-limit": "none"])
        let answers = try Self.batch(try server.client(), readings.map(\.json))
        let sorted = try answers.map { try Self.probability($0) }.sorted()
        rule = try #require(
            AlarmRule(raise: sorted[sorted.count * 3 / 5], clear: sorted[sorted.count * 2 / 5])
        )
        #expect(answers.allSatisfy { $0["alarm"] == nil })
    }

    private static func probability(_ answer: JSONValue) throws -> Double {
        guard case .number(let number) = answer["probability"] else { throw NoProbability() }
        return number
    }

    private struct NoProbability: Error {}

    private static func batch(_ client: TestClient, _ rows: [String]) throws -> [JSONValue] {
        let body = "[\(rows.joined(separator: ","))]"
        let answer = try client.request("POST", "/batch_predict", body: body)
        guard case .array(let predictions) = try answer.json["predictions"] else {
            Issue.record("\(answer.body)")
            return []
        }
        return predictions
    }

    private func makeServer(_ more: [String: String] = [:]) throws -> TestServer {
        let arguments = more.merging(["future-limit": "none"]) { $1 }
        return try TestServer(arguments: arguments) { [rule] path in
            try TestBundle.write(to: path, alarm: rule)
        }
    }

    /// A reading too old for the record says nothing of its machine's alarm, whatever its risk.
    @Test func aStaleReadingIsAnsweredWithTheAlarmThatIs() throws {
        let server = try makeServer()
        let client = try server.client()
        _ = try Self.batch(client, readings.map(\.json))
        var active = 0
        for machine in 0..<Self.machines {
            for temperature in [20.0, 90, 250] {
                let stale = TestReading.json(machine, hour: -500, temperature: temperature)
                let answer = try client.request("POST", "/predict", body: stale).json
                guard case .string(let id) = answer["equipment_id"] else {
                    Issue.record("no machine")
                    continue
                }
                let kept = try client.request("GET", "/equipment/\(id)").json["alarm"]
                #expect(answer["alarm"] == kept && kept != nil)
                if kept?["active"] == .bool(true) { active += 1 }
            }
        }
        #expect(active > 0 && active < 3 * Self.machines)
    }

    /// Plays the answered probabilities by the rule and compares; returns how many alarms began.
    private func compare(_ answers: [JSONValue]) throws -> Int {
        #expect(answers.count == readings.count)
        var states = [AlarmState](repeating: AlarmState(), count: Self.machines)
        var last = [Int](repeating: -1, count: Self.machines)
        var begun = 0
        for (reading, answer) in zip(readings, answers) {
            let (machine, hour) = (reading.machine, reading.hour)
            let time = Int64(1_767_225_600 + hour * 3600) * 1_000_000
            if hour > last[machine] {
                let before = states[machine].since
                let probability = try Self.probability(answer)
                states[machine].observe(probability: probability, at: time, by: rule)
                if before == nil, states[machine].since != nil { begun += 1 }
            }
            last[machine] = hour
            let since = states[machine].since
            let expected: JSONValue = [
                "active": .bool(since != nil),
                "since": since.map { .string(Timestamp.text($0)) } ?? .null,
            ]
            #expect(answer["alarm"] == expected, "machine \(machine), hour \(hour)")
        }
        return begun
    }

    @Test func singlePredictionsAlarmAsTheEvaluationDoes() throws {
        let server = try makeServer(["state-dir": folder.path])
        let client = try server.client()
        let answers = try readings.map {
            try client.request("POST", "/predict", body: $0.json).json
        }
        #expect(try compare(answers) >= 4)
        let machine = try client.request("GET", "/equipment/M1").json
        #expect(machine["alarm"] == answers.last { $0["equipment_id"] == "M1" }?["alarm"])
    }

    @Test(arguments: [7, 160]) func batchesAlarmAsTheEvaluationDoes(size: Int) throws {
        let server = try makeServer()
        let client = try server.client()
        var answers: [JSONValue] = []
        for first in stride(from: 0, to: readings.count, by: size) {
            let part = readings[first..<min(first + size, readings.count)]
            answers += try Self.batch(client, part.map(\.json))
        }
        #expect(try compare(answers) >= 4)
    }

    @Test func alarmsOutliveTheServer() throws {
        var answers: [JSONValue] = []
        for part in [readings[..<50], readings[50...]] {
            let server = try makeServer(["state-dir": folder.path])
            let client = try server.client()
            answers += try part.map { try client.request("POST", "/predict", body: $0.json).json }
            server.application.server.stopNow()
            server.application.waitUntilStopped()
        }
        #expect(try compare(answers) >= 4)
    }

    @Test func anotherVersionAndAMaintenanceBeginAnew() throws {
        let always = try #require(AlarmRule(raise: 0.001, clear: 0.001, needed: 2, of: 2))
        let server = try TestServer(arguments: ["admin-port": "0"]) {
            try TestBundle.write(to: $0, alarm: always)
        }
        let client = try server.client()
        func isActive(_ hour: Int) throws -> JSONValue? {
            let body = TestReading.json(1, hour: hour)
            return try client.request("POST", "/predict", body: body).json["alarm"]?["active"]
        }
        #expect(try [isActive(0), isActive(1), isActive(2)] == [false, true, true])
        try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion,
            alarm: always
        )
        server.application.watcher.scanNow()
        #expect(try client.request("GET", "/equipment/M1").json["alarm"]?["active"] == false)
        #expect(try [isActive(3), isActive(4)] == [false, true])
        let path = "/equipment/M1/maintenance"
        // The second one within an hour, too.
        for minutes in [0, 30] {
            let body = "{\"timestamp\":\(1_767_225_600 + 5 * 3600 + minutes * 60)}"
            #expect(try server.client(.admin).request("POST", path, body: body).status == 200)
            #expect(try client.request("GET", "/equipment/M1").json["alarm"]?["active"] == false)
            if minutes == 0 { #expect(try [isActive(5), isActive(6)] == [false, true]) }
        }
        #expect(try server.client(.admin).request("POST", path, body: "").status == 200)
        #expect(try client.request("GET", "/equipment/M1").json["alarm"]?["active"] == false)
    }

    @Test func aReadingWithItsOwnHistoryHasNoAlarm() throws {
        let server = try makeServer()
        let body = "\(TestReading.json(3, hour: 1).dropLast()),\"history\":[]}"
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 200)
        #expect(try answer.json["alarm"] == nil)
    }

    @Test func theModelTellsItsRule() throws {
        let server = try makeServer()
        let alarm = try server.client().request("GET", "/model/info").json["alarm"]
        #expect(alarm?["needed"] == 2)
        #expect(alarm?["raise"] == .number(rule.raise))
        let plain = try TestServer()
        #expect(try plain.client().request("GET", "/model/info").json["alarm"] == .null)
    }

    /// Readings that a batch has had taken in before it failed are duplicates when it comes again.
    @Test func whatAFailedBatchHasTakenInCounts() throws {
        let own = readings.filter { $0.machine == 0 }.map(\.json)
        func server() throws -> TestServer { try makeServer(["machines-max": "1"]) }
        func alarms(_ client: TestClient, _ rows: some Sequence<String>) throws -> [JSONValue?] {
            try Self.batch(client, Array(rows)).map { $0["alarm"] }
        }
        let other = try server()
        let whole = try alarms(other.client(), own)
        // One that is followed by another.
        let first = try #require(
            whole.indices.dropLast().first {
                whole[$0]?["active"] == true && whole[$0 + 1]?["active"] == true
            }
        )
        let failing = try server()
        let client = try failing.client()
        let rows = own[...first] + [TestReading.json(99, hour: 0)]
        let body = "[\(rows.joined(separator: ","))]"
        #expect(try client.request("POST", "/batch_predict", body: body).status == 503)
        #expect(try alarms(client, own[(first + 1)...]) == Array(whole[(first + 1)...]))
        let page = try client.request("GET", "/metrics").body
        #expect(page.contains("\nstate_refusals_total 1\n"))
    }
}
