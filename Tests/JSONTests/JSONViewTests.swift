// SPDX-License-Identifier: MIT

internal import JSON
internal import Testing

struct JSONViewTests {
    private let view = JSONView([
        "name": "temperature", "warn": 80.5, "stuck": 12, "optional": true, "none": nil,
        "tags": ["a", "b"], "weights": [1, 2.5], "shape": [3, 4],
        "sensors": [["name": "x"], ["name": 7]],
        "a/b~c": ["": [1, "two"]],
    ])

    private func failure<Value>(
        _ body: () throws(JSONShapeError) -> Value
    ) -> JSONShapeError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func readsEveryKind() throws {
        #expect(try view.required("name").string == "temperature")
        #expect(try view.required("warn").double == 80.5)
        #expect(try view.required("stuck").int == 12)
        #expect(try view.required("stuck").double == 12)
        #expect(try view.required("optional").bool)
        #expect(try view.required("tags").strings == ["a", "b"])
        #expect(try view.required("weights").doubles == [1, 2.5])
        #expect(try view.required("shape").ints == [3, 4])
        #expect(try view.required("sensors").array.count == 2)
        #expect(try view.members.map(\.name).prefix(2) == ["name", "warn"])
    }

    @Test func takesAbsentAndNullAsNoOption() throws {
        #expect(try view.optional("warn")?.double == 80.5)
        #expect(try view.optional("missing")?.double == nil)
        #expect(try view.optional("none")?.double == nil)
    }

    @Test func namesTheMissingMember() {
        let error = failure { () throws(JSONShapeError) in try view.required("missing") }
        #expect(error == JSONShapeError(pointer: "/missing", expected: "a value", found: "nothing"))
        #expect(error?.description == "/missing: expected a value, found nothing")
    }

    @Test func namesTheWholeDocument() {
        let error = failure { () throws(JSONShapeError) in try JSONView([1]).required("a") }
        #expect(error?.description == "the document: expected an object, found an array")
    }

    @Test func pointsIntoArraysAndEscapesNames() {
        let name = failure { () throws(JSONShapeError) in
            try view.required("sensors").array[1].required("name").string
        }
        #expect(
            name == JSONShapeError(pointer: "/sensors/1/name", expected: "a string", found: "7")
        )
        let escaped = failure { () throws(JSONShapeError) in
            try view.required("a/b~c").required("").doubles
        }
        #expect(escaped?.pointer == "/a~1b~0c//1")
        #expect(escaped?.found == "\"two\"")
    }

    @Test(
        arguments: [
            (2.5, nil), (9_007_199_254_740_992, 1 << 53), (-9_007_199_254_740_992, -1 << 53),
            (9_007_199_254_740_994, nil), (1e300, nil), (-0.0, 0),
        ] as [(Double, Int?)]
    )
    func takesIntegersThatNoDoubleRounds(_ value: Double, _ expected: Int?) {
        let view = JSONView(.number(value))
        #expect((try? view.int) == expected)
    }

    @Test(arguments: [
        ("null", "null"), ("true", "true"), ("1.5", "1.5"), ("\"x\"", "\"x\""), ("[1]", "an array"),
        ("{}", "an object"),
    ])
    func saysWhatItFound(_ text: String, _ found: String) throws {
        let view = JSONView(try JSONValue.parse(Array(text.utf8)))
        #expect(view.refuse("x").found == found)
    }

    @Test func doesNotRepeatLongStrings() {
        #expect(
            JSONView(.string(String(repeating: "x", count: 41))).refuse("y").found == "a string"
        )
    }
}
