// SPDX-License-Identifier: MIT

/// A decimal number as written: `mantissa * 10^exponent`, the mantissa being its first 19 digits.
struct DecimalNumber {
    /// The most significant digits that always fit 64 bits.
    static let digitCountMax = 19

    private(set) var isNegative = false
    private(set) var mantissa: UInt64 = 0
    private(set) var exponent = 0
    /// Whether digits other than 0 follow those of the mantissa.
    private(set) var isTruncated = false
    /// Where the digits stand, point included, sign and exponent not.
    private(set) var digits = 0..<0
    /// How many digits the mantissa took, leading zeros not counted.
    private(set) var digitCount = 0

    /// Reads `[+-] digits [. digits] [e [+-] digits]` with at least one digit before the exponent;
    /// nil where the range holds anything else.
    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var index = range.lowerBound
        let end = range.upperBound
        if index < end, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
            isNegative = bytes[index] == UInt8(ascii: "-")
            index += 1
        }
        let start = index
        index = takeDigits(bytes, index..<end, areFraction: false)
        var count = index - start
        if index < end, bytes[index] == UInt8(ascii: ".") {
            let fraction = index + 1
            index = takeDigits(bytes, fraction..<end, areFraction: true)
            count += index - fraction
        }
        guard count > 0 else { return nil }
        digits = start..<index
        if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
            guard let scale = Self.readExponent(bytes, index + 1..<end) else { return nil }
            exponent += scale
            index = end
        }
        guard index == end else { return nil }
    }

    /// Takes digits into the mantissa and says where they end.
    private mutating func takeDigits(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        areFraction: Bool
    ) -> Int {
        var index = range.lowerBound
        while index < range.upperBound {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            index += 1
            if digitCount < Self.digitCountMax {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                if mantissa != 0 { digitCount += 1 }
                if areFraction { exponent -= 1 }
            } else {
                if digit != 0 { isTruncated = true }
                if !areFraction { exponent += 1 }
            }
        }
        return index
    }

    private static func readExponent(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        guard index < range.upperBound else { return nil }
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative || bytes[index] == UInt8(ascii: "+") { index += 1 }
        guard index < range.upperBound else { return nil }
        var value = 0
        while index < range.upperBound {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            // Far beyond what any number of digits in memory can bring back into range.
            if value < 1_000_000_000_000_000 { value = value * 10 + Int(digit) }
            index += 1
        }
        return isNegative ? -value : value
    }
}
