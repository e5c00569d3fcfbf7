// SPDX-License-Identifier: MIT

/// Finds the end of a string and checks every byte on the way.
enum JSONStringScanner {
    /// Scans from the byte after the opening quote to the closing one.
    static func scan(
        _ bytes: Span<UInt8>,
        from start: Int,
        byteCountMax: Int
    ) throws(JSONError) -> JSONText {
        var index = start
        // Bytes that escapes take beyond those they stand for: each takes some.
        var excess = 0
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                guard index - start - excess <= byteCountMax else {
                    throw .stringTooLong(offset: start, limit: byteCountMax)
                }
                return JSONText(range: start..<index, hasEscapes: excess > 0)
            case UInt8(ascii: "\\"):
                let end = try skipEscape(bytes, at: index)
                let scalar = JSONEscape.scalar(after: index, in: bytes).scalar
                excess += end - index - UTF8.width(scalar)
                index = end
            case 0x20...0x7F: index += 1
            case ..<0x20: throw .controlCharacter(byte, offset: index)
            default: index += try sequenceLength(bytes, at: index)
            }
        }
        guard bytes.count - start - excess <= byteCountMax else {
            throw .stringTooLong(offset: start, limit: byteCountMax)
        }
        throw .unexpectedEnd(offset: bytes.count)
    }

    /// Where the escape at `index` ends, a surrogate pair being one escape.
    private static func skipEscape(
        _ bytes: Span<UInt8>,
        at index: Int
    ) throws(JSONError) -> Int {
        guard index + 1 < bytes.count else { throw .unexpectedEnd(offset: bytes.count) }
        if bytes[index + 1] != UInt8(ascii: "u") {
            guard JSONEscape.simple(bytes[index + 1]) != nil else {
                throw .invalidEscape(offset: index)
            }
            return index + 2
        }
        let unit = try codeUnit(bytes, ofEscapeAt: index)
        guard unit & 0xF800 == 0xD800 else { return index + 6 }
        guard UTF16.isLeadSurrogate(unit) else { throw .loneSurrogate(offset: index) }
        for place in index + 6...index + 7 {
            guard place < bytes.count else { throw .unexpectedEnd(offset: bytes.count) }
            let expected = UInt8(ascii: place == index + 6 ? "\\" : "u")
            guard bytes[place] == expected else { throw .loneSurrogate(offset: index) }
        }
        guard UTF16.isTrailSurrogate(try codeUnit(bytes, ofEscapeAt: index + 6)) else {
            throw .loneSurrogate(offset: index)
        }
        return index + 12
    }

    private static func codeUnit(
        _ bytes: Span<UInt8>,
        ofEscapeAt index: Int
    ) throws(JSONError) -> UInt16 {
        if let unit = JSONEscape.codeUnit(at: index + 2, in: bytes) { return unit }
        throw index + 6 > bytes.count
            ? .unexpectedEnd(offset: bytes.count) : .invalidEscape(offset: index)
    }

    /// The length of the well-formed sequence of two to four bytes that starts here.
    // The Unicode Standard, table 3-7: the second byte's range depends on the first.
    private static func sequenceLength(
        _ bytes: Span<UInt8>,
        at index: Int
    ) throws(JSONError) -> Int {
        let length: Int
        let second: ClosedRange<UInt8>
        switch bytes[index] {
        case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: throw .invalidUTF8(offset: index)
        }
        for place in 1..<length {
            guard index + place < bytes.count else { throw .unexpectedEnd(offset: bytes.count) }
            let allowed = place == 1 ? second : 0x80...0xBF
            guard allowed.contains(bytes[index + place]) else { throw .invalidUTF8(offset: index) }
        }
        return length
    }
}
