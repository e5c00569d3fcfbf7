// SPDX-License-Identifier: MIT

internal import JSON
internal import Testing

struct JSONLimitsTests {
    private func nested(_ depth: Int) -> [UInt8] {
        Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }

    @Test(arguments: [1, 2, 32, 64])
    func takesTheDepthLimitAndRefusesOneMore(_ depth: Int) throws {
        let limits = JSONLimits(depthMax: depth)
        #expect(throws: Never.self) { try JSONValue.parse(nested(depth), limits: limits) }
        #expect(throws: JSONError.tooDeep(offset: depth, limit: depth)) {
            try JSONValue.parse(nested(depth + 1), limits: limits)
        }
    }

    @Test func nestsThirtyTwoDeepByDefault() throws {
        #expect(throws: Never.self) { try JSONValue.parse(nested(32)) }
        #expect(throws: JSONError.tooDeep(offset: 32, limit: 32)) {
            try JSONValue.parse(nested(33))
        }
    }

    @Test func countsOpenContainersOnly() throws {
        let text = Array("[[],[],{\"a\":[]}]".utf8)
        #expect(throws: Never.self) {
            try JSONValue.parse(text, limits: JSONLimits(depthMax: 3))
        }
        #expect(throws: JSONError.tooDeep(offset: 12, limit: 2)) {
            try JSONValue.parse(text, limits: JSONLimits(depthMax: 2))
        }
    }

    @Test func takesTheByteLimitAndRefusesOneMore() throws {
        let text = Array("[12345]".utf8)
        #expect(throws: Never.self) {
            try JSONValue.parse(text, limits: JSONLimits(byteCountMax: 7))
        }
        #expect(throws: JSONError.tooManyBytes(offset: 6, limit: 6)) {
            try JSONValue.parse(text, limits: JSONLimits(byteCountMax: 6))
        }
    }

    @Test(arguments: [
        #""abcd""#, #"{"abcd":1}"#, #""\n\"\\\/""#, #""\u00fc\u00FC""#, #""\u20aca""#,
        #""\u0041bcd""#, #""\ud83d\ude00""#, #"{"\u00fc\n\t":1}"#, #""üü""#,
    ])
    func takesTheStringLimitAndRefusesOneMore(_ text: String) throws {
        let bytes = Array(text.utf8)
        let start = text.hasPrefix("{") ? 2 : 1
        #expect(throws: Never.self) {
            try JSONValue.parse(bytes, limits: JSONLimits(stringByteCountMax: 4))
        }
        #expect(throws: JSONError.stringTooLong(offset: start, limit: 3)) {
            try JSONValue.parse(bytes, limits: JSONLimits(stringByteCountMax: 3))
        }
    }

    @Test func countsAStringWithoutEndToo() throws {
        for (text, count) in [(#""abcd"#, 4), (#""\u0041\u0041"#, 2)] {
            let bytes = Array(text.utf8)
            #expect(throws: JSONError.unexpectedEnd(offset: bytes.count)) {
                try JSONValue.parse(bytes, limits: JSONLimits(stringByteCountMax: count))
            }
            #expect(throws: JSONError.stringTooLong(offset: 1, limit: count - 1)) {
                try JSONValue.parse(bytes, limits: JSONLimits(stringByteCountMax: count - 1))
            }
        }
    }

    /// Beginnings of every length against those of the characters.
    @Test(arguments: ["", "abc", "aü€😀b", #"\u0061\u00fc\u20ac\ud83d\ude00b"#, #"\"\\\/\nü\t"#])
    func findsTheBeginningOfAText(_ text: String) throws {
        let bytes = Array("\"\(text)\"".utf8)
        var reader = JSONReader()
        guard case .string(let found) = try reader.next(bytes.span) else { return }
        let whole = found.string(in: bytes.span)
        for limit in 0...whole.utf8.count + 1 {
            var expected = ""
            for scalar in whole.unicodeScalars {
                guard expected.utf8.count + UTF8.width(scalar) <= limit else { break }
                expected.unicodeScalars.append(scalar)
            }
            let range = found.beginning(byteCountMax: limit, in: bytes.span)
            let part = Array("\"".utf8) + bytes[range] + Array("\"".utf8)
            #expect(try JSONValue.parse(part) == .string(expected), "\(limit)")
        }
    }
}
