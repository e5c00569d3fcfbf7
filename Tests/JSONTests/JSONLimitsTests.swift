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

    @Test(arguments: [#""abcd""#, #"{"abcd":1}"#, #""\n\n""#])
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
}
