// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import JSON
import Platform
import Testing

@Suite struct ReadingTests {
    private func quality(_ client: TestClient, _ body: String) throws -> JSONValue? {
        let answer = try client.request("POST", "/predict", body: body)
        #expect(answer.status == 200, "\(answer.body)")
        return try answer.json["quality"]
    }

    @Test func flagsWhatIsOddAboutSensors() throws {
        let server = try TestServer()
        let client = try server.client()
        let null = BadRequest.brief("2.3", "null")
        #expect(try quality(client, null) == ["vibration": ["missing", "imputed"]])
        let outside = BadRequest.brief("85.5", "-999")
        #expect(try quality(client, outside)?["temperature"]?.first == "out_of_range")
        #expect(try quality(client, TestReading.brief) == [:])
    }

    @Test func flagsWhatIsOddAboutTimes() throws {
        let server = try TestServer()
        let client = try server.client()
        #expect(try quality(client, TestReading.json(1, hour: 10)) == [:])
        #expect(
            try quality(client, TestReading.json(1, hour: 10)) == ["timestamp": ["duplicate"]]
        )
        #expect(try quality(client, TestReading.json(1, hour: 8)) == ["timestamp": ["late"]])
        #expect(
            try quality(client, TestReading.json(1, hour: -40)) == ["timestamp": ["stale"]]
        )
        let page = try client.request("GET", "/metrics").body
        for kind in ["late", "stale", "duplicate"] {
            #expect(page.contains("\nreadings_out_of_order_total{kind=\"\(kind)\"} 1\n"))
        }
    }

    @Test func listsUnknownFieldsUpToTheLimit() throws {
        let server = try TestServer()
        let client = try server.client()
        let one = BadRequest.brief("{", "{\"humidity\":{\"a\":[1,2]},")
        #expect(try quality(client, one) == ["unknown_fields": ["humidity"]])
        let many = (0..<20).map { "\"x\($0)\":\($0)," }.joined()
        guard
            case .array(let names) = try quality(client, BadRequest.brief("{", "{\(many)"))?[
                "unknown_fields"
            ]
        else {
            Issue.record("no unknown fields")
            return
        }
        #expect(names.count == 8)
        #expect(try client.request("GET", "/metrics").body.contains("\nunknown_fields_total 21\n"))
    }

    @Test(arguments: [
        ("/predict", "{\"x\":1,\"yy\":[{\"x\":2}],\"x\":3,", 22),
        ("/predict", "{\"history\":[{\"x\":1,\"x\":2}],", 19),
        ("/batch_predict", "[{\"x\":1,\"x\":2,", 8),
        ("/batch_predict?on_error=skip", "{\"instances\":[{\"x\":1,\"x\":2,", 21),
        ("/batch_predict", "{\"x\":1,\"x\":2,", 7),
    ])
    func refusesAnUnknownKeyGivenTwice(_ target: String, _ start: String, _ offset: Int) throws {
        let server = try TestServer()
        let answer = try server.client().request("POST", target, body: start)
        #expect(answer.status == 400)
        #expect(answer.body.contains("duplicate key"), "\(answer.body)")
        #expect(answer.body.contains("byte \(offset)"), "\(answer.body)")
    }

    @Test func takesAnUnknownKeyOnceInEachReading() throws {
        let server = try TestServer()
        let inner = BadRequest.brief("{", "{\"x\":1,")
        let body = BadRequest.brief(
            "{",
            "{\"x\":1,\"history\":[\(inner),\(inner)],\"y\":{\"x\":1},"
        )
        let answer = try quality(server.client(), body)
        #expect(answer == ["unknown_fields": ["x", "y"]])
    }

    @Test(arguments: [(256, 200), (257, 422), (400, 422)])
    func boundsUnknownFields(_ count: Int, _ status: Int) throws {
        let server = try TestServer()
        let many = (0..<count).map { "\"x\($0)\":\($0)," }.joined()
        let body = BadRequest.brief("{", "{\(many)")
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == status)
        #expect(answer.body.contains("more than 256 fields") == (status == 422))
    }

    /// The same moment as text and as a number is the same reading.
    @Test(arguments: ["1234567", "1234569", "999999999", "12345650", "1", "000001"])
    func cutsANumbersFractionAsATexts(_ digits: String) throws {
        let server = try TestServer()
        let client = try server.client()
        let text = BadRequest.brief("{", "{\"timestamp\":\"2026-01-01T11:00:00.\(digits)Z\",")
        let number = BadRequest.brief("{", "{\"timestamp\":1767265200.\(digits),")
        #expect(try quality(client, text) == [:])
        #expect(try quality(client, number) == ["timestamp": ["duplicate"]])
    }

    @Test func readsATimestampWhateverIsEscapedInIt() throws {
        let server = try TestServer()
        let client = try server.client()
        func body(_ text: String) -> String { BadRequest.brief("{", "{\"timestamp\":\"\(text)\",") }
        let plain = "2026-01-01T12:00:00+01:00"
        #expect(try client.request("POST", "/predict", body: body(plain)).status == 200)
        for text in ["2026-01-01T12:00:00\\u002B01:00", "\\u0032026-01-01T11:00:00\\u005a"] {
            #expect(try quality(client, body(text)) == ["timestamp": ["duplicate"]])
        }
    }

    /// A name too long to be listed is refused all the same.
    @Test(arguments: [64, 65])
    func refusesUnknownFieldsOfAnyLength(_ length: Int) throws {
        let server = try TestServer(arguments: ["unknown-fields": "reject"])
        let name = String(repeating: "n", count: length)
        let body = BadRequest.brief("{", "{\"\(name)\":1,")
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 422, "\(answer.body)")
    }

    @Test func rejectsAnUnknownFieldOfTheHistoryOnceWithItsPlace() throws {
        let server = try TestServer(arguments: ["unknown-fields": "reject"])
        let inner = BadRequest.brief("{", "{\"zz\":1,")
        let body = BadRequest.brief("{", "{\"history\":[\(inner)],")
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 422)
        guard case .array(let errors) = try answer.json["errors"] else {
            Issue.record("no errors")
            return
        }
        #expect(errors.map { $0["pointer"] } == ["/history/0/zz"])
    }

    @Test func endsAQuestionWithoutAFullStop() throws {
        let body = BadRequest.brief("\"vibration\"", "\"Vibration\"")
        let server = try TestServer()
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 422)
        guard case .string(let detail) = try answer.json["detail"] else {
            Issue.record("no detail")
            return
        }
        #expect(detail.hasSuffix("did you mean it by \"Vibration\"?"))
    }

    @Test func rejectsUnknownFieldsWhereToldTo() throws {
        let server = try TestServer(arguments: ["unknown-fields": "reject"])
        let body = BadRequest.brief("{", "{\"humidty\":1,")
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 422)
        #expect(answer.body.contains("\"pointer\":\"/humidty\""))
    }

    @Test func historyMakesTheWindowsOfARequestAndTouchesNoState() throws {
        let server = try TestServer()
        let client = try server.client()
        var last: JSONValue = nil
        for hour in 0..<12 {
            last = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
                .json
        }
        let past = (0..<11).map { TestReading.json(9, hour: $0) }.joined(separator: ",")
        let body = TestReading.json(9, hour: 11)
            .replacing("{", with: "{\"history\":[\(past)],", maxReplacements: 1)
        let answer = try client.request("POST", "/predict", body: body)
        #expect(answer.status == 200, "\(answer.body)")
        let fill = try answer.json["window_fill"]
        #expect(fill == last["window_fill"] && fill == ["6h": 1, "12h": 1, "24h": 0.5])
        #expect(try client.request("GET", "/metrics").body.contains("\nstate_machines 1\n"))
    }

    @Test func historyGivesTheProbabilityThatStateGives() throws {
        let server = try TestServer()
        let client = try server.client()
        var last: JSONValue = nil
        for hour in 0..<12 {
            last = try client.request("POST", "/predict", body: TestReading.json(1, hour: hour))
                .json
        }
        let past = (0..<11).map { TestReading.json(1, hour: $0) }.joined(separator: ",")
        let body = TestReading.json(1, hour: 11)
            .replacing("{", with: "{\"history\":[\(past)],", maxReplacements: 1)
        let answer = try client.request("POST", "/predict", body: body)
        #expect(try answer.json["probability"] == last["probability"])
    }

    @Test func aSchemaWithoutMachinesNeedsNoIDAndKeepsNothing() throws {
        let schema = Schema(
            name: "single",
            entityColumn: nil,
            time: nil,
            sensors: [
                Sensor(name: "type", kind: .category, categories: ["L", "M", "H"]),
                Sensor(name: "torque", range: 0...100, isOptional: true),
            ],
            label: .column("failure"),
            horizonHours: nil
        )
        let spec = FeatureSpec(name: "single", elements: [.raw(.all)])
        let server = try TestServer { path in
            try TestBundle.write(to: path, schema: schema, spec: spec, horizonHours: nil)
        }
        let client = try server.client()
        let answer = try client.request("POST", "/predict", body: "{\"type\":\"M\"}")
        #expect(answer.status == 200, "\(answer.body)")
        #expect(try answer.json["equipment_id"] == JSONValue.null)
        #expect(try answer.json["horizon_hours"] == JSONValue.null)
        #expect(try answer.json["quality"]?["torque"] == ["missing", "imputed"])
        let other = try client.request("POST", "/predict", body: "{\"type\":\"H\",\"torque\":3}")
        #expect(try other.json["probability"] != answer.json["probability"])
        let wrong = try client.request("POST", "/predict", body: "{\"type\":\"X\"}")
        #expect(wrong.status == 422 && wrong.body.contains("one of L, M, H"))
        #expect(try client.request("GET", "/metrics").body.contains("\nstate_machines 0\n"))
    }

    @Test(arguments: [
        ("rotationSpeed", "rotation_speed"), ("temprature", "temperature"),
        ("Temperature", "temperature"), ("presure", "pressure"),
    ])
    func suggestsTheNameThatWasMeant(_ name: String, _ expected: String) {
        let names = Schema.standard.sensors.map(\.name)
        var suggestions = Suggestions()
        #expect(suggestions.nearest(to: name, among: names) == expected)
    }

    @Test(arguments: ["humidity", "x", "", "failure"])
    func suggestsNothingForOtherNames(_ name: String) {
        let names = Schema.standard.sensors.map(\.name)
        var suggestions = Suggestions()
        #expect(suggestions.nearest(to: name, among: names) == nil)
    }

    @Test(arguments: [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)])
    func countsEdits(_ a: String, _ b: String, _ distance: Int) {
        #expect(Suggestions.distance(Array(a.utf8), Array(b.utf8)) == distance)
    }
}

extension JSONValue {
    /// The first element of an array.
    fileprivate var first: JSONValue? {
        if case .array(let elements) = self { elements.first } else { nil }
    }
}
