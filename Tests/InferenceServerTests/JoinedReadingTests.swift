// SPDX-License-Identifier: MIT

import Features
@testable import HTTPServer
@testable import InferenceServer
import JSON
import Platform
import Testing

/// Readings that have come together against the same ones that come one after the other.
@Suite struct JoinedReadingTests {
    private func request(_ body: [UInt8]) -> Request {
        var request = Request()
        request.routeID = Endpoint.predict.rawValue
        request.body = 0..<body.count
        return request
    }

    /// The answers of a service that is shown all bodies before it is asked.
    private func answers(to bodies: [String], of service: PredictionService) -> [Response] {
        let bodies = bodies.map { Array($0.utf8) }
        let indices = bodies.enumerated().map { index, body in
            service.join(request(body), bytes: body.span, isFirst: index == 0)
        }
        return zip(bodies, indices).map { body, index in
            var (request, response) = (request(body), Response())
            request.joinedIndex = index
            service.respond(to: request, bytes: body.span, response: &response)
            return response
        }
    }

    /// A request whose content type is among its bytes, before its body.
    private func request(_ body: String, type: String, query: String) -> (Request, [UInt8]) {
        var request = request(Array(body.utf8))
        let name = "content-type"
        let bytes = Array((name + type + query + body).utf8)
        let value = name.utf8.count..<name.utf8.count + type.utf8.count
        request.fields = [HeaderField(name: 0..<name.utf8.count, value: value)]
        request.query = value.upperBound..<value.upperBound + query.utf8.count
        request.body = request.query.upperBound..<bytes.count
        return (request, bytes)
    }

    private func hour(_ hour: Int) -> String {
        Timestamp.text(1_767_225_600_000_000 + Int64(hour) * Timestamp.microsecondsPerHour)
    }

    private func content(_ body: [UInt8]) throws -> [String] {
        guard case .object(let object) = try JSONValue.parse(body) else { return [] }
        // The requests made here have no path.
        let changing = ["inference_time_ms", "request_id", "instance"]
        return object.members.filter { !changing.contains($0.key) }.map { "\($0)" }
    }

    @Test func answersAsIfTheyCameAlone() throws {
        // Some machines twice in a group of ten; the order of numbers is not that of hours.
        var bodies = (0..<40).map { number in
            TestReading.brief
                .replacing("EQ001", with: "M\(number % 7)")
                .replacing("85.5", with: "\(60 + number % 11)")
                .replacing(",\"temp", with: ",\"timestamp\":\"\(hour(number * 7 % 12))\",\"temp")
        }
        bodies[3] = "{\"equipment_id\":"
        bodies[9] = TestReading.json(9, hour: 1).replacing("70.0", with: "null")
        bodies[20] = bodies[20].replacing("2.3", with: "-999")
        bodies[21] = "[1]"
        bodies[30] = TestReading.brief
        let (joint, other) = (try TestServer(), try TestServer())
        let client = try other.client()
        for first in stride(from: 0, to: bodies.count, by: 10) {
            let group = Array(bodies[first..<first + 10])
            let answers = answers(to: group, of: joint.application.service)
            for (body, answer) in zip(group, answers) {
                let expected = try client.request("POST", "/predict", body: body)
                #expect(answer.status == expected.status)
                #expect(try content(answer.body) == content(Array(expected.body.utf8)))
            }
        }
        let machines = try [joint, other].map { server in
            try #require(server.application.service.models.current?.state).counts().machines
        }
        #expect(machines[0] == machines[1])
    }

    /// One that is not read ahead says nothing about those that come with it, first or not.
    @Test(
        arguments: [0, 1, 2],
        [
            ("{}", "text/plain", "", 415), ("", "application/json", "", 400),
            (TestReading.brief, "application/json", "x=1", 200),
            (TestReading.brief, "application/json", "explain=false", 200),
            (TestReading.brief, "application/json", "explain=1", 400),
        ]
    )
    func leavesOutThoseThatAreNotPlain(
        _ place: Int,
        _ odd: (body: String, type: String, query: String, status: Int)
    ) throws {
        let (joint, other) = (try TestServer(), try TestServer())
        let client = try other.client()
        for round in 0..<3 {
            var group = (0..<4).map { number in
                let body = TestReading.brief
                    .replacing("EQ001", with: "M\(round)\(number)")
                    .replacing("85.5", with: "\(60 + 5 * round + number)")
                return request(body, type: "application/json", query: "")
            }
            group.insert(request(odd.body, type: odd.type, query: odd.query), at: place)
            let service = joint.application.service
            let indices = group.enumerated().map { index, one in
                service.join(one.0, bytes: one.1.span, isFirst: index == 0)
            }
            #expect(indices.map { $0 != nil } == group.indices.map { $0 != place })
            for (index, one) in group.enumerated() {
                var (request, response) = (one.0, Response())
                request.joinedIndex = indices[index]
                service.respond(to: request, bytes: one.1.span, response: &response)
                guard index != place else {
                    #expect(response.status == odd.status)
                    continue
                }
                let body = String(decoding: one.1[one.0.body], as: UTF8.self)
                let expected = try client.request("POST", "/predict", body: body)
                #expect(response.status == 200 && expected.status == 200)
                #expect(try content(response.body) == content(Array(expected.body.utf8)))
            }
        }
    }

