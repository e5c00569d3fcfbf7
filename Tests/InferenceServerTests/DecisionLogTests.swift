// SPDX-License-Identifier: MIT

import Features
import HTTPServer
@testable import InferenceServer
import JSON
import ModelRuntime
import Platform
import Synchronization
import Testing
import Training

/// The log of predictions: what is in it, what it may take, and that it can be played again.
@Suite struct DecisionLogTests {
    private let folder: TemporaryDirectory
    private let ticks = Ticks()

    private final class Ticks: Sendable {
        private let count = Atomic<Int64>(0)

        func next() -> Int64 { count.add(1, ordering: .relaxed).newValue }
    }

    init() throws { folder = try TemporaryDirectory() }

    private func server(
        _ arguments: [String: String] = [:],
        bundles: (String) throws -> Void = { try TestBundle.write(to: $0) }
    ) throws -> TestServer {
        var values = ["decision-log": folder.path, "admin-port": "0", "future-limit": "none"]
        values.merge(arguments) { $1 }
        // After all readings, so that maintenance of their time can be told, and never the same.
        let clock = WallClock { [ticks] in 1_768_000_000_000_000 + ticks.next() }
        return try TestServer(arguments: values, wallClock: clock, bundles: bundles)
    }

    private func stop(_ server: TestServer) {
        server.application.server.stopNow()
        server.application.waitUntilStopped()
    }

    private func history() throws -> DecisionHistory {
        try DecisionHistory(directory: folder.path)
    }

    @Test func keepsTheReadingAsItWasMeasured() throws {
        let server = try server()
        let client = try server.client()
        let body = """
            {"equipment_id":"Pumpe \\u00e9","timestamp":"2026-01-01T03:00:00Z","temperature":999.5,\
            "vibration":null,"pressure":95.0,"rotation_speed":1350,"current":22.5,\
            "operating_hours":1500}
            """
        let answer = try client.request("POST", "/predict", body: body).json
        stop(server)
        let history = try history()
        let machine = try #require(history.machines.first)
        let row = try #require(machine.rows.first)
        #expect(String(decoding: machine.id, as: UTF8.self) == "Pumpe é")
        #expect(history.values(of: row).prefix(1) == [999.5])
        #expect(history.values(of: row)[1].isNaN)
        #expect(history.flags(of: row)[0].contains(.outOfRange))
        #expect(history.flags(of: row)[1].contains(.missing))
        #expect(row.decision.time.timestamp == 1_767_236_400_000_000)
        #expect(row.decision.time.arrival > 1_768_000_000_000_000)
        #expect(row.decision.time.isTimestamped)
        #expect(row.decision.standing == RecordStanding(readingCount: 1, firstPane: .min))
        guard case .number(let probability) = answer["probability"] else { return }
        #expect(abs(probability - row.decision.probability) < 1e-3)
        #expect(history.model(of: row)?.version == TestBundle.firstVersion)
        #expect(history.tornByteCount == 0)
    }

