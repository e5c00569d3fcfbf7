// SPDX-License-Identifier: MIT

/// One step of a JSON text; ranges lie in the span that was given to the reader.
package enum JSONToken: Equatable, Sendable {
    case objectBegin
    case objectEnd
    case arrayBegin
    case arrayEnd
    /// The name of a member; its value comes next.
    case key(JSONText)
    case string(JSONText)
    /// A number of valid syntax; ``JSONNumber/parse(_:_:)`` gives its value.
    case number(Range<Int>)
    case bool(Bool)
    case null
    /// The value is complete and only white space followed it.
    case end
}

/// The place of a string or key in a JSON text.
package struct JSONText: Equatable, Sendable {
    /// The bytes between the quotes.
    package let range: Range<Int>
    /// Whether any of these bytes belong to an escape.
    package let hasEscapes: Bool

    /// Whether the text, unescaped, equals `name` byte by byte.
    package func equals(_ name: [UInt8], in bytes: Span<UInt8>) -> Bool {
        if hasEscapes {
            var decoded: [UInt8] = []
            append(to: &decoded, from: bytes)
            return decoded == name
        }
        guard name.count == range.count else { return false }
        var index = range.lowerBound
        for byte in name {
            if bytes[index] != byte { return false }
            index += 1
        }
        return true
    }

    /// A number that is the same for all spellings of a text, and seldom for two texts; nobody can
    /// choose them for that, since it differs from process to process.
    package func fingerprint(in bytes: Span<UInt8>) -> Int {
        var hasher = Hasher()
        if hasEscapes {
            var decoded: [UInt8] = []
            append(to: &decoded, from: bytes)
            for byte in decoded { hasher.combine(byte) }
        } else {
            for index in range { hasher.combine(bytes[index]) }
        }
        return hasher.finalize()
    }

    /// Whether two texts of the same bytes are equal once unescaped.
    package func equals(_ other: JSONText, in bytes: Span<UInt8>) -> Bool {
        var decoded: [UInt8] = []
        other.append(to: &decoded, from: bytes)
        return equals(decoded, in: bytes)
    }

    /// The text with its escapes resolved.
    package func string(in bytes: Span<UInt8>) -> String {
        if !hasEscapes, let text = try? UTF8Span(validating: bytes.extracting(range)) {
            return String(copying: text)
        }
        var decoded: [UInt8] = []
        append(to: &decoded, from: bytes)
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Where the longest beginning of whole characters stands that has no more bytes of UTF-8 once
    /// its escapes are resolved.
    package func beginning(byteCountMax: Int, in bytes: Span<UInt8>) -> Range<Int> {
        guard range.count > byteCountMax else { return range }
        var end = range.lowerBound
        var left = byteCountMax
        while end < range.upperBound {
            var next = end
            let width: Int
            if bytes[end] == UInt8(ascii: "\\") {
                let escape = JSONEscape.scalar(after: end, in: bytes)
                (width, next) = (UTF8.width(escape.scalar), escape.end)
            } else {
                // The first byte of a sequence tells its length, which the reader has checked.
                width = bytes[end] < 0x80 ? 1 : bytes[end] < 0xE0 ? 2 : bytes[end] < 0xF0 ? 3 : 4
                next += width
            }
            if width > left { break }
            left -= width
            end = next
        }
        return range.lowerBound..<end
    }

    /// Appends the text with its escapes resolved, as UTF-8.
    package func append(to output: inout [UInt8], from bytes: Span<UInt8>) {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte != UInt8(ascii: "\\") {
                output.append(byte)
                index += 1
                continue
            }
            let escape = JSONEscape.scalar(after: index, in: bytes)
            output.append(
                contentsOf: UTF8.encode(escape.scalar) ?? UTF8.encodedReplacementCharacter
            )
            index = escape.end
        }
    }
}

/// Resolution of escapes that the reader has found valid.
enum JSONEscape {
    /// The scalar that the escape at `index` stands for, and where the escape ends.
    static func scalar(
        after index: Int,
        in bytes: Span<UInt8>
    ) -> (scalar: Unicode.Scalar, end: Int) {
        let letter = bytes[index + 1]
        guard letter == UInt8(ascii: "u") else {
            return (Unicode.Scalar(simple(letter) ?? letter), index + 2)
        }
        guard let high = codeUnit(at: index + 2, in: bytes) else { return ("\u{FFFD}", index + 6) }
        guard UTF16.isLeadSurrogate(high), let low = codeUnit(at: index + 8, in: bytes) else {
            return (Unicode.Scalar(high) ?? "\u{FFFD}", index + 6)
        }
        let value = 0x1_0000 + (UInt32(high & 0x3FF) << 10 | UInt32(low & 0x3FF))
        return (Unicode.Scalar(value) ?? "\u{FFFD}", index + 12)
    }

    /// The byte that a one-letter escape stands for; nil where RFC 8259 has no such escape.
    static func simple(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// Reads four hexadecimal digits; nil where there are none.
    static func codeUnit(at index: Int, in bytes: Span<UInt8>) -> UInt16? {
        guard index + 4 <= bytes.count else { return nil }
        var value: UInt16 = 0
        for place in index..<index + 4 {
            let byte = bytes[place]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
