// SPDX-License-Identifier: MIT

/// A strict RFC 8259 pull reader: each call of ``next(_:)`` gives one token and allocates nothing.
///
/// The reader keeps a position only; the caller passes the same bytes to every call. Duplicate
/// keys are the caller's to refuse, who knows which keys count; ``JSONValue`` refuses them all.
///
///     var reader = JSONReader()
///     while case let token = try reader.next(bytes), token != .end { ... }
package struct JSONReader: Sendable {
    private enum State {
        case value
        case valueOrArrayEnd
        case keyOrObjectEnd
        case separator
        case complete
    }

    /// Where the next token is looked for.
    package private(set) var offset = 0
    /// How many objects and arrays are open.
    package private(set) var depth = 0
    private var state = State.value
    /// One bit per open container, the innermost lowest: set for an object.
    private var objectBits: UInt64 = 0
    private let limits: JSONLimits

    /// Makes a reader that stands before the first byte.
    package init(limits: JSONLimits = JSONLimits()) {
        self.limits = limits
    }

    /// Reads the next token; ``JSONToken/end`` after the last one, as often as asked.
    ///
    /// - Throws: ``JSONError`` with the offset; the reader must not be used after that.
    package mutating func next(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        guard bytes.count <= limits.byteCountMax else {
            throw .tooManyBytes(offset: limits.byteCountMax, limit: limits.byteCountMax)
        }
        skipWhitespace(bytes)
        switch state {
        case .value: return try readValue(bytes, expected: .value)
        case .valueOrArrayEnd:
            if try peek(bytes) == UInt8(ascii: "]") { return close() }
            return try readValue(bytes, expected: .valueOrArrayEnd)
        case .keyOrObjectEnd:
            if try peek(bytes) == UInt8(ascii: "}") { return close() }
            return try readKey(bytes, expected: .keyOrObjectEnd)
        case .separator: return try readAfterValue(bytes)
        case .complete:
            guard offset == bytes.count else { throw .trailingBytes(offset: offset) }
            return .end
        }
    }

    /// Moves to the next element of the innermost array, which the caller may read himself and then
    /// says so by ``didReadValue(upTo:)``; nil at the array's end, which is passed.
    ///
    /// - Throws: ``JSONError`` where neither an element nor the end comes next.
    package mutating func nextElement(_ bytes: Span<UInt8>) throws(JSONError) -> Int? {
        precondition(depth > 0 && !isInObject && state != .value, "no array stands open")
        skipWhitespace(bytes)
        if try peek(bytes) == UInt8(ascii: "]") {
            _ = close()
            return nil
        }
        guard state == .separator else { return offset }
        guard bytes[offset] == UInt8(ascii: ",") else {
            throw .unexpectedByte(bytes[offset], offset: offset, expected: .commaOrArrayEnd)
        }
        offset += 1
        skipWhitespace(bytes)
        state = .value
        return offset
    }

    /// Takes note that the caller has read the value that comes next, and where it ends.
    package mutating func didReadValue(upTo end: Int) {
        precondition(end > offset && (state == .value || state == .valueOrArrayEnd))
        offset = end
        state = depth == 0 ? .complete : .separator
    }

    private func peek(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw .unexpectedEnd(offset: bytes.count) }
        return bytes[offset]
    }

    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }

    private var isInObject: Bool { objectBits & 1 == 1 }

    private mutating func readAfterValue(_ bytes: Span<UInt8>) throws(JSONError) -> JSONToken {
        let byte = try peek(bytes)
        if byte == UInt8(ascii: isInObject ? "}" : "]") { return close() }
        guard byte == UInt8(ascii: ",") else {
            let expected: JSONError.Expectation = isInObject ? .commaOrObjectEnd : .commaOrArrayEnd
            throw .unexpectedByte(byte, offset: offset, expected: expected)
        }
        offset += 1
        skipWhitespace(bytes)
        return isInObject
            ? try readKey(bytes, expected: .key) : try readValue(bytes, expected: .value)
    }

    private mutating func readKey(
        _ bytes: Span<UInt8>,
        expected: JSONError.Expectation
    ) throws(JSONError) -> JSONToken {
        let byte = try peek(bytes)
        guard byte == UInt8(ascii: "\"") else {
            throw .unexpectedByte(byte, offset: offset, expected: expected)
        }
        let text = try scanString(bytes)
        skipWhitespace(bytes)
        let colon = try peek(bytes)
        guard colon == UInt8(ascii: ":") else {
            throw .unexpectedByte(colon, offset: offset, expected: .colon)
        }
        offset += 1
        state = .value
        return .key(text)
    }

    private mutating func readValue(
        _ bytes: Span<UInt8>,
        expected: JSONError.Expectation
    ) throws(JSONError) -> JSONToken {
        let byte = try peek(bytes)
        let token: JSONToken
        switch byte {
        case UInt8(ascii: "\""): token = .string(try scanString(bytes))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            token = .number(try scanNumber(bytes))
        case UInt8(ascii: "{"): return try open(isObject: true)
        case UInt8(ascii: "["): return try open(isObject: false)
        case UInt8(ascii: "t"): token = try scanLiteral("true", .bool(true), bytes)
        case UInt8(ascii: "f"): token = try scanLiteral("false", .bool(false), bytes)
        case UInt8(ascii: "n") where !isNonFinite(bytes, at: offset):
            token = try scanLiteral("null", .null, bytes)
        default:
            if isNonFinite(bytes, at: offset) { throw .nonFiniteLiteral(offset: offset) }
            throw .unexpectedByte(byte, offset: offset, expected: expected)
        }
        state = depth == 0 ? .complete : .separator
        return token
    }

    private mutating func open(isObject: Bool) throws(JSONError) -> JSONToken {
        guard depth < limits.depthMax else {
            throw .tooDeep(offset: offset, limit: limits.depthMax)
        }
        depth += 1
        offset += 1
        objectBits = objectBits << 1 | (isObject ? 1 : 0)
        state = isObject ? .keyOrObjectEnd : .valueOrArrayEnd
        return isObject ? .objectBegin : .arrayBegin
    }

    private mutating func close() -> JSONToken {
        let token: JSONToken = isInObject ? .objectEnd : .arrayEnd
        depth -= 1
        offset += 1
        objectBits >>= 1
        state = depth == 0 ? .complete : .separator
        return token
    }

    private mutating func scanLiteral(
        _ literal: String,
        _ token: JSONToken,
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> JSONToken {
        for expected in literal.utf8 {
            let byte = try peek(bytes)
            guard byte == expected else {
                throw .unexpectedByte(byte, offset: offset, expected: .value)
            }
            offset += 1
        }
        return token
    }

    /// Whether NaN, Infinity or a word like them stands here.
    private func isNonFinite(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        guard start + 3 <= bytes.count else { return false }
        let word = (bytes[start] | 0x20, bytes[start + 1] | 0x20, bytes[start + 2] | 0x20)
        return word == (UInt8(ascii: "n"), UInt8(ascii: "a"), UInt8(ascii: "n"))
            || word == (UInt8(ascii: "i"), UInt8(ascii: "n"), UInt8(ascii: "f"))
    }

    // RFC 8259 §6: [minus] int [frac] [exp].
    private mutating func scanNumber(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
        let start = offset
        if bytes[offset] == UInt8(ascii: "-") {
            offset += 1
            if isNonFinite(bytes, at: offset) { throw .nonFiniteLiteral(offset: start) }
        }
        let first = offset
        try scanDigits(bytes)
        if bytes[first] == UInt8(ascii: "0"), offset > first + 1 {
            throw .leadingZero(offset: first)
        }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            try scanDigits(bytes)
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            let sign = try peek(bytes)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { offset += 1 }
            try scanDigits(bytes)
        }
        return start..<offset
    }

    /// Takes one digit or more.
    private mutating func scanDigits(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = offset
        while offset < bytes.count, bytes[offset] &- UInt8(ascii: "0") < 10 { offset += 1 }
        guard offset == start else { return }
        throw .unexpectedByte(try peek(bytes), offset: offset, expected: .digit)
    }

    private mutating func scanString(_ bytes: Span<UInt8>) throws(JSONError) -> JSONText {
        let text = try JSONStringScanner.scan(
            bytes,
            from: offset + 1,
            byteCountMax: limits.stringByteCountMax
        )
        offset = text.range.upperBound + 1
        return text
    }
}
