// SPDX-License-Identifier: MIT

import Dispatch
import Glibc
import HTTPServer
@testable import InferenceServer
import JSON
import Testing

/// Readings with large bodies, which are worked on beside the loops.
@Suite struct LargeReadingTests {
    private static let limit = ServiceLimits().inlineBatchBytesMax
    /// With this all readings are worked on by the loops.
    private static let inline = ["inline-batch-bytes-max": "1048576"]

    /// A text with blanks before it that make it so long.
    private func padded(_ text: String, to byteCount: Int = Self.limit + 1) -> String {
        String(repeating: " ", count: max(0, byteCount - text.utf8.count)) + text
    }

    /// A reading with so many earlier ones, an hour between them.
    private func reading(historyOf count: Int) -> String {
        let history = (-count..<0).map { hour in
            TestReading.json(1, hour: hour, temperature: 70 + Double(hour % 13))
                .replacing("\"equipment_id\":\"M1\",", with: "")
        }
        let last = TestReading.json(1, hour: 0, temperature: 75)
        return "\(last.dropLast()),\"history\":[\(history.joined(separator: ","))]}"
    }

    private func makeServer(_ arguments: [String: String] = [:]) throws -> TestServer {
        try TestServer(arguments: arguments) { try TestBundle.write(to: $0, backgroundCount: 3) }
    }

    /// What an answer says, without what differs from time to time.
    private func content(_ answer: Answer) throws -> [String] {
        guard case .object(let object) = try answer.json else { return [answer.body] }
        let changing = ["inference_time_ms", "explanation"]
        let members = object.members.filter { !changing.contains($0.key) }.map { "\($0)" }
        return ["\(answer.status)"] + members
    }

    /// Whether all that large bodies have taken has been given back, or is in a moment.
    private func isAllGivenBack(_ server: TestServer) -> Bool {
        let batches = server.application.service.batches
        for _ in 0..<10_000 where batches.pendingByteCount > 0 { usleep(1000) }
        return batches.pendingByteCount == 0
    }

    /// A text with so many objects in it, all told, for a reading with a history of thirty.
    private func filled(_ text: String, to count: Int) -> String {
        let objects = [String](repeating: "{}", count: count - 31).joined(separator: ",")
        return "\(text.dropLast()),\"x\":[\(objects)]}"
    }

    @Test(arguments: ["bytes", "objects"])
    func leavesTheLoopPastTheLimit(of kind: String) throws {
        let server = try TestServer(arguments: ["event-loops": "1"])
        let batches = server.application.service.batches
        let gate = DispatchSemaphore(value: 0)
        try #require(batches.budget.reserve(1))
        batches.run(1) { _, _ in gate.wait() }
        defer { gate.signal() }
        let text = reading(historyOf: 30)
        try #require(text.utf8.count < Self.limit)
        let client = try server.client()
        let rowLimit = 1 + Self.limit / 128
        let isBytes = kind == "bytes"
        let body = isBytes ? padded(text, to: Self.limit) : filled(text, to: rowLimit)
        let larger = isBytes ? padded(text) : filled(text, to: rowLimit + 1)
        let expected = try client.request("POST", "/predict", body: body)
        #expect(expected.status == 200 && batches.budget.byteCount == 1)
        let other = try server.client()
        other.send(TestClient.bytes("POST", "/predict", body: larger))
        for _ in 0..<10_000 where batches.budget.byteCount == 1 { usleep(1000) }
        #expect(batches.budget.byteCount == 1 + larger.utf8.count)
        // Meanwhile the loop answers others.
        #expect(try client.request("POST", "/predict", body: TestReading.brief).status == 200)
        gate.signal()
        let answer = try #require(try other.receiveAnswer())
        #expect(try content(answer) == content(expected))
        #expect(isAllGivenBack(server))
        #expect(try client.request("GET", "/metrics").body.contains("\nbatch_bytes_pending 0\n"))
    }

    @Test func answersALongHistoryAsALoopDoes() throws {
        let (beside, inLoop) = (try TestServer(), try TestServer(arguments: Self.inline))
        let body = reading(historyOf: 200)
        try #require(body.utf8.count > Self.limit)
        let answer = try beside.client().request("POST", "/predict", body: body)
        let expected = try inLoop.client().request("POST", "/predict", body: body)
        #expect(expected.status == 200)
        #expect(try content(answer) == content(expected))
        // The history counts: without it the windows are not full.
        #expect(try answer.json["window_fill"]?["24h"] == 1)
    }

