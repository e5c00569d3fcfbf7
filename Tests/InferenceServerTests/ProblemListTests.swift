// SPDX-License-Identifier: MIT

@testable import InferenceServer
import JSON
import Testing

/// What a problem document says of how much is wrong, and of limits.
@Suite struct ProblemListTests {
    /// The detail, and in brackets how many errors are listed.
    private func detail(
        _ body: String,
        _ target: String = "/predict",
        _ arguments: [String: String] = [:]
    ) throws -> String {
        let server = try TestServer(arguments: arguments)
        let answer = try server.client().request("POST", target, body: body)
        var listed = 0
        if case .array(let errors) = try answer.json["errors"] { listed = errors.count }
        guard case .string(let text) = try answer.json["detail"] else { return "" }
        return "\(text) (\(listed))"
    }

    @Test func saysThatTheListIsCut() throws {
        let rows = repeatElement("{}", count: 5).joined(separator: ",")
        let cut = try detail("[\(rows)]", "/batch_predict")
        #expect(cut == "More than 32 fields do not fit; errors lists the first 32. (32)")
        let whole = try detail("[\(rows)]", "/batch_predict", ["problems-listed-max": "35"])
        #expect(whole == "35 fields do not fit; see errors. (35)")
        let less = try detail("[\(rows)]", "/batch_predict", ["problems-listed-max": "34"])
        #expect(less == "More than 34 fields do not fit; errors lists the first 34. (34)")
        let first = try detail("{}", "/predict", ["problems-listed-max": "1"])
        #expect(first == "More than 1 field does not fit; errors lists the first 1. (1)")
    }

    @Test(arguments: [
        (1, "More than 1 field does not fit; errors lists the first 1. (1)"),
        (2, "2 fields do not fit; see errors. (2)"),
    ])
    func saysSoOfRejectedFields(_ listed: Int, _ expected: String) throws {
        let found = try detail(
            BadRequest.brief("{", "{\"x\":1,\"y\":1,"),
            "/predict",
            ["unknown-fields": "reject", "problems-listed-max": "\(listed)"]
        )
        #expect(found == expected)
    }

    /// The wider list of a batch that goes on says so as well, and forgets it for the next reading.
    @Test func saysSoOfOneReadingOfABatch() throws {
        let server = try TestServer(arguments: ["problems-listed-max": "3"])
        let body = "[{},{\"equipment_id\":\"a\",\"temperature\":1}]".replacing(
            "1}",
            with: "1,\"vibration\":1,\"pressure\":1,\"rotation_speed\":1}"
        )
        let answer = try server.client().request("POST", "/batch_predict?on_error=skip", body: body)
        guard case .array(let rows) = try answer.json["predictions"] else {
            Issue.record("no predictions")
            return
        }
        #expect(
            rows.map { $0["error"]?["detail"] } == [
                "More than 3 fields do not fit; errors lists the first 3.",
                "2 fields do not fit; see errors.",
            ]
        )
    }

    /// Escapes are no part of a text's length.
    @Test(arguments: ["ü", "\\u00fc", "\\\"\\n", "\\ud83d\\ude00", "a"])
    func countsTheBytesOfATextAndNotThoseOfItsSpelling(_ character: String) throws {
        let text = try JSONValue.parse(Array("\"\(character)\"".utf8))
        guard case .string(let one) = text else { return }
        let count = 4096 / one.utf8.count
        let server = try TestServer()
        for (count, isTaken) in [(count, true), (count + 1, false)] {
            let long = String(repeating: character, count: count)
            let answer = try server.client().request(
                "POST",
                "/predict",
                body: BadRequest.brief("{", "{\"note\":\"\(long)\",")
            )
            #expect(answer.status == (isTaken ? 200 : 400))
            let says = "The body is over a limit: a string longer than 4096 bytes at byte 9."
            #expect(answer.body.contains(says) == !isTaken, "\(answer.body)")
        }
    }

    @Test(arguments: [(31, 200), (32, 400)])
    func namesTheDepth(_ depth: Int, _ status: Int) throws {
        let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let server = try TestServer()
        let answer = try server.client().request(
            "POST",
            "/predict",
            body: BadRequest.brief("{", "{\"x\":\(nested),")
        )
        #expect(answer.status == status)
        let says = "The body is over a limit: nested deeper than 32 at byte 36."
        #expect(answer.body.contains(says) == (status == 400), "\(answer.body)")
    }
}