    @Test(arguments: [(0, true), (1, false)])
    func leavesOutThoseThatLeaveTheLoop(past: Int, isJoined: Bool) throws {
        let body = Array(TestReading.brief.utf8)
        let limit = "\(body.count - past)"
        let server = try TestServer(arguments: ["inline-batch-bytes-max": limit])
        let service = server.application.service
        let index = service.join(request(body), bytes: body.span, isFirst: true)
        #expect((index != nil) == isJoined)
    }

    /// Whatever comes together: every answer is the one to its own request.
    @Test func answersEveryClientItsOwn() throws {
        let server = try TestServer(arguments: ["event-loops": "1"])
        let first = try server.client()
        let targets = [
            "/predict", "/predict?x=1", "/predict", "/predict?explain=false", "/predict",
            "/batch_predict", "/predict", "/predict?explain=true", "/predict", "/predict?explain=1",
        ]
        let statuses = [200, 200, 200, 200, 200, 200, 200, 501, 200, 400]
        func reading(_ machine: String, _ number: Int) -> String {
            TestReading.brief.replacing("EQ001", with: machine)
                .replacing("85.5", with: "\(50 + 4 * number)")
        }
        let expected = try targets.indices.map { number in
            let body = reading("A\(number)", number)
            return try probability(of: try first.request("POST", "/predict", body: body))
        }
        #expect(Set(expected).count == targets.count)
        let clients = try targets.indices.map { _ in try server.client() }
        for round in 0..<100 {
            // A body that is empty, or none of ours, in the place of one of them.
            let odd = (round % 10, round % 2 == 0 ? "text/plain" : "application/json")
            let order = targets.indices.map { ($0 + round) % targets.count }
            for number in order {
                var body = reading("R\(round)-\(number)", number)
                if targets[number] == "/batch_predict" { body = "[\(body)]" }
                let isOdd = number == odd.0
                clients[number].send(
                    TestClient.bytes(
                        "POST",
                        targets[number],
                        body: isOdd && round % 2 == 1 ? "" : body,
                        type: isOdd ? odd.1 : "application/json"
                    )
                )
            }
            for number in order {
                let answer = try #require(try clients[number].receiveAnswer())
                if number == odd.0 {
                    #expect(answer.status == (round % 2 == 0 ? 415 : 400))
                    continue
                }
                #expect(answer.status == statuses[number])
                guard answer.status == 200 else { continue }
                #expect(answer.body.contains("\"R\(round)-\(number)\""))
                #expect(try probability(of: answer) == expected[number])
            }
        }
    }

    private func probability(of answer: Answer) throws -> String {
        let text = try #require(answer.body.split(separator: "\"probability\":").last)
        return String(text.prefix { $0 != "," })
    }

    @Test func tracesShareTheStagesOfTheirGroup() throws {
        let collector = try Collector()
        let server = try TestServer(
            arguments: ["otlp-collector": collector.address, "trace-percent": "50"],
            wallClock: .system
        )
        var bodies = (0..<6).map { TestReading.brief.replacing("EQ001", with: "M\($0)") }
        // One that is answered by itself, and sampled as the others are.
        bodies[3] = bodies[3].replacing("M3", with: "\\u004d3")
        let answers = answers(to: bodies, of: server.application.service)
        #expect(answers.allSatisfy { $0.status == 200 })
        server.application.telemetry?.sendNow()
        let requests = try Collector.stages(under: "POST /predict", in: collector.spans)
        #expect(requests.count == 3)
        let together = requests.filter { stages in
            stages["forward"].flatMap { Collector.attribute("batch.size", $0.span) }
                == ["intValue": "5"]
        }
        #expect(together.count >= 2)
        for stages in together {
            #expect(Set(stages.keys) == ["parse", "state", "features", "forward"])
            let durations = stages.mapValues { $0.end - $0.start }
            #expect(durations == together[0].mapValues { $0.end - $0.start })
        }
    }

    @Test func refusesTheMachinesOfAnotherShard() throws {
        let server = try TestServer(arguments: ["shard": "0/2"])
        let bodies = (0..<16).map { TestReading.brief.replacing("EQ001", with: "M\($0)") }
        let statuses = answers(to: bodies, of: server.application.service).map(\.status)
        let client = try server.client()
        for (body, status) in zip(bodies, statuses) {
            #expect(try client.request("POST", "/predict", body: body).status == status)
        }
        let kept = statuses.count { $0 == 200 }
        #expect((1..<16).contains(kept) && statuses.count { $0 == 421 } == 16 - kept)
        let state = try #require(server.application.service.models.current?.state)
        #expect(state.counts().machines == kept)
    }

    @Test func refusesTheOneThatFindsNoRoom() throws {
        let server = try TestServer(arguments: ["machines-max": "1"])
        let bodies = ["EQ001", "EQ002", "EQ001"].map { id in
            TestReading.brief.replacing("EQ001", with: id)
        }
        let statuses = answers(to: bodies, of: server.application.service).map(\.status)
        #expect(statuses == [200, 503, 200])
        let page = try server.client().request("GET", "/metrics").body
        #expect(page.contains("\nstate_refusals_total 1\n"))
        #expect(page.contains("\nbatch_rows_refused_total 0\n"))
    }
}
