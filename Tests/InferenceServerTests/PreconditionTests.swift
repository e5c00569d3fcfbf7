// SPDX-License-Identifier: MIT

import Features
@testable import HTTPServer
@testable import InferenceServer
import JSON
import Testing

/// A request on a condition that does not hold, which counts where all else but its content is
/// right (RFC 9110 §13.2.1).
@Suite struct PreconditionTests {
    private struct Case {
        let method: String
        let target: String
        let body: String?
        let type: String
        let status: Int

        init(
            _ method: String,
            _ target: String,
            _ body: String?,
            _ status: Int,
            type: String = "application/json"
        ) {
            self.method = method
            self.target = target
            self.body = body
            self.type = type
            self.status = status
        }
    }

    private static let reading = TestReading.json(1, hour: 0)
    private static let lines = "application/x-ndjson"

    private static let predictions: [Case] = [
        .init("POST", "/predict", reading, 415, type: "text/plain"),
        .init("POST", "/predict", "", 400),
        .init("POST", "/predict?explain=zz", reading, 400),
        .init("POST", "/predict?explain=true", reading, 501),
        .init("POST", "/predict", reading, 412),
        .init("POST", "/predict", "{", 412),
        .init("POST", "/predict?explain=false", reading, 412),
        .init("POST", "/batch_predict", "[\(reading)]", 415, type: "text/plain"),
        .init("POST", "/batch_predict", "", 400),
        .init("POST", "/batch_predict", "", 400, type: lines),
        .init("POST", "/batch_predict?explain=true", "[\(reading)]", 400),
        .init("POST", "/batch_predict?explain=zz", reading, 400, type: lines),
        .init("POST", "/batch_predict?on_error=zz", "[\(reading)]", 400),
        .init("POST", "/batch_predict", "[\(reading)]", 412),
        .init("POST", "/batch_predict?on_error=skip", "[", 412),
        .init("POST", "/batch_predict", reading, 412, type: lines),
        .init("POST", "/batch_predict?on_error=zz", reading, 412, type: lines),
    ]

    private static let changes: [Case] = [
        .init("DELETE", "/equipment/ZZZ", nil, 404),
        .init("DELETE", "/equipment/%ff", nil, 400),
        .init("DELETE", "/equipment/M1", nil, 412),
        .init("POST", "/equipment/ZZZ/maintenance", nil, 404),
        .init("POST", "/equipment/%ff/maintenance", nil, 400),
        .init("POST", "/equipment/M1/maintenance", "{}", 415, type: "text/plain"),
        .init("POST", "/equipment/M1/maintenance", nil, 412),
        .init("POST", "/equipment/M1/maintenance", "{", 412),
        .init("POST", "/feedback", "[]", 415, type: "text/plain"),
        .init("POST", "/feedback", "", 400),
        .init("POST", "/feedback", "[]", 412),
        .init("POST", "/feedback", "{", 412),
        .init("GET", "/equipment/M1", nil, 200),
    ]

    private static let detail: JSONValue =
        "What is here has no entity tag: If-Match holds for * alone, If-None-Match not for *."

    private func check(
        _ cases: [Case],
        _ condition: String,
        _ server: TestServer,
        on listener: Listener = .main
    ) throws {
        for example in cases {
            let client = try server.client(listener)
            // The second head is taken for read.
            for _ in 0..<2 {
                let answer = try client.request(
                    example.method,
                    example.target,
                    body: example.body,
                    type: example.type,
                    fields: [condition]
                )
                let what = "\(example.method) \(example.target) \(example.type) \(condition)"
                #expect(answer.status == example.status, "\(what): \(answer.body)")
                guard answer.status == 412 else { continue }
                let problem = try answer.json
                #expect(problem["title"] == "Precondition Failed")
                #expect(problem["detail"] == Self.detail)
            }
        }
    }

    @Test(arguments: ["If-Match: \"x\"", "If-None-Match: *"])
    func countsWhereNothingElseIsWrong(_ condition: String) throws {
        let folder = try TemporaryDirectory()
        let server = try TestServer(arguments: ["decision-log": folder.path, "admin-port": "0"])
        try check(Self.predictions, condition, server)
        let state = try #require(server.application.service.models.current?.state)
        #expect(state.counts().machines == 0)
        _ = try server.client().request("POST", "/predict", body: Self.reading)
        try check(Self.changes, condition, server, on: .admin)
        #expect(state.counts().machines == 1)
        server.stop()
    }

    @Test func countsNotWithoutADecisionLog() throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        try check([Case("POST", "/feedback", "[]", 501)], "If-None-Match: *", server, on: .admin)
    }

    @Test func countsNotWithoutAModel() throws {
        let folder = try TemporaryDirectory()
        let server = try TestServer(
            arguments: ["decision-log": folder.path, "admin-port": "0"],
            bundles: { _ in }
        )
        let predictions = Self.predictions.filter { $0.status == 412 }
        let changes = Self.changes.filter { $0.status == 412 }
        func unserved(_ cases: [Case]) -> [Case] {
            cases.map { Case($0.method, $0.target, $0.body, 503, type: $0.type) }
        }
        try check(unserved(predictions), "If-Match: \"x\"", server)
        try check(unserved(changes), "If-Match: \"x\"", server, on: .admin)
        server.stop()
    }

    @Test(arguments: ["If-Match: *", "If-None-Match: \"x\""])
    func isMetByWhatHasNoTag(_ condition: String) throws {
        let server = try TestServer(arguments: ["admin-port": "0"])
        let cases = [
            Case("POST", "/predict", Self.reading, 200),
            Case("POST", "/batch_predict", "[\(Self.reading)]", 200),
            Case("POST", "/batch_predict", Self.reading, 200, type: Self.lines),
        ]
        try check(cases, condition, server)
        let reset = Case("POST", "/equipment/M1/maintenance", nil, 200)
        try check([reset], condition, server, on: .admin)
        let admin = try server.client(.admin)
        let answer = try admin.request("DELETE", "/equipment/M1", fields: [condition])
        #expect(answer.status == 204)
    }

    /// What may not be done is not read with what may.
    @Test func readingOnAConditionDoesNotJoinOthers() throws {
        let server = try TestServer()
        let service = server.application.service
        let body = Array(TestReading.brief.utf8)
        var request = Request()
        request.routeID = Endpoint.predict.rawValue
        request.body = 0..<body.count
        let index = service.join(request, bytes: body.span, isFirst: true)
        request.failsPrecondition = true
        let indexOnCondition = service.join(request, bytes: body.span, isFirst: true)
        #expect(index != nil && indexOnCondition == nil)
        var response = Response()
        service.respond(to: request, bytes: body.span, response: &response)
        #expect(response.status == 412)
    }
}
