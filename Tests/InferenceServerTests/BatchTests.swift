// SPDX-License-Identifier: MIT

import HTTPServer
@testable import InferenceServer
import JSON
import Testing

@Suite struct BatchTests {
    /// Readings of several machines in time order, interleaved.
    private static let readings: [String] = (0..<12).flatMap { hour in
        (0..<5).map { TestReading.json($0, hour: hour, temperature: 60 + Double(hour * 7 + $0)) }
    }

    private func array(_ value: JSONValue?) throws -> [JSONValue] {
        guard case .array(let elements) = value else {
            throw JSONShapeError(pointer: "", expected: "an array", found: "something else")
        }
        return elements
    }

    @Test func batchesAnswerWhatSingleReadingsDo() throws {
        let alone = try TestServer()
        let together = try TestServer()
        let lines = try TestServer()
        let client = try alone.client()
        let singles = try Self.readings.map {
            try client.request("POST", "/predict", body: $0).json
        }
        // Over 8 KiB, so the batch is worked on beside the loops.
        let body = "{\"instances\":[\(Self.readings.joined(separator: ","))]}"
        let answer = try together.client().request("POST", "/batch_predict", body: body)
        #expect(answer.status == 200)
        let batch = try answer.json
        #expect(batch["count"] == .integer(Self.readings.count))
        #expect(batch["model_version"] == .string(TestBundle.firstVersion))
        #expect(batch["horizon_hours"] == 24)
        #expect(batch["inference_time_ms"] != nil)
        let ndjson = try lines.client().request(
            "POST",
            "/batch_predict",
            body: Self.readings.joined(separator: "\n"),
            type: "application/x-ndjson"
        )
        #expect(ndjson.field("content-type") == "application/x-ndjson")
        let answers = try ndjson.body.split(separator: "\n").map {
            try JSONValue.parse(Array($0.utf8))
        }
        let elements = try array(batch["predictions"])
        #expect(elements.count == singles.count && answers.count == singles.count)
        for (index, single) in singles.enumerated() {
            for key in ["equipment_id", "prediction", "probability", "risk_level", "timestamp"] {
                #expect(elements[index][key] == single[key], "row \(index), \(key)")
                #expect(answers[index][key] == single[key], "row \(index), \(key)")
            }
            #expect(elements[index]["window_fill"] == single["window_fill"])
            #expect(elements[index]["quality"] ?? [:] == single["quality"])
            #expect(elements[index]["model_version"] == nil)
        }
    }

    /// Long enough to be worked on in parts, with a reading that does not fit.
    private static let manyReadings: [String] =
        (0..<12).flatMap { hour in
            (0..<200).map { TestReading.json($0, hour: hour, temperature: Double(60 + hour)) }
        } + [TestReading.json(3, hour: 1).replacing("\"temperature\":", with: "\"temp\":")]

    @Test func answersInPartsAsInOne() throws {
        let whole = try TestServer(arguments: ["event-loops": "1"])
        let split = try TestServer(arguments: ["event-loops": "4"])
        let body = "[\(Self.manyReadings.joined(separator: ","))]"
        let path = "/batch_predict?on_error=skip"
        let expected = try whole.client().request("POST", path, body: body).json
        let found = try split.client().request("POST", path, body: body).json
        #expect(found["count"] == .integer(Self.manyReadings.count))
        #expect(try array(found["predictions"]).count == Self.manyReadings.count)
        #expect(found["predictions"] == expected["predictions"])
        let refused = try split.client().request("POST", "/batch_predict", body: body)
        #expect(refused.status == 422)
    }

    @Test func aBareArrayIsABatchToo() throws {
        let server = try TestServer()
        let client = try server.client()
        let one = try client.request("POST", "/batch_predict", body: "[\(TestReading.brief)]")
        #expect(one.status == 200)
        #expect(try array(one.json["predictions"]).count == 1)
        let none = try client.request("POST", "/batch_predict", body: " [ ] ")
        #expect(none.status == 200)
        #expect(try none.json["count"] == 0)
    }

    @Test(arguments: [2, 40])
    func oneBadRowFailsABatchAndTouchesNothing(_ rows: Int) throws {
        let server = try TestServer()
        let client = try server.client()
        let bad = TestReading.json(1, hour: 1).replacing("101.25", with: "\"high\"")
        let body = "[\((Self.readings.prefix(rows) + [bad]).joined(separator: ","))]"
        let answer = try client.request("POST", "/batch_predict", body: body)
        #expect(answer.status == 422)
        #expect(answer.body.contains("\"pointer\":\"/\(rows)/pressure\""))
        #expect(try client.request("GET", "/metrics").body.contains("\nstate_machines 0\n"))
    }

    @Test(arguments: [2, 60])
    func skippedErrorsAreAnsweredInTheirPlace(_ rows: Int) throws {
        let server = try TestServer()
        let bad = TestReading.json(1, hour: 1).replacing("101.25", with: "\"high\"")
        let body = "[\(([bad] + Self.readings.prefix(rows)).joined(separator: ","))]"
        let answer = try server.client().request(
            "POST",
            "/batch_predict?on_error=skip",
            body: body
        )
        #expect(answer.status == 200)
        let elements = try array(answer.json["predictions"])
        #expect(elements.count == rows + 1)
        #expect(elements[0]["error"]?["status"] == 422)
        #expect(elements.dropFirst().allSatisfy { $0["probability"] != nil })
    }

    @Test func badJSONFailsABatchEvenWhereErrorsAreSkipped() throws {
        let server = try TestServer()
        let answer = try server.client().request(
            "POST",
            "/batch_predict?on_error=skip",
            body: "[\(TestReading.brief),{]"
        )
        #expect(answer.status == 400)
    }

