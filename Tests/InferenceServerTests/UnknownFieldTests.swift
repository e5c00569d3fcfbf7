// SPDX-License-Identifier: MIT

@testable import InferenceServer
import JSON
import Testing

/// Fields that the schema lacks: how answers name them, and where problems are said to be.
@Suite struct UnknownFieldTests {
    private func listed(_ name: String) throws -> JSONValue? {
        let body = BadRequest.brief("{", "{\"\(name)\":1,")
        let server = try TestServer()
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.status == 200, "\(answer.body)")
        return try answer.json["quality"]?["unknown_fields"]
    }

    /// The pointers of a refusal's errors.
    private func pointers(
        _ body: String,
        _ target: String = "/predict",
        _ arguments: [String: String] = ["unknown-fields": "reject"]
    ) throws -> [String] {
        let server = try TestServer(arguments: arguments)
        let answer = try server.client().request("POST", target, body: body)
        #expect(answer.status == 422, "\(answer.body)")
        guard case .array(let errors) = try answer.json["errors"] else { return [] }
        return errors.compactMap { error in
            if case .string(let pointer) = error["pointer"] { pointer } else { nil }
        }
    }

    /// What stands in the request, and what the answer lists.
    static let names: [(String, String)] = [
        (a(64), a(64)),
        (a(64) + "b", a(64) + "…"),
        // 64 bytes, and 192 between the quotes.
        (u(32, "\\u00fc"), u(32)),
        (u(33, "\\u00fc"), u(32) + "…"),
        ("a" + u(32), "a" + u(31) + "…"),
        (a(61) + "\\ud83d\\ude00", a(61) + "…"),
        (a(60) + "\\ud83d\\ude00b", a(60) + "😀…"),
        (a(61) + "😀", a(61) + "…"),
        (a(63) + "€", a(63) + "…"),
        (a(63) + "\\\\b", a(63) + "\\…"),
        (a(64) + "\\\"", a(64) + "…"),
    ]

    private static func a(_ count: Int) -> String { String(repeating: "a", count: count) }

    private static func u(_ count: Int, _ spelling: String = "ü") -> String {
        String(repeating: spelling, count: count)
    }

    @Test(arguments: names)
    func namesTheBeginningOfALongOne(_ name: String, _ expected: String) throws {
        #expect(try listed(name) == [.string(expected)])
    }

    /// RFC 6901 §5: a pointer has the characters that the escapes of JSON stand for.
    @Test(arguments: [
        ("temp\\u00e9rature", "/température"), ("temp\\u00E9rature", "/température"),
        ("\\ud83d\\ude00", "/😀"), ("a\\\"b", "/a\"b"), ("a\\/b", "/a~1b"), ("a\\u002fb", "/a~1b"),
        ("a\\\\b", "/a\\b"), ("a\\nb", "/a\nb"), ("a~b", "/a~0b"), ("~1", "/~01"), ("", "/"),
    ])
    func pointsAtTheNameAndNotItsSpelling(_ name: String, _ pointer: String) throws {
        #expect(try pointers(BadRequest.brief("{", "{\"\(name)\":1,")) == [pointer])
    }

    @Test func pointsAtALongOneWhole() throws {
        let name = String(repeating: "n", count: 4096)
        let past = "h\(name.dropFirst())"
        let body = BadRequest.brief("{", "{\"\(name)\":1,\"history\":[{\"\(past)\":2}],")
        let found = try pointers(body)
        #expect(found.contains("/\(name)") && found.contains("/history/0/\(past)"))
    }

    @Test func countsTheOnesThatItDoesNotName() throws {
        let many = (0..<20).map { "\"x\($0)\":\($0)," }.joined()
        let found = try pointers(BadRequest.brief("{", "{\(many)"))
        #expect(found == (0..<8).map { "/x\($0)" } + [""])
    }

    @Test func suggestsANameSpelledWithEscapes() throws {
        let body = BadRequest.brief("\"vibration\"", "\"v\\u0069bratio\"")
        let server = try TestServer()
        let answer = try server.client().request("POST", "/predict", body: body)
        #expect(answer.body.contains(#"did you mean it by \"vibratio\"?"#), "\(answer.body)")
    }

    static let places: [(String, String, String)] = {
        let fields = BadRequest.fields(257)
        let brief = TestReading.brief
        func with(_ member: String) -> String { BadRequest.brief("{", "{\(member),") }
        return [
            ("/predict", with("\"x\":{\(fields)}"), "/x"),
            ("/predict", with("\"a\\u002fb\":[1,{\"y~\":{\(fields)}}]"), "/a~1b/1/y~0"),
            ("/predict", with("\"x\":[[{\"a\":1}],[{},{\(fields)}]]"), "/x/1/1"),
            (
                "/predict",
                with("\"x\":[0,\"\",[],[[1],{}],null,[0,{\"a\":[1]},[2,{\(fields)},3]]]"),
                "/x/5/2/1"
            ),
            ("/predict", with("\"history\":[{\"x\":{\(fields)}}]"), "/history/0/x"),
            ("/predict", with("\"timestamp\":{\(fields)}"), "/timestamp"),
            ("/predict", BadRequest.brief("85.5", "{\"v\":{\(fields)}}"), "/temperature/v"),
            ("/batch_predict", "[\(brief),\(with("\"x\":{\(fields)}"))]", "/1/x"),
            ("/batch_predict", "[[0,{\(fields)}]]", "/0/1"),
            ("/batch_predict", "{\"x\":{\(fields)},\"instances\":[\(brief)]}", "/x"),
            ("/batch_predict", "{\"instances\":{\(fields)}}", "/instances"),
        ]
    }()

    @Test(arguments: places)
    func pointsAtTheObjectOfTooMany(_ target: String, _ body: String, _ pointer: String) throws {
        let server = try TestServer()
        let answer = try server.client().request("POST", target, body: body)
        #expect(answer.status == 422, "\(answer.body)")
        guard case .array(let errors) = try answer.json["errors"] else {
            Issue.record("no errors")
            return
        }
        let found = errors.filter {
            $0["detail"] == "has more than 256 fields that the model's schema lacks"
        }
        #expect(found.map { $0["pointer"] } == [.string(pointer)], "\(answer.body.prefix(500))")
    }

    /// A line that fails amid a value leaves no place to the next ones.
    @Test func pointsAtThePlaceWithinItsOwnLine() throws {
        let body = "{\"a\":{\"b\":[1,}\n{\"x\":{\(BadRequest.fields(257))}}\n"
        let server = try TestServer()
        let answer = try server.client().request(
            "POST",
            "/batch_predict",
            body: body,
            type: "application/x-ndjson"
        )
        let lines = answer.body.split(separator: "\n")
        #expect(lines.count == 2 && lines[1].contains("\"pointer\":\"/x\""), "\(answer.body)")
    }
}