    /// Of a machine whose readings come out of their order some would be late.
    @Test func keepsTheOrderOfOneConnection() throws {
        let (beside, inLoop) = (try TestServer(), try TestServer(arguments: Self.inline))
        let requests = (0..<12).map { hour in
            let body = TestReading.json(1, hour: hour, temperature: 60 + Double(hour))
            return TestClient.bytes(
                "POST",
                "/predict",
                body: hour % 3 == 1 ? body : padded(body)
            )
        }
        let answers = try [beside, inLoop].map { server in
            let client = try server.client()
            client.send(requests.joined())
            return try requests.map { _ in try content(#require(try client.receiveAnswer())) }
        }
        #expect(answers[0] == answers[1])
        #expect(answers[0].allSatisfy { $0.first == "200" })
    }

    static let badBodies = [
        "{\"equipment_id\":", "[1]", "{}", "nul", TestReading.brief + ",",
        TestReading.brief.replacing("85.5", with: "\"hot\""),
        TestReading.brief.replacing("\"vibration\"", with: "\"vibratio\""),
    ]

    @Test(arguments: badBodies)
    func refusesAsALoopDoes(_ body: String) throws {
        let (beside, inLoop) = (try TestServer(), try TestServer(arguments: Self.inline))
        let answers = try [beside, inLoop].map { server in
            try server.client().request(
                "POST",
                "/predict",
                body: padded(body),
                fields: ["X-Request-ID: abc-1"]
            )
        }
        #expect([400, 422].contains(answers[0].status))
        #expect(answers[0].body == answers[1].body)
        for name in ["content-type", "x-request-id"] {
            #expect(answers[0].field(name) == answers[1].field(name))
        }
        #expect(isAllGivenBack(beside))
    }

    @Test(arguments: ["/predict", "/predict?explain=true"])
    func turnsAwayWhereThereIsNoMemory(_ target: String) throws {
        let server = try makeServer(["batch-bytes-pending-max": "1024", "explanations-max": "1"])
        let batches = server.application.service.batches
        try #require(batches.budget.reserve(1024))
        let client = try server.client()
        let body = padded(TestReading.brief)
        for _ in 0..<2 {
            let refused = try client.request("POST", target, body: body)
            #expect(refused.status == 503 && refused.field("retry-after") == "1")
            #expect(refused.body.contains("large readings"))
        }
        #expect(batches.budget.byteCount == 1024)
        #expect(try client.request("GET", "/equipment/EQ001").status == 404)
        batches.budget.release(1024)
        #expect(try client.request("POST", target, body: body).status == 200)
        #expect(isAllGivenBack(server))
    }

    @Test func explainsAsALoopDoes() throws {
        let (beside, inLoop) = (try makeServer(), try makeServer(Self.inline))
        let answers = try [beside, inLoop].map { server in
            try server.client().request(
                "POST",
                "/predict?explain=true",
                body: reading(historyOf: 200)
            )
        }
        #expect(answers[0].status == 200)
        #expect(try answers[0].json["contributions"]?["pressure"] != nil)
        #expect(try content(answers[0]) == content(answers[1]))
        #expect(isAllGivenBack(beside))
    }

    @Test func refusesABadReadingAndKeepsThePlace() throws {
        let server = try makeServer(["explanations-max": "1"])
        let client = try server.client()
        let target = "/predict?explain=true"
        for _ in 0..<3 {
            #expect(try client.request("POST", target, body: padded("{}")).status == 422)
        }
        let body = padded(TestReading.brief)
        #expect(try client.request("POST", target, body: body).status == 200)
    }

    @Test(arguments: ["/predict", "/predict?explain=true"])
    func turnsAwayWhereTheLineIsLate(_ target: String) throws {
        let time = TestClock()
        let server = try TestServer(
            arguments: ["event-loops": "1", "queue-delay-max": "5ms", "explanations-max": "1"],
            clock: time.clock
        ) { try TestBundle.write(to: $0, backgroundCount: 3) }
        let batches = server.application.service.batches
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // The last of them waits for more than four.
        for _ in 0..<6 {
            try #require(batches.budget.reserve(1))
            batches.run(1, .reading) { _, _ in
                begun.signal()
                gate.wait()
            }
        }
        begun.wait()
        let body = padded(TestReading.brief)
        let waiting = try server.client()
        waiting.send(TestClient.bytes("POST", target, body: body))
        while batches.budget.byteCount < 6 + body.utf8.count { usleep(1000) }
        for step: Int64 in 1...5 {
            time.set(10_000_000 * step)
            gate.signal()
            begun.wait()
        }
        time.set(200_000_000)
        gate.signal()
        let refused = try #require(try waiting.receiveAnswer())
        #expect(refused.status == 503 && refused.body.contains("wait too long"))
        #expect(server.application.server.counters.requestsShed == 1)
        #expect(server.application.service.explanations.pendingCount == 0)
        let client = try server.client()
        #expect(try client.request("GET", "/equipment/EQ001").status == 404)
        #expect(try client.request("POST", target, body: body).status == 200)
    }
}
