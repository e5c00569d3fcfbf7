// SPDX-License-Identifier: MIT

internal import JSON
internal import Testing

struct JSONReaderTests {
    /// The tokens of a text, with its strings and numbers as written.
    static func tokens(_ text: [UInt8]) throws(JSONError) -> [String] {
        var reader = JSONReader()
        var result: [String] = []
        while true {
            let token = try reader.next(text.span)
            switch token {
            case .objectBegin: result.append("{")
            case .objectEnd: result.append("}")
            case .arrayBegin: result.append("[")
            case .arrayEnd: result.append("]")
            case .key(let key): result.append("key \(key.string(in: text.span))")
            case .string(let value): result.append("string \(value.string(in: text.span))")
            case .number(let range):
                result.append("number \(String(decoding: text[range], as: UTF8.self))")
            case .bool(let value): result.append("\(value)")
            case .null: result.append("null")
            case .end: return result
            }
        }
    }

    @Test(arguments: [
        ("null", ["null"]),
        (" \t\r\n true \n", ["true"]),
        ("false", ["false"]),
        ("\"\"", ["string "]),
        ("{}", ["{", "}"]),
        ("[ ]", ["[", "]"]),
        (
            "[1,-0,0.5,1E+9,2e-3]",
            ["[", "number 1", "number -0", "number 0.5", "number 1E+9", "number 2e-3", "]"]
        ),
        ("[[],{},[{}]]", ["[", "[", "]", "{", "}", "[", "{", "}", "]", "]"]),
        (
            #"{"a":1,"b":[true,null]}"#,
            ["{", "key a", "number 1", "key b", "[", "true", "null", "]", "}"]
        ),
        (#"{ "a" : { "" : "x" } }"#, ["{", "key a", "{", "key ", "string x", "}", "}"]),
        (#""\"\\\/\b\f\n\r\t""#, ["string \"\\/\u{8}\u{C}\n\r\t"]),
        (#""\u0041\u00e9\u20AC\uD83D\uDE00\u0000""#, ["string Aé€😀\0"]),
        ("\"é€😀\u{7F}\u{FFFF}\"", ["string é€😀\u{7F}\u{FFFF}"]),
        (
            #"[1e400,123456789012345678901234567890]"#,
            ["[", "number 1e400", "number 123456789012345678901234567890", "]"]
        ),
    ])
    func readsValidTexts(_ text: String, _ expected: [String]) throws {
        #expect(try Self.tokens(Array(text.utf8)) == expected)
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd(offset: 0)),
            ("  ", .unexpectedEnd(offset: 2)),
            ("{", .unexpectedEnd(offset: 1)),
            ("[1,", .unexpectedEnd(offset: 3)),
            ("tru", .unexpectedEnd(offset: 3)),
            ("-", .unexpectedEnd(offset: 1)),
            ("1.", .unexpectedEnd(offset: 2)),
            ("1e", .unexpectedEnd(offset: 2)),
            ("1e+", .unexpectedEnd(offset: 3)),
            ("\"a", .unexpectedEnd(offset: 2)),
            (#""\"#, .unexpectedEnd(offset: 2)),
            (#""\u12"#, .unexpectedEnd(offset: 5)),
            (#""\uD83D"#, .unexpectedEnd(offset: 7)),
            ("x", .unexpectedByte(UInt8(ascii: "x"), offset: 0, expected: .value)),
            ("'a'", .unexpectedByte(UInt8(ascii: "'"), offset: 0, expected: .value)),
            ("+1", .unexpectedByte(UInt8(ascii: "+"), offset: 0, expected: .value)),
            (".5", .unexpectedByte(UInt8(ascii: "."), offset: 0, expected: .value)),
            ("-.5", .unexpectedByte(UInt8(ascii: "."), offset: 1, expected: .digit)),
            ("1.e5", .unexpectedByte(UInt8(ascii: "e"), offset: 2, expected: .digit)),
            ("[1,]", .unexpectedByte(UInt8(ascii: "]"), offset: 3, expected: .value)),
            ("[,1]", .unexpectedByte(UInt8(ascii: ","), offset: 1, expected: .valueOrArrayEnd)),
            ("[1 2]", .unexpectedByte(UInt8(ascii: "2"), offset: 3, expected: .commaOrArrayEnd)),
            ("[1}", .unexpectedByte(UInt8(ascii: "}"), offset: 2, expected: .commaOrArrayEnd)),
            ("[0x1]", .unexpectedByte(UInt8(ascii: "x"), offset: 2, expected: .commaOrArrayEnd)),
            ("{1:2}", .unexpectedByte(UInt8(ascii: "1"), offset: 1, expected: .keyOrObjectEnd)),
            (#"{"a":1,}"#, .unexpectedByte(UInt8(ascii: "}"), offset: 7, expected: .key)),
            (#"{"a" 1}"#, .unexpectedByte(UInt8(ascii: "1"), offset: 5, expected: .colon)),
            (#"{"a":}"#, .unexpectedByte(UInt8(ascii: "}"), offset: 5, expected: .value)),
            (
                #"{"a":1]"#,
                .unexpectedByte(UInt8(ascii: "]"), offset: 6, expected: .commaOrObjectEnd)
            ),
            ("trux", .unexpectedByte(UInt8(ascii: "x"), offset: 3, expected: .value)),
            ("True", .unexpectedByte(UInt8(ascii: "T"), offset: 0, expected: .value)),
            ("[1] x", .trailingBytes(offset: 4)),
            ("1 2", .trailingBytes(offset: 2)),
            ("nullx", .trailingBytes(offset: 4)),
            ("{}}", .trailingBytes(offset: 2)),
            ("[NaN]", .nonFiniteLiteral(offset: 1)),
            ("nan", .nonFiniteLiteral(offset: 0)),
            ("[ Infinity]", .nonFiniteLiteral(offset: 2)),
            ("-Infinity", .nonFiniteLiteral(offset: 0)),
            ("-NaN", .nonFiniteLiteral(offset: 0)),
            ("01", .leadingZero(offset: 0)),
            ("[-00.5]", .leadingZero(offset: 2)),
            ("\"a\nb\"", .controlCharacter(10, offset: 2)),
            ("\"\u{0}\"", .controlCharacter(0, offset: 1)),
            ("\"\u{1F}\"", .controlCharacter(0x1F, offset: 1)),
            (#""a\x41""#, .invalidEscape(offset: 2)),
            (#""\u00g0""#, .invalidEscape(offset: 1)),
            (#""\U0041""#, .invalidEscape(offset: 1)),
            (#""\uDC00""#, .loneSurrogate(offset: 1)),
            (#""\uD800x\u0041""#, .loneSurrogate(offset: 1)),
            (#""\uD800\n12345""#, .loneSurrogate(offset: 1)),
            (#""\uD800\uD800""#, .loneSurrogate(offset: 1)),
            ("// x", .unexpectedByte(UInt8(ascii: "/"), offset: 0, expected: .value)),
        ] as [(String, JSONError)]
    )
    func refusesInvalidTextsWithTheOffset(_ text: String, _ error: JSONError) {
        #expect(throws: error) { try Self.tokens(Array(text.utf8)) }
        #expect(!error.isWellFormed)
        #expect(error.description.hasSuffix(" at byte \(error.offset)"))
    }

    // The Unicode Standard, table 3-7, both sides of every range.
    @Test(
        arguments: [
            ([0xC2, 0x80], true), ([0xDF, 0xBF], true), ([0xC1, 0xBF], false),
            ([0xC2, 0x7F], false),
            ([0xC2, 0xC0], false), ([0xE0, 0xA0, 0x80], true), ([0xE0, 0x9F, 0x80], false),
            ([0xED, 0x9F, 0xBF], true), ([0xED, 0xA0, 0x80], false), ([0xEF, 0xBF, 0xBF], true),
            ([0xE1, 0x80, 0x7F], false), ([0xF0, 0x90, 0x80, 0x80], true),
            ([0xF0, 0x8F, 0x80, 0x80], false), ([0xF4, 0x8F, 0xBF, 0xBF], true),
            ([0xF4, 0x90, 0x80, 0x80], false), ([0xF5, 0x80, 0x80, 0x80], false),
            ([0xF1, 0x80, 0x80, 0xC0], false), ([0x80], false), ([0xFF], false), ([0xFE], false),
        ] as [([UInt8], Bool)]
    )
    func checksUTF8(_ sequence: [UInt8], _ isValid: Bool) throws {
        let quote = [UInt8(ascii: "\"")]
        let text = quote + [UInt8(ascii: "a")] + sequence + quote
        if isValid {
            let expected = "string a\(String(decoding: sequence, as: UTF8.self))"
            #expect(try Self.tokens(text) == [expected])
        } else {
            #expect(throws: JSONError.invalidUTF8(offset: 2)) { try Self.tokens(text) }
        }
    }

    @Test func refusesAByteOrderMark() {
        let text: [UInt8] = [0xEF, 0xBB, 0xBF, 0x31]
        #expect(throws: JSONError.unexpectedByte(0xEF, offset: 0, expected: .value)) {
            try Self.tokens(text)
        }
    }

    @Test func givesTheEndAsOftenAsAsked() throws {
        let text = Array("7 ".utf8)
        var reader = JSONReader()
        #expect(try reader.next(text.span) == .number(0..<1))
        #expect(try reader.next(text.span) == .end)
        #expect(try reader.next(text.span) == .end)
    }

    @Test func comparesKeysWithEscapesResolved() throws {
        let text = Array(#""t\u0065mp""#.utf8)
        var reader = JSONReader()
        guard case .string(let key) = try reader.next(text.span) else {
            Issue.record("no string")
            return
        }
        #expect(key.hasEscapes)
        for (name, expected) in [("temp", true), ("tamp", false), ("tem", false)] {
            let isEqual = key.equals(Array(name.utf8), in: text.span)
            #expect(isEqual == expected)
        }
    }
}
