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

    /// Passes the next elements of the innermost array up to one that has something in it, which
    /// ``next(_:)`` gives then, or else the array's end with them.
    ///
    /// Those are numbers, strings, literals, and objects and arrays that are empty. They are
    /// checked as by ``next(_:)``, but in one loop: half a million of them fit into a megabyte.
    ///
    /// - Returns: How many were passed, and whether the array has ended.
    /// - Throws: ``JSONError`` with the offset; the reader must not be used after that.
    package mutating func skipLeaves(
        _ bytes: Span<UInt8>
    ) throws(JSONError) -> (count: Int, isEnd: Bool) {
        precondition(depth > 0 && !isInObject, "no array stands open")
        guard bytes.count <= limits.byteCountMax else {
            throw .tooManyBytes(offset: limits.byteCountMax, limit: limits.byteCountMax)
        }
        var count = 0
        var (end, last) = (offset, state)
        while true {
            end = Self.whitespaceEnd(bytes, from: end)
            var byte = try Self.byte(at: end, in: bytes)
            if byte == UInt8(ascii: "]"), last != .value {
                offset = end
                _ = close()
                return (count, true)
            }
            if last == .separator {
                guard byte == UInt8(ascii: ",") else {
                    throw .unexpectedByte(byte, offset: end, expected: .commaOrArrayEnd)
                }
                end = Self.whitespaceEnd(bytes, from: end + 1)
                byte = try Self.byte(at: end, in: bytes)
                last = .value
            }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                guard let closed = emptyEnd(bytes, at: end) else {
                    (offset, state) = (end, last)
                    return (count, false)
                }
                end = closed
            } else {
                let expected: JSONError.Expectation = last == .value ? .value : .valueOrArrayEnd
                end = try readScalar(bytes, at: end, expected: expected).end
            }
            last = .separator
            count += 1
        }
    }

    /// Where the object or array that begins there ends; nil where it is not empty or too deep.
    private func emptyEnd(_ bytes: Span<UInt8>, at start: Int) -> Int? {
        let end = Self.whitespaceEnd(bytes, from: start + 1)
        // In ASCII each closing bracket stands two behind the opening one.
        guard depth < limits.depthMax, end < bytes.count, bytes[end] == bytes[start] + 2 else {
            return nil
        }
        return end + 1
    }

    private func peek(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
        try Self.byte(at: offset, in: bytes)
    }

    private static func byte(
        at offset: Int,
        in bytes: Span<UInt8>
    ) throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw .unexpectedEnd(offset: bytes.count) }
        return bytes[offset]
    }

    private mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        offset = Self.whitespaceEnd(bytes, from: offset)
    }

    private static func whitespaceEnd(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            switch bytes[end] {
            case 0x20, 0x09, 0x0A, 0x0D: end += 1
            default: return end
            }
        }
        return end
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
        let text = try scanString(bytes, at: offset)
        offset = text.range.upperBound + 1
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
        switch try peek(bytes) {
        case UInt8(ascii: "{"): return try open(isObject: true)
        case UInt8(ascii: "["): return try open(isObject: false)
        default:
            let scalar = try readScalar(bytes, at: offset, expected: expected)
            offset = scalar.end
            state = depth == 0 ? .complete : .separator
            return scalar.token
        }
    }

    /// Reads the number, string or literal that begins there.
    @inline(always)
    private func readScalar(
        _ bytes: Span<UInt8>,
        at start: Int,
        expected: JSONError.Expectation
    ) throws(JSONError) -> (token: JSONToken, end: Int) {
        let byte = try Self.byte(at: start, in: bytes)
        switch byte {
        case UInt8(ascii: "\""):
            let text = try scanString(bytes, at: start)
            return (.string(text), text.range.upperBound + 1)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let end = try Self.numberEnd(bytes, from: start)
            return (.number(start..<end), end)
        case UInt8(ascii: "t"):
            return (.bool(true), try Self.literalEnd(0x6575_7274, bytes, from: start))
        case UInt8(ascii: "f"):
            return (.bool(false), try Self.literalEnd(0x65_736C_6166, bytes, from: start))
        case UInt8(ascii: "n") where !Self.isNonFinite(bytes, at: start):
            return (.null, try Self.literalEnd(0x6C6C_756E, bytes, from: start))
        default:
            if Self.isNonFinite(bytes, at: start) { throw .nonFiniteLiteral(offset: start) }
            throw .unexpectedByte(byte, offset: start, expected: expected)
        }
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

    /// Where a literal ends that begins there; its letters are the bytes of a number, the first one
    /// the lowest.
    private static func literalEnd(
        _ letters: UInt64,
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(JSONError) -> Int {
        var end = start
        var rest = letters
        while rest != 0 {
            let byte = try Self.byte(at: end, in: bytes)
            guard byte == UInt8(truncatingIfNeeded: rest) else {
                throw .unexpectedByte(byte, offset: end, expected: .value)
            }
            end += 1
            rest >>= 8
        }
        return end
    }

    /// Whether NaN, Infinity or a word like them stands here.
    private static func isNonFinite(_ bytes: Span<UInt8>, at start: Int) -> Bool {
        guard start + 3 <= bytes.count else { return false }
        let word = (bytes[start] | 0x20, bytes[start + 1] | 0x20, bytes[start + 2] | 0x20)
        return word == (UInt8(ascii: "n"), UInt8(ascii: "a"), UInt8(ascii: "n"))
            || word == (UInt8(ascii: "i"), UInt8(ascii: "n"), UInt8(ascii: "f"))
    }

    // RFC 8259 §6: [minus] int [frac] [exp].
    private static func numberEnd(
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(JSONError) -> Int {
        var first = start
        if bytes[start] == UInt8(ascii: "-") {
            first += 1
            if isNonFinite(bytes, at: first) { throw .nonFiniteLiteral(offset: start) }
        }
        var end = try digitsEnd(bytes, from: first)
        if bytes[first] == UInt8(ascii: "0"), end > first + 1 {
            throw .leadingZero(offset: first)
        }
        if end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            end = try digitsEnd(bytes, from: end + 1)
        }
        if end < bytes.count, bytes[end] | 0x20 == UInt8(ascii: "e") {
            end += 1
            let sign = try byte(at: end, in: bytes)
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { end += 1 }
            end = try digitsEnd(bytes, from: end)
        }
        return end
    }

    /// Where the digits end that begin there: one or more.
    private static func digitsEnd(
        _ bytes: Span<UInt8>,
        from start: Int
    ) throws(JSONError) -> Int {
        var end = start
        while end < bytes.count, bytes[end] &- UInt8(ascii: "0") < 10 { end += 1 }
        guard end == start else { return end }
        throw .unexpectedByte(try byte(at: end, in: bytes), offset: end, expected: .digit)
    }

    private func scanString(
        _ bytes: Span<UInt8>,
        at start: Int
    ) throws(JSONError) -> JSONText {
        try JSONStringScanner.scan(
            bytes,
            from: start + 1,
            byteCountMax: limits.stringByteCountMax
        )
    }
}