    @Test func holdsTheLimitOfRows() throws {
        let server = try TestServer(arguments: ["batch-rows-max": "60"])
        let client = try server.client()
        let full = try client.request(
            "POST",
            "/batch_predict",
            body: "[\(Self.readings.joined(separator: ","))]"
        )
        #expect(full.status == 200)
        let rows = Self.readings + [Self.readings[0]]
        let over = try client.request(
            "POST",
            "/batch_predict",
            body: "[\(rows.joined(separator: ","))]"
        )
        #expect(over.status == 413)
    }

    @Test func keepsTheRequestIDOfABatchThatLeavesItsLoop() throws {
        let server = try TestServer()
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let answer = try server.client().request(
            "POST",
            "/batch_predict",
            body: "[\(Self.readings.joined(separator: ","))]",
            fields: ["X-Request-ID: abc-1", "traceparent: \(trace)"]
        )
        #expect(answer.field("x-request-id") == "abc-1")
        // The trace goes on, with a span of the service.
        let own = try #require(answer.field("traceparent"))
        #expect(own.prefix(36) == trace.prefix(36) && own.suffix(3) == "-01" && own != trace)
    }

    @Test func turnsBatchesAwayWhereTooManyBytesWait() {
        let queue = BatchQueue(byteCountMax: 100, workerCount: 1)
        #expect(queue.budget.reserve(60))
        #expect(queue.budget.reserve(40))
        #expect(!queue.budget.reserve(1))
        let huge = BatchQueue(byteCountMax: 100, workerCount: 1)
        #expect(huge.budget.reserve(101), "one alone finds room")
        #expect(!huge.budget.reserve(1))
        #expect(!queue.budget.reserve(1, besides: 40), "another batch has some too")
        #expect(huge.budget.reserve(500, besides: 101), "its answer finds room as well")
    }

    @Test(arguments: ["application/json", "application/x-ndjson"])
    func takesNothingInWhereTheAnswerFindsNoRoom(_ type: String) async throws {
        let server = try TestServer(arguments: ["batch-bytes-pending-max": "40000"])
        let batches = server.application.service.batches
        let client = try server.client()
        let isLines = type == "application/x-ndjson"
        let joined = Self.readings.joined(separator: isLines ? "\n" : ",")
        let body = isLines ? joined : "[\(joined)]"
        // Another batch, beside which the body finds room.
        let others = 40_000 - body.utf8.count - 100
        try #require(batches.budget.reserve(others))
        let refused = try client.request("POST", "/batch_predict", body: body, type: type)
        #expect(refused.status == 503 && refused.field("retry-after") != nil)
        let page = try server.client().request("GET", "/metrics").body
        #expect(page.contains("\nstate_machines 0\n"))
        // Given back behind the answer.
        let end = ContinuousClock.now + .seconds(10)
        while batches.budget.byteCount != others, .now < end {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(batches.budget.byteCount == others)
    }

    @Test func givesBackTheRoomOfAnAnswer() async throws {
        let server = try TestServer(arguments: ["batch-bytes-pending-max": "1024"])
        let batches = server.application.service.batches
        let body = "[\(Self.readings.joined(separator: ","))]"
        for _ in 0..<3 {
            let answer = try server.client().request("POST", "/batch_predict", body: body)
            #expect(answer.status == 200)
            // Given back a moment after the answer has gone out.
            let end = ContinuousClock.now + .seconds(10)
            while batches.budget.byteCount > 0, .now < end {
                try await Task.sleep(for: .milliseconds(1))
            }
        }
    }

    @Test func keepsTheRoomOfAnAnswerThatIsNotRead() async throws {
        let server = try TestServer(arguments: ["write-timeout": "10min"])
        let batches = server.application.service.batches
        let client = try server.client()
        let rows = (0..<3000).map { TestReading.json($0 % 1000, hour: $0 / 1000) }
        let body = "[\(rows.joined(separator: ","))]"
        client.send(TestClient.bytes("POST", "/batch_predict", body: body))
        let end = ContinuousClock.now + .seconds(30)
        func isAnswered() -> Bool {
            let counters = server.application.server.counters
            return counters.bytesOut > 0 && counters.requestsDeferred == 0
        }
        while !isAnswered(), .now < end { try await Task.sleep(for: .milliseconds(1)) }
        // More than the sockets' buffers take.
        #expect(isAnswered() && batches.budget.byteCount > 300_000)
        let answer = try #require(try client.receiveAnswer())
        #expect(answer.status == 200)
        let later = ContinuousClock.now + .seconds(30)
        while batches.budget.byteCount > 0, .now < later {
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(batches.budget.byteCount == 0)
    }

    @Test func aFullStoreRefusesNewMachinesAndKeepsTheOld() throws {
        // One machine in each of the store's shards at most.
        let server = try TestServer(arguments: ["machines-max": "1"])
        let client = try server.client()
        var statuses: [Int] = []
        for machine in 0..<200 {
            let body = TestReading.json(machine, hour: 1)
            let answer = try client.request("POST", "/predict", body: body)
            statuses.append(answer.status)
            if answer.status == 503 { #expect(answer.field("retry-after") == "1") }
        }
        #expect(statuses[0] == 200 && statuses.contains(503))
        let known = try client.request("POST", "/predict", body: TestReading.json(0, hour: 2))
        #expect(known.status == 200)
        let lines = (0..<200).map { TestReading.json($0, hour: 3) }.joined(separator: ",")
        let batch = try client.request("POST", "/batch_predict", body: "[\(lines)]")
        #expect(batch.status == 503)
    }
}
