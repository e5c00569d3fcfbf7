// SPDX-License-Identifier: MIT

import Features
import HTTPServer
@testable import InferenceServer
import JSON
import Testing

/// A server that keeps a part of the fleet, and one that keeps nothing of it.
@Suite struct ShardTests {
    private let shard = "1/3"

    /// A reading of a machine of that shard of three.
    private func reading(of shard: Int, hour: Int = 0) throws -> String {
        let three = try #require(FleetShard(0, of: 3))
        let machine = try #require(
            (0..<100).first { three.owner(of: Array("M\($0)".utf8).span).index == shard }
        )
        return TestReading.json(machine, hour: hour)
    }

    private func machines(_ client: TestClient) throws -> String? {
        try client.request("GET", "/metrics").body.split(separator: "\n")
            .first { $0.hasPrefix("state_machines ") }.map(String.init)
    }

    @Test func answersItsOwnMachinesOnly() throws {
        let server = try TestServer(arguments: ["shard": shard])
        let client = try server.client()
        #expect(try client.request("POST", "/predict", body: reading(of: 1)).status == 200)
        for owner in [0, 2] {
            // The short way of the decoder, and the long one.
            let plain = try reading(of: owner)
            for body in [plain, plain.replacing("\"M", with: "\"\\u004d")] {
                let answer = try client.request("POST", "/predict", body: body)
                #expect(answer.status == 421)
                #expect(answer.field("content-type") == "application/problem+json")
                let problem = try answer.json
                #expect(problem["title"] == "Misdirected Request")
                #expect(problem["owner"] == .string("\(owner)/3"))
                #expect(
                    problem["detail"]
                        == .string(
                            "/equipment_id: The machine belongs to shard \(owner)/3; this is 1/3."
                        )
                )
            }
        }
        #expect(try machines(client) == "state_machines 1")
    }

    @Test(arguments: [1, 60])
    func refusesABatchWithOneOfAnotherAndTakesNothing(_ rows: Int) throws {
        let server = try TestServer(arguments: ["shard": shard])
        let client = try server.client()
        let own = try (0..<rows).map { try reading(of: 1, hour: $0 % 12) }
        let body = "{\"instances\":[\((own + [try reading(of: 2)]).joined(separator: ","))]}"
        let answer = try client.request("POST", "/batch_predict", body: body)
        #expect(answer.status == 421)
        #expect(answer.body.contains("/instances/\(rows)/equipment_id: The machine belongs to"))
        #expect(try machines(client) == "state_machines 0")
    }

    @Test(arguments: [1, 60])
    func answersAnothersMachineInItsPlaceWhereErrorsAreSkipped(_ rows: Int) throws {
        let server = try TestServer(arguments: ["shard": shard])
        let client = try server.client()
        let own = try (0..<rows).map { try reading(of: 1, hour: $0 % 12) }
        let body = "[\(([try reading(of: 2)] + own).joined(separator: ","))]"
        let answer = try client.request("POST", "/batch_predict?on_error=skip", body: body)
        #expect(answer.status == 200)
        guard case .array(let elements) = try answer.json["predictions"] else {
            Issue.record("no predictions")
            return
        }
        #expect(elements[0]["error"]?["status"] == 421)
        #expect(elements[0]["error"]?["owner"] == "2/3")
        #expect(elements.dropFirst().allSatisfy { $0["probability"] != nil })
        #expect(elements.count == rows + 1)
        #expect(try machines(client) == "state_machines 1")
    }

    @Test func answersLinesOfOthersWithErrorLines() throws {
        let server = try TestServer(arguments: ["shard": shard])
        let client = try server.client()
        let body = try (0..<3).map { try reading(of: $0) }.joined(separator: "\n")
        let answer = try client.request(
            "POST",
            "/batch_predict",
            body: body,
            type: "application/x-ndjson"
        )
        let lines = try answer.body.split(separator: "\n").map {
            try JSONValue.parse(Array($0.utf8))
        }
        #expect(lines[0]["error"]?["owner"] == "0/3")
        #expect(lines[1]["probability"] != nil)
        #expect(lines[2]["error"]?["owner"] == "2/3")
        #expect(lines[2]["error"]?["index"] == 2)
    }

    @Test func showsAndChangesItsOwnMachinesOnly() throws {
        let server = try TestServer(arguments: ["shard": shard, "admin-port": "0"])
        let admin = try server.client(.admin)
        for (method, path) in [
            ("GET", "/equipment/EQ001"), ("DELETE", "/equipment/EQ001"),
            ("POST", "/equipment/EQ001/maintenance"),
        ] {
            let answer = try admin.request(method, path)
            #expect(answer.status == 421)
            #expect(try answer.json["owner"] == "2/3")
        }
        #expect(try admin.request("GET", "/equipment/M1").status == 404)
    }

    @Test func aReadingWithoutHistoryIsRefusedWhereItIsNeeded() throws {
        let server = try TestServer(arguments: ["require-history": "on"])
        let client = try server.client()
        let answer = try client.request("POST", "/predict", body: TestReading.brief)
        #expect(answer.status == 422)
        #expect(try answer.json["errors"] == [["pointer": "/history", "detail": "is missing"]])
        for (history, status) in [("[]", 200), ("null", 422)] {
            let body = TestReading.brief.replacing("}", with: ",\"history\":\(history)}")
            #expect(try client.request("POST", "/predict", body: body).status == status)
        }
        let batch = "[\(TestReading.brief)]"
        let refused = try client.request("POST", "/batch_predict", body: batch)
        #expect(refused.status == 422)
        #expect(refused.body.contains("\"/0/history\""))
        #expect(try machines(client) == "state_machines 0")
    }
}
