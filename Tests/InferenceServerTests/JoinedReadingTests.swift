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
