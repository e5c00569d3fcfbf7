// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import Platform
import Testing

/// What the service keeps of machines, shows, and keeps across its own end.
@Suite struct StateTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private var arguments: [String: String] { ["state-dir": folder.path, "admin-port": "0"] }

    private func predict(_ client: TestClient, _ body: String) throws -> JSONValue {
        let answer = try client.request("POST", "/predict", body: body)
        #expect(answer.status == 200, "\(answer.body)")
        return try answer.json
    }

    /// Quantising to 2^32 steps of a range costs less than this.
    private func isNear(_ value: JSONValue?, _ expected: Double) -> Bool {
        if case .number(let number) = value { abs(number - expected) < 1e-6 } else { false }
    }

    private func stop(_ server: TestServer) {
        server.application.server.stopNow()
        server.application.waitUntilStopped()
    }

    @Test func showsAMachine() throws {
        let server = try TestServer()
        let client = try server.client()
        for hour in 0..<4 {
            _ = try predict(client, TestReading.json(1, hour: hour, temperature: 70 + Double(hour)))
        }
        let machine = try client.request("GET", "/equipment/M1").json
        #expect(machine["equipment_id"] == "M1")
        #expect(machine["readings"] == 4)
        #expect(machine["last_timestamp"] == "2026-01-01T03:00:00Z")
        #expect(machine["first_pane"] == .null)
        let window = machine["windows"]?["6h"]
        #expect(isNear(window?["fill"], 4.0 / 6))
        let temperature = window?["sensors"]?["temperature"]
        #expect(temperature?["count"] == 4)
        #expect(isNear(temperature?["mean"], 71.5))
        #expect(isNear(temperature?["max"], 73))
    }

    @Test(arguments: [
        ("a b", "/equipment/a%20b"), ("é/\\\"\\n", "/equipment/%C3%A9%2f%22%0A"),
        ("..", "/equipment/.."), ("maintenance", "/equipment/maintenance"), ("+", "/equipment/+"),
    ])
    func findsAnyId(id: String, path: String) throws {
        let server = try TestServer()
        let client = try server.client()
        let body = TestReading.brief.replacing("EQ001", with: id)
        _ = try predict(client, body)
        #expect(try client.request("GET", path).status == 200)
    }

    @Test(arguments: [
        ("/equipment/M2", 404), ("/equipment/%4", 400), ("/equipment/%zz", 400),
        ("/equipment/%ff", 400), ("/equipment/" + String(repeating: "x", count: 65), 404),
        ("/equipment/", 404), ("/equipment/M1/x", 404),
    ])
    func refusesWhatIsNoMachine(path: String, status: Int) throws {
        let server = try TestServer()
        let answer = try server.client().request("GET", path)
        #expect(answer.status == status)
        #expect(answer.field("content-type") == "application/problem+json")
    }

    @Test func operatorsResetAndForgetOnTheirListenerOnly() throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        let client = try server.client()
        let admin = try server.client(.admin)
        for hour in 0..<4 { _ = try predict(client, TestReading.json(1, hour: hour)) }
        let reset = "/equipment/M1/maintenance"
        #expect(try client.request("POST", reset).status == 404)
        #expect(try client.request("DELETE", "/equipment/M1").status == 405)
        #expect(try admin.request("POST", "/equipment/M2/maintenance").status == 404)
        let body = #"{"timestamp":"2026-01-01T03:30:00Z","kind":"bearing"}"#
        let answer = try admin.request("POST", reset, body: body)
        #expect(answer.status == 200)
        #expect(try answer.json["kind"] == "bearing")
        let machine = try admin.request("GET", "/equipment/M1").json
        #expect(machine["first_pane"] == "2026-01-01T03:00:00Z")
        // The pane of that moment stays, with the one reading of it.
        #expect(isNear(machine["windows"]?["24h"]?["fill"], 1.0 / 24))
        #expect(machine["readings"] == 4)
        let late = try predict(client, TestReading.json(1, hour: 2))
        #expect(late["quality"]?["timestamp"] == ["stale"])
        let next = try predict(client, TestReading.json(1, hour: 4))
        #expect(next["window_fill"]?["24h"] == 0.083)
        #expect(try admin.request("DELETE", "/equipment/M1").status == 204)
        #expect(try admin.request("DELETE", "/equipment/M1").status == 404)
        #expect(try client.request("GET", "/equipment/M1").status == 404)
    }

    @Test(arguments: [
        ("{", 400), ("[]", 422), (#"{"timestamp":true}"#, 422), (#"{"kind":3}"#, 422),
        (#"{"timestamp":"2026-01-01T12:00:01Z"}"#, 422),
        (#"{"timestamp":"2026-01-01T12:00:00Z"}"#, 200), ("{}", 200), (#"{"timestamp":1}"#, 200),
    ])
    func maintenanceIsChecked(body: String, status: Int) throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        _ = try predict(server.client(), TestReading.json(1, hour: 0))
        let admin = try server.client(.admin)
        #expect(try admin.request("POST", "/equipment/M1/maintenance", body: body).status == status)
        for (length, status) in [(64, 200), (65, 422)] {
            let kind = #"{"kind":"\#(String(repeating: "k", count: length))"}"#
            let answer = try admin.request("POST", "/equipment/M1/maintenance", body: kind)
            #expect(answer.status == status)
        }
        for (length, status) in [(4096, 200), (4097, 413)] {
            let body = "{}" + String(repeating: " ", count: length - 2)
            let answer = try admin.request("POST", "/equipment/M1/maintenance", body: body)
            #expect(answer.status == status)
        }
    }

    @Test func windowsOutliveTheServer() throws {
        var expected: [JSONValue] = []
        do {
            let server = try TestServer(arguments: arguments)
            let client = try server.client()
            for hour in 0..<6 {
                for machine in 0..<3 {
                    _ = try predict(client, TestReading.json(machine, hour: hour))
                }
            }
            expected = try (0..<3).map { try client.request("GET", "/equipment/M\($0)").json }
            stop(server)
        }
        let server = try TestServer(arguments: arguments)
        let client = try server.client()
        for machine in 0..<3 {
            #expect(try client.request("GET", "/equipment/M\(machine)").json == expected[machine])
        }
        let again = try predict(client, TestReading.json(0, hour: 5))
        #expect(again["quality"]?["timestamp"] == ["duplicate"])
        #expect(try predict(client, TestReading.json(0, hour: 6))["window_fill"]?["6h"] == 1)
        #expect(try client.request("GET", "/metrics").body.contains("\nstate_machines 3\n"))
        stop(server)
    }

    @Test func aSecondServerIsRefusedOrWaits() throws {
        var first: TestServer? = try TestServer(arguments: arguments)
        #expect(throws: StartError.self) { try TestServer(arguments: arguments) }
        var patient = arguments
        patient["state-wait"] = "1h"
        let second = try TestServer(arguments: patient)
        let client = try second.client()
        #expect(try client.request("GET", "/readyz").status == 503)
        #expect(try client.request("GET", "/startupz").status == 503)
        #expect(try client.request("GET", "/livez").status == 200)
        #expect(try client.request("POST", "/predict", body: TestReading.brief).status == 503)
        _ = try predict(#require(first).client(), TestReading.json(1, hour: 0))
        try stop(#require(first))
        // The lock ends with its owner, as it does with a process.
        first = nil
        while try client.request("GET", "/readyz").status != 200 {}
        // Ready comes first: the model is in service a moment before its start is noted.
        while try client.request("GET", "/startupz").status != 200 {}
        #expect(try client.request("GET", "/equipment/M1").json["readings"] == 1)
        stop(second)
    }
}
