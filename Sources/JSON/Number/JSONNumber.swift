// SPDX-License-Identifier: MIT

/// Reading of decimal numbers: the nearest double, ties to even, without allocation.
package enum JSONNumber {
    /// The double nearest to the number that the range holds; nil where it holds no number.
    ///
    /// Beyond what JSON allows it takes a plus sign, leading zeros and a point without digits on
    /// one side, since tables of readings have them. A number that exceeds the range of a double
    /// gives an infinity, which no text spells here: so the caller tells overflow from bad syntax.
    package static func parse(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        guard let number = DecimalNumber(bytes, range) else { return nil }
        let magnitude = magnitude(of: number, bytes)
        return number.isNegative ? -magnitude : magnitude
    }

    /// The double nearest to the number that the bytes hold, as ``parse(_:_:)``.
    package static func parse(_ bytes: Span<UInt8>) -> Double? {
        parse(bytes, 0..<bytes.count)
    }

    /// The double nearest to `mantissa * 10^exponent`, for a reader of tables that counts its
    /// digits itself; nil in the rare case that the whole text is needed.
    package static func nearest(mantissa: UInt64, exponent: Int) -> Double? {
        EiselLemire.nearest(mantissa, exponent)
    }

    /// The integer that the range holds; nil where it holds anything but a sign and digits, or
    /// more than 64 bits take.
    package static func parseInteger(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var index = range.lowerBound
        guard index < range.upperBound else { return nil }
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard index < range.upperBound else { return nil }
        var value = 0
        while index < range.upperBound {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            // Counted downwards, since the least integer has no positive counterpart.
            let (sum, overflowToo) = product.subtractingReportingOverflow(Int(digit))
            guard !overflow, !overflowToo else { return nil }
            value = sum
            index += 1
        }
        if isNegative { return value }
        return value == Int.min ? nil : -value
    }

    private static func magnitude(of number: DecimalNumber, _ bytes: Span<UInt8>) -> Double {
        if let exact = exactOperation(number) { return exact }
        guard let nearest = EiselLemire.nearest(number.mantissa, number.exponent) else {
            let start = EiselLemire.estimate(number.mantissa, number.exponent)
            return DecimalComparison.nearest(to: number, bytes, from: start)
        }
        guard number.isTruncated else { return nearest }
        // The number lies between its first 19 digits and the next number of 19 digits.
        if EiselLemire.nearest(number.mantissa + 1, number.exponent) == nearest { return nearest }
        return DecimalComparison.nearest(to: number, bytes, from: nearest)
    }

    /// One rounding of two exact doubles (Clinger 1990): mantissa below 2^53, power up to 10^22.
    private static func exactOperation(_ number: DecimalNumber) -> Double? {
        guard !number.isTruncated, number.mantissa <= 1 << 53,
            number.exponent >= -22, number.exponent <= 22
        else { return nil }
        let mantissa = Double(number.mantissa)
        return number.exponent < 0
            ? mantissa / powersOfTen[-number.exponent] : mantissa * powersOfTen[number.exponent]
    }

    /// The powers that a double holds exactly.
    static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}
