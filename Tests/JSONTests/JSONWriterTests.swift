// SPDX-License-Identifier: MIT

internal import JSON
internal import Testing

struct JSONWriterTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func write(isPretty: Bool) -> String {
        var writer = JSONWriter(isPretty: isPretty)
        writer.beginObject()
        writer.key("id")
        writer.string("EQ\"001\"")
        writer.key("values")
        writer.beginArray()
        writer.integer(-3)
        writer.number(0.5)
        writer.number(Float(0.1))
        writer.bool(true)
        writer.null()
        writer.numberOrNull(.nan)
        writer.raw(Array("{\"x\":1}".utf8))
        writer.endArray()
        writer.key("empty")
        writer.beginObject()
        writer.endObject()
        writer.key("none")
        writer.beginArray()
        writer.endArray()
        writer.endObject()
        return text(writer.finish())
    }

    @Test func writesCompactText() {
        let expected =
            #"{"id":"EQ\"001\"","values":[-3,0.5,0.1,true,null,null,{"x":1}],"empty":{},"none":[]}"#
        #expect(write(isPretty: false) == expected)
    }

    @Test func indentsPrettyTextByTwo() {
        let expected = #"""
            {
              "id": "EQ\"001\"",
              "values": [
                -3,
                0.5,
                0.1,
                true,
                null,
                null,
                {"x":1}
              ],
              "empty": {},
              "none": []
            }
            """#
        #expect(write(isPretty: true) == expected)
    }

    @Test func escapesWhatMustBeEscapedAndNothingElse() throws {
        let all = String(String.UnicodeScalarView((0..<0x100).compactMap(Unicode.Scalar.init)))
        var writer = JSONWriter()
        writer.string(all)
        let bytes = writer.finish()
        #expect(try JSONValue.parse(bytes) == .string(all))
        #expect(text(bytes).contains(#"\u0000\u0001"#))
        #expect(text(bytes).contains(##"\b\t\n\u000b\f\r\u000e"##))
        #expect(text(bytes).contains(##"\u001f !\"#$"##))
        #expect(text(bytes).contains(##"[\\]"##))
        #expect(text(bytes).contains("./0"))
        #expect(text(bytes).contains("\u{7F}\u{80}"))
    }

    @Test func writesBytesAsStringsLikeText() {
        let words = ["", "plain", "a\"b\\c\n", "é€😀"]
        for word in words {
            var fromText = JSONWriter()
            fromText.string(word)
            var fromBytes = JSONWriter()
            fromBytes.string(utf8: Array(word.utf8).span)
            #expect(fromText.finish() == fromBytes.finish())
        }
    }

    @Test(arguments: [false, true]) func writesPreparedKeysLikeNames(_ isPretty: Bool) {
        let names = ["", "plain", "a\"b\\c\n\u{1}", "é"]
        var byName = JSONWriter(isPretty: isPretty)
        var prepared = JSONWriter(isPretty: isPretty)
        byName.beginObject()
        prepared.beginObject()
        for name in names {
            byName.key(name)
            byName.null()
            prepared.key(JSONKey(name))
            prepared.null()
        }
        byName.endObject()
        prepared.endObject()
        #expect(byName.finish() == prepared.finish())
    }

    @Test func appendsBehindWhatTheBufferHolds() {
        var writer = JSONWriter(appendingTo: Array("x=".utf8))
        writer.integer(1)
        #expect(text(writer.finish()) == "x=1")
    }
}