    @Test func everyRouteIsLoggedAndRefusedRowsAreNot() throws {
        let server = try server()
        let client = try server.client()
        _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: 0))
        _ = try client.request("POST", "/predict", body: "{}")
        let rows = (0..<3).map { TestReading.json($0, hour: 1) }
        let batch = "[\(rows.joined(separator: ",")),{}]"
        _ = try client.request("POST", "/batch_predict?on_error=skip", body: batch)
        _ = try client.request(
            "POST",
            "/batch_predict",
            body: rows.joined(separator: "\n") + "\n{}\n",
            type: "application/x-ndjson"
        )
        stop(server)
        #expect(try history().rowCount == 7)
        #expect(server.application.decisions?.writtenCount == 7)
        #expect(server.application.decisions?.droppedCount == 0)
    }

    @Test func replayReproducesEveryBit() throws {
        let server = try server(["event-loops": "3", "decision-log-file-bytes": "65536"])
        // Readings of a machine come over several connections, so over several loops.
        let clients = try (0..<6).map { _ in try server.client() }
        let admin = try server.client(.admin)
        var generator = SystemRandomNumberGenerator()
        func reading(_ machine: Int, _ hour: Int) -> String {
            var text = TestReading.json(
                machine,
                hour: hour,
                temperature: Double.random(in: -80...280, using: &generator)
            )
            if Int.random(in: 0..<5, using: &generator) == 0 {
                text = text.replacing("\"pressure\":101.25", with: "\"pressure\":null")
            }
            return text
        }
        for hour in 0..<60 {
            for (number, client) in clients.enumerated() {
                // In order, late and repeated, or stale.
                let back = [0, 0, 0, 1, 3, 30][Int.random(in: 0..<6, using: &generator)]
                let rows = (0..<12).map { reading(($0 + number) % 16, hour - back) }
                switch number % 3 {
                case 0:
                    for row in rows { client.send(TestClient.bytes("POST", "/predict", body: row)) }
                case 1:
                    let batch = "[\(rows.joined(separator: ","))]"
                    client.send(TestClient.bytes("POST", "/batch_predict", body: batch))
                default:
                    client.send(
                        TestClient.bytes(
                            "POST",
                            "/batch_predict",
                            body: rows.joined(separator: "\n") + "\n",
                            type: "application/x-ndjson"
                        )
                    )
                }
            }
            for (number, client) in clients.enumerated() {
                for _ in 0..<(number % 3 == 0 ? 12 : 1) {
                    #expect(try client.receiveAnswer()?.status == 200)
                }
            }
            if hour % 7 == 3 {
                let body = "{\"timestamp\":\(1_767_225_600 + (hour - 1) * 3600)}"
                let path = "/equipment/M\(hour % 16)/maintenance"
                #expect(try admin.request("POST", path, body: body).status == 200)
            }
            if hour % 20 == 19 {
                #expect(try admin.request("DELETE", "/equipment/M\(hour % 16)").status == 204)
            }
        }
        let model = try BundleReader.load(
            path: "\(server.directory.path)/pump/\(TestBundle.firstVersion)"
        )
        stop(server)
        let history = try history()
        #expect(history.rowCount == 60 * 72)
        #expect(try DecisionLogFiles.paths(in: folder.path).count > 5)
        let replay = Replay(history, model: model)
        #expect(replay.comparedCount == 60 * 72)
        #expect(replay.different.isEmpty, "\(replay.different.prefix(3))")
    }

    @Test func whatLiesBeforeTheLogIsNotReproducible() throws {
        let state = try TemporaryDirectory()
        do {
            let before = try server(["state-dir": state.path])
            let client = try before.client()
            for hour in 0..<30 {
                _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
            }
            stop(before)
        }
        // The log's beginning is gone, the machine's past is not.
        try FileAccess.remove(folder.path)
        let after = try server(["state-dir": state.path])
        let next = try after.client()
        for hour in 30..<80 {
            for machine in 1...2 {
                let body = TestReading.json(machine, hour: hour, temperature: Double(hour))
                _ = try next.request("POST", "/predict", body: body)
            }
        }
        let model = try BundleReader.load(
            path: "\(after.directory.path)/pump/\(TestBundle.firstVersion)"
        )
        stop(after)
        let replay = Replay(try history(), model: model)
        // A day of panes, and what came before it in the first one.
        #expect(replay.irreproducibleCount == 24)
        #expect(replay.comparedCount == 76)
        #expect(replay.different.isEmpty)
    }

    @Test func anotherBundleIsComparedNotJudged() throws {
        let server = try server()
        let client = try server.client()
        for hour in 0..<5 {
            _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
        }
        stop(server)
        let other = try TestBundle.write(
            to: server.directory.path,
            version: TestBundle.secondVersion,
            bias: 2
        )
        let replay = Replay(try history(), model: other)
        #expect(replay.comparedCount == 0)
        #expect(replay.foreignCount == 5)
        #expect(try #require(replay.foreignMeanDistance) > 0.1)
    }

    @Test func aTornTailIsFoundCountedAndCutOff() throws {
        let server = try server()
        let client = try server.client()
        _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: 0))
        server.application.decisions?.flushNow()
        _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: 1))
        stop(server)
        let path = try #require(try DecisionLogFiles.paths(in: folder.path).first)
        let whole = try FileAccess.read(path)
        let end = whole.count
        let frame = (2 + DecisionRecord.wordCount(sensors: 6, idByteCount: 2)) * 8
        for cut in 1...frame {
            try FileAccess.write(Array(whole[..<(end - cut)]), to: path)
            let torn = try history()
            #expect(torn.rowCount == 1)
            #expect(torn.tornByteCount == frame - cut)
        }
        for byte in (end - frame)..<end {
            var changed = whole
            changed[byte] ^= 0x10
            try FileAccess.write(changed, to: path)
            #expect(try history().tornByteCount == frame)
        }
        try FileAccess.write(Array(whole[..<(end - 5)]), to: path)
        let files = try DecisionLogFiles.open(folder.path, limits: DecisionLogLimits())
        #expect(files.tornByteCount == frame - 5)
        #expect(try FileAccess.read(path).count == end - frame)
    }

    @Test func aFullBufferDropsAndCounts() throws {
        // Room for some 290 records of 14 words.
        let server = try server(["decision-log-buffer-bytes": "32768"])
        let rows = (0..<600).map { TestReading.json($0, hour: 0) }
        let batch = "[\(rows.joined(separator: ","))]"
        #expect(try server.client().request("POST", "/batch_predict", body: batch).status == 200)
        stop(server)
        let decisions = try #require(server.application.decisions)
        #expect(decisions.writtenCount > 100)
        #expect(decisions.writtenCount + decisions.droppedCount == 600)
        #expect(try history().rowCount == decisions.writtenCount)
        #expect(server.lines.containing("decisions_not_logged").count == 1)
    }

    @Test func whatCannotBeWrittenIsNoOutage() throws {
        let path = "\(folder.path)/file"
        try FileAccess.write([1], to: path)
        let server = try server(["decision-log": path])
        let client = try server.client()
        let answer = try client.request("POST", "/predict", body: TestReading.json(1, hour: 0))
        #expect(answer.status == 200)
        server.application.decisions?.flushNow()
        #expect(!server.lines.containing("decisions_not_logged").isEmpty)
        #expect(try client.request("POST", "/predict", body: TestReading.brief).status == 200)
        stop(server)
    }

    @Test(arguments: [2, 3])
    func theOldestFileGoes(filesMax: Int) throws {
        let server = try server([
            "decision-log-file-bytes": "4096", "decision-log-files": "\(filesMax)",
        ])
        let client = try server.client()
        let decisions = try #require(server.application.decisions)
        for hour in 0..<100 {
            _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
            decisions.flushNow()
        }
        stop(server)
        let paths = try DecisionLogFiles.paths(in: folder.path)
        #expect(paths.count == filesMax)
        for path in paths { #expect(try FileAccess.read(path).count <= 4096) }
        let history = try history()
        #expect(history.rowCount < 100)
        #expect(history.machines[0].rows.last?.decision.standing.readingCount == 100)
    }

    @Test func aSecondServerWaitsForTheFirst() throws {
        let first = try server()
        first.application.decisions?.flushNow()
        let second = try server()
        let client = try second.client()
        _ = try client.request("POST", "/predict", body: TestReading.json(1, hour: 0))
        second.application.decisions?.flushNow()
        #expect(second.application.decisions?.writtenCount == 0)
        #expect(!second.lines.containing("decisions_not_logged").isEmpty)
        stop(first)
        second.application.decisions?.flushNow()
        #expect(second.application.decisions?.writtenCount == 1)
        stop(second)
    }
}
