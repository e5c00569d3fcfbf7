// SPDX-License-Identifier: MIT

extension JSONNumber {
    /// Reads the number that begins at `offset` and moves behind it.
    ///
    /// It takes what requests are made of: digits with a point or without, as RFC 8259 has them.
    /// The result is nil, and `offset` as it was, for anything else: a number with an exponent or
    /// with more than 19 digits, one in a million others, and all that is none. ``JSONReader`` and
    /// ``parse(_:_:)`` then say what it is.
    package static func scan(_ bytes: Span<UInt8>, at offset: inout Int) -> Double? {
        let count = bytes.count
        var index = offset
        guard index >= 0, index < count else { return nil }
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index &+= 1 }
        let first = index
        var mantissa: UInt64 = 0
        while index < count, case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 {
            mantissa = mantissa &* 10 &+ UInt64(digit)
            index &+= 1
        }
        var digitCount = index &- first
        guard digitCount == 1 || digitCount > 1 && bytes[first] != UInt8(ascii: "0") else {
            return nil
        }
        var exponent = 0
        if index < count, bytes[index] == UInt8(ascii: ".") {
            index &+= 1
            let point = index
            while index < count, case let digit = bytes[index] &- UInt8(ascii: "0"), digit < 10 {
                mantissa = mantissa &* 10 &+ UInt64(digit)
                index &+= 1
            }
            exponent = point &- index
            digitCount &-= exponent
            guard exponent < 0 else { return nil }
        }
        if index < count, bytes[index] | 0x20 == UInt8(ascii: "e") { return nil }
        guard digitCount <= DecimalNumber.digitCountMax,
            let magnitude = magnitude(mantissa, exponent)
        else { return nil }
        offset = index
        return isNegative ? -magnitude : magnitude
    }

    /// `mantissa * 10^exponent` for an exponent of 0 to -19.
    @inline(__always)
    private static func magnitude(_ mantissa: UInt64, _ exponent: Int) -> Double? {
        guard mantissa <= 1 << 53 else { return EiselLemire.nearest(mantissa, exponent) }
        // One rounding of two exact doubles, as in ``parse(_:_:)``.
        return Double(mantissa) / powersOfTen[-exponent]
    }
}
