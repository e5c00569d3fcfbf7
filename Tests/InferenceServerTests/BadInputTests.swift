// SPDX-License-Identifier: MIT

import JSON
import Testing

/// A request that is refused, and what its problem document must say.
struct BadRequest: Sendable, CustomTestStringConvertible {
    let name: String
    var method = "POST"
    var target = "/predict"
    var body: String? = TestReading.brief
    var type: String? = "application/json"
    let status: Int
    /// The pointer of the first error; nil where there are no errors.
    var pointer: String?
    /// A part of detail or of the first error's detail.
    var says = ""

    var testDescription: String { name }

    /// The brief's reading with one text replaced.
    static func brief(_ old: String, _ new: String) -> String {
        TestReading.brief.replacing(old, with: new)
    }

    /// Members of an object: `"k0":0,"k1":0` and so on.
    static func fields(_ count: Int) -> String {
        (0..<count).map { "\"k\($0)\":0" }.joined(separator: ",")
    }

    static let all: [BadRequest] = [
        .init(name: "malformed JSON", body: "{\"a\": }", status: 400, says: "at byte 6"),
        .init(name: "truncated JSON", body: "{\"equipment_id\":\"a\"", status: 400),
        .init(name: "two documents", body: TestReading.brief + "{}", status: 400),
        .init(name: "NaN", body: brief("85.5", "NaN"), status: 400, says: "NaN"),
        .init(name: "Infinity", body: brief("85.5", "-Infinity"), status: 400, says: "Infinity"),
        .init(
            name: "duplicate key",
            body: brief("\"vibration\"", "\"temperature\""),
            status: 400,
            says: "duplicate key"
        ),
        .init(
            name: "duplicate key within an unknown field",
            body: brief("{", "{\"x\":[{\"a\":1,\"b\":{},\"a\":2}],"),
            status: 400,
            says: "duplicate key at byte 20"
        ),
        .init(
            name: "duplicate key within a value of the wrong type",
            body: brief("85.5", "{\"a\":1,\"a\":2}"),
            status: 400,
            says: "duplicate key"
        ),
        .init(
            name: "duplicate key in another spelling",
            body: brief("{", "{\"xa\":1,\"x\\u0061\":2,"),
            status: 400,
            says: "duplicate key at byte 8"
        ),
        .init(
            name: "duplicate sensor in another spelling",
            body: brief("{", "{\"temper\\u0061ture\":1,"),
            status: 400,
            says: "duplicate key"
        ),
        .init(
            name: "too many fields within an unknown field",
            body: brief("{", "{\"x\":{\(fields(257))},"),
            status: 422,
            pointer: "/x",
            says: "more than 256 fields"
        ),
        .init(name: "empty body", body: "", status: 400, says: "no body"),
        .init(name: "invalid UTF-8 escape", body: brief("EQ001", "\\ud800"), status: 400),
        .init(
            name: "text for a number",
            body: brief("85.5", "\"hot\""),
            status: 422,
            pointer: "/temperature",
            says: "not a string"
        ),
        .init(
            name: "boolean for a number",
            body: brief("85.5", "true"),
            status: 422,
            pointer: "/temperature"
        ),
        .init(
            name: "object for a number",
            body: brief("85.5", "{\"v\":[1]}"),
            status: 422,
            pointer: "/temperature"
        ),
        .init(
            name: "number beyond a double",
            body: brief("85.5", "1e400"),
            status: 422,
            pointer: "/temperature",
            says: "range"
        ),
        .init(
            name: "number for the id",
            body: brief("\"EQ001\"", "7"),
            status: 422,
            pointer: "/equipment_id"
        ),
        .init(
            name: "empty id",
            body: brief("EQ001", ""),
            status: 422,
            pointer: "/equipment_id",
            says: "1 to 64"
        ),
        .init(
            name: "id of 65 bytes",
            body: brief("EQ001", String(repeating: "x", count: 65)),
            status: 422,
            pointer: "/equipment_id"
        ),
        .init(
            name: "no id",
            body: brief("\"equipment_id\":\"EQ001\",", ""),
            status: 422,
            pointer: "/equipment_id",
            says: "missing"
        ),
        .init(
            name: "absent sensor",
            body: brief("\"vibration\":2.3,", ""),
            status: 422,
            pointer: "/vibration",
            says: "missing"
        ),
        .init(
            name: "misspelt sensor",
            body: brief("\"rotation_speed\"", "\"rotationSpeed\""),
            status: 422,
            pointer: "/rotation_speed",
            says: "did you mean it by \"rotationSpeed\"?"
        ),
        .init(
            name: "timestamp of no calendar",
            body: brief("{", "{\"timestamp\":\"2026-02-30T00:00:00Z\","),
            status: 422,
            pointer: "/timestamp"
        ),
        .init(
            name: "second 60 within a month",
            body: brief("{", "{\"timestamp\":\"2025-12-30T23:59:60Z\","),
            status: 422,
            pointer: "/timestamp",
            says: "neither RFC 3339"
        ),
        .init(
            name: "timestamp of wrong type",
            body: brief("{", "{\"timestamp\":[],"),
            status: 422,
            pointer: "/timestamp"
        ),
        .init(
            name: "timestamp beyond a double",
            body: brief("{", "{\"timestamp\":1e400,"),
            status: 422,
            pointer: "/timestamp"
        ),
        .init(
            name: "timestamp past the limit ahead",
            body: brief("{", "{\"timestamp\":\"2026-01-01T12:05:01Z\","),
            status: 422,
            pointer: "/timestamp",
            says: "more than 5min ahead"
        ),
        .init(
            name: "history of wrong type",
            body: brief("{", "{\"history\":{},"),
            status: 422,
            pointer: "/history"
        ),
        .init(
            name: "bad reading in the history",
            body: brief("{", "{\"history\":[1],"),
            status: 422,
            pointer: "/history/0"
        ),
        .init(name: "array for a reading", body: "[1,[2]]", status: 422, pointer: ""),
        .init(name: "number for a reading", body: "7", status: 422, pointer: ""),
        .init(name: "form", type: "application/x-www-form-urlencoded", status: 415),
        .init(name: "text", type: "text/plain", status: 415),
        .init(name: "wrong method", method: "GET", body: nil, status: 405),
        .init(name: "wrong path", target: "/predictions", status: 404),
        .init(
            name: "huge body",
            body: brief("EQ001", String(repeating: "x", count: 1 << 20)),
            status: 413
        ),
        .init(
            name: "deep nesting",
            body: brief("{", "{\"x\":" + String(repeating: "[", count: 100)),
            status: 400,
            says: "The body is over a limit: nested deeper than 32 at byte 36."
        ),
        .init(
            name: "batch without instances",
            target: "/batch_predict",
            body: "{}",
            status: 422,
            pointer: "/instances"
        ),
        .init(
            name: "bad row of a batch",
            target: "/batch_predict",
            body: "[\(TestReading.brief),\(brief("2.3", "false"))]",
            status: 422,
            pointer: "/1/vibration"
        ),
        .init(
            name: "bad row of instances",
            target: "/batch_predict",
            body: "{\"instances\":[\(brief("2.3", "false"))]}",
            status: 422,
            pointer: "/instances/0/vibration"
        ),
        .init(
            name: "unknown value of on_error",
            target: "/batch_predict?on_error=ignore",
            status: 400,
            says: "on_error"
        ),
    ]
}

