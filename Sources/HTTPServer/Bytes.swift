// SPDX-License-Identifier: MIT

internal import Platform

// Byte classes and comparisons of RFC 9110 §5.6.2 and RFC 3986 that the whole module shares.

/// The lower-case form of an ASCII letter; any other byte as it is.
@inline(__always)
func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
}

/// Whether a byte may stand in a token (RFC 9110 §5.6.2).
@inline(__always)
func isTokenByte(_ byte: UInt8) -> Bool {
    // Two 64-bit sets, one bit a byte: a shift and a mask instead of a chain of comparisons.
    let low: UInt64 = 0x03FF_6CFA_0000_0000
    let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    guard byte < 128 else { return false }
    return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
}

/// The high bits of those of eight bytes that are below the blank or DEL.
///
/// The lowest such byte always shows; a borrow may let one above it show wrongly, too.
@inline(__always)
func controlBytes(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let fromDelete = word ^ ones &* 0x7F
    let isBelowBlank = (word &- ones &* 0x20) & ~word
    let isDelete = (fromDelete &- ones) & ~fromDelete
    return (isBelowBlank | isDelete) & (ones &* 0x80)
}

/// Whether a byte is below the blank or DEL.
func hasControlByte(_ bytes: Span<UInt8>) -> Bool {
    var index = 0
    while index + 8 <= bytes.count {
        if controlBytes(bytes.word(at: index)) != 0 { return true }
        index += 8
    }
    while index < bytes.count {
        if bytes[index] < 0x20 || bytes[index] == 0x7F { return true }
        index += 1
    }
    return false
}

/// How many of eight bytes, from the lowest up, are letters or hyphens.
@inline(__always)
func leadingNameBytes(_ word: UInt64) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    // With the high bit out of the way no addition carries into the next byte.
    let low = word & (ones &* 0x7F)
    let letter = low | ones &* 0x20
    let isLetter = (letter &+ ones &* (0x80 - 0x61)) & ~(letter &+ ones &* (0x80 - 0x7B))
    let isHyphen = ~((low ^ ones &* 0x2D) &+ ones &* 0x7F)
    let others = ~((isLetter | isHyphen) & ~word) & (ones &* 0x80)
    return others.trailingZeroBitCount / 8
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10
}

/// The value of a hexadecimal digit, or nil.
@inline(__always)
func hexValue(_ byte: UInt8) -> Int? {
    if isDigit(byte) { return Int(byte &- UInt8(ascii: "0")) }
    let letter = lowercased(byte) &- UInt8(ascii: "a")
    return letter < 6 ? Int(letter) + 10 : nil
}

@inline(__always)
func isWhitespace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09
}

/// Whether the bytes of a range equal a lower-case word, in any case of theirs.
@inline(__always)
func matches(_ word: [UInt8], _ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    guard word.count == range.count else { return false }
    return matchesEqualCount(word, range, in: bytes)
}

private func matchesEqualCount(
    _ word: [UInt8],
    _ range: Range<Int>,
    in bytes: Span<UInt8>
) -> Bool {
    let word = word.span
    let bytes = bytes.extracting(range)
    var index = 0
    while index + 8 <= word.count {
        let (a, b) = (bytes.word(at: index), word.word(at: index))
        // Nearly all are equal as they are, or but for the case of letters.
        if a != b, lowercased(a) != b { return false }
        index += 8
    }
    if index > 0, index < word.count {
        // The last eight once more, instead of one by one.
        let last = word.count - 8
        return lowercased(bytes.word(at: last)) == word.word(at: last)
    }
    while index < word.count {
        guard lowercased(bytes[index]) == word[index] else { return false }
        index += 1
    }
    return true
}

/// Eight bytes with the letters of ASCII in lower case.
@inline(__always)
private func lowercased(_ word: UInt64) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let low = word & (ones &* 0x7F)
    let isUpper = (low &+ ones &* (0x80 - 0x41)) & ~(low &+ ones &* (0x80 - 0x5B)) & ~word
    return word | (isUpper & (ones &* 0x80)) >> 2
}

/// Whether the bytes of a range equal a word exactly.
@inline(__always)
func equals(_ word: [UInt8], _ range: Range<Int>, in bytes: Span<UInt8>) -> Bool {
    guard word.count == range.count else { return false }
    for index in word.indices where bytes[range.lowerBound + index] != word[index] {
        return false
    }
    return true
}

extension OutputSpan where Element == UInt8 {
    /// Appends a number of at least zero in decimal, up to 20 digits.
    mutating func append(decimal value: Int) {
        if value < 1000 {
            let number = UInt16(truncatingIfNeeded: value)
            let (hundreds, rest) = number.quotientAndRemainder(dividingBy: 100)
            let (tens, ones) = rest.quotientAndRemainder(dividingBy: 10)
            if hundreds > 0 { append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: hundreds)) }
            if number >= 10 { append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: tens)) }
            return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: ones))
        }
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var start = 20
        var rest = UInt64(value)
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest != 0
        for index in start..<20 { append(digits[index]) }
    }
}

extension [UInt8] {
    /// Appends a number of at least zero in decimal.
    mutating func append(decimal value: Int) {
        append(addingCapacity: 20) { $0.append(decimal: value) }
    }

    /// Appends the bytes of a text.
    mutating func append(text: String) {
        append(contentsOf: text.utf8)
    }
}