@Suite struct BadInputTests {
    /// One server for all, which thereby goes on after each.
    @Test func everyBadRequestGetsItsProblemAndTheServerGoesOn() throws {
        let server = try TestServer()
        for bad in BadRequest.all {
            let answer = try server.client().request(
                bad.method,
                bad.target,
                body: bad.body,
                type: bad.type
            )
            #expect(answer.status == bad.status, "\(bad.name): \(answer.body)")
            #expect(answer.field("content-type") == "application/problem+json", "\(bad.name)")
            let problem = try answer.json
            #expect(problem["status"] == .integer(bad.status), "\(bad.name)")
            #expect(problem["title"] != nil && problem["detail"] != nil, "\(bad.name)")
            var first: JSONValue?
            if case .array(let errors) = problem["errors"] { first = errors.first }
            #expect(first?["pointer"] == bad.pointer.map(JSONValue.string), "\(bad.name)")
            #expect(answer.body.contains(quoted(bad.says)), "\(bad.name): \(answer.body)")
            let next = try server.client().request("POST", "/predict", body: TestReading.brief)
            #expect(next.status == 200, "after \(bad.name)")
        }
    }

    @Test func listsAllMissingSensors() throws {
        let server = try TestServer()
        let answer = try server.client().request(
            "POST",
            "/predict",
            body: "{\"equipment_id\":\"a\",\"vibration\":null,\"current\":1}"
        )
        #expect(answer.status == 422)
        guard case .array(let errors) = try answer.json["errors"] else {
            Issue.record("no errors")
            return
        }
        #expect(
            errors.map { $0["pointer"] }
                == ["/temperature", "/pressure", "/rotation_speed", "/operating_hours"]
        )
    }

    @Test func aRefusedReadingLeavesNoTrace() throws {
        let server = try TestServer()
        let client = try server.client()
        _ = try client.request("POST", "/predict", body: BadRequest.brief("2.3", "\"a\""))
        let page = try client.request("GET", "/metrics")
        #expect(page.body.contains("\nstate_machines 0\n"))
        let series = "http_requests_total{method=\"POST\",route=\"/predict\",status=\"422\"}"
        #expect(page.body.contains("\n\(series) 1\n"))
    }

    @Test func acceptsWhatIsOddButRight() throws {
        let server = try TestServer()
        let client = try server.client()
        let bodies = [
            BadRequest.brief("EQ001", String(repeating: "x", count: 64)),
            BadRequest.brief("{", "{\"timestamp\":\"2026-01-01T12:05:00Z\","),
            BadRequest.brief("{", "{\"timestamp\":null,"),
            BadRequest.brief("\"temperature\"", "\"temper\\u0061ture\""),
            BadRequest.brief("{", "{\"x\":{\(BadRequest.fields(256))},"),
            BadRequest.brief("{", "{\"x\":[{\"a\":{\"a\":1}},{\"a\":{\"a\":1}}],"),
        ]
        for body in bodies {
            let answer = try client.request("POST", "/predict", body: body)
            #expect(answer.status == 200, "\(body): \(answer.body)")
        }
        for type in ["application/json; charset=utf-8", "APPLICATION/JSON", "text/json"] {
            let answer = try client.request(
                "POST",
                "/predict",
                body: TestReading.brief,
                type: type
            )
            #expect(answer.status == 200, "\(type)")
        }
        let none = try client.request("POST", "/predict", body: TestReading.brief, type: nil)
        #expect(none.status == 200)
    }

    private func quoted(_ text: String) -> String {
        text.replacing("\"", with: "\\\"")
    }
}
