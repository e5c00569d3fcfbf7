// SPDX-License-Identifier: MIT

internal import JSON

/// The quick way to a number for the reader's inner loop: the field's end and value in one pass.
///
/// Whatever it leaves goes to the module JSON, which reads every number.
enum ShortDecimal {
    /// A number and the position of the first byte after it.
    struct Result {
        let value: Double
        let end: Int
    }

    /// The powers of ten from 0 to 22, all exact in Double.
    static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// Where another digit might not fit 64 bits any more.
    private static let mantissaMax: UInt64 = 1_000_000_000_000_000_000

    /// Reads `-?digits(.digits)?` of at most 19 digits without leading zeros, correctly rounded.
    ///
    /// - Returns: Nil for anything else; what follows the digits is the caller's to judge.
    @inline(__always)
    static func scan(_ bytes: Span<UInt8>, from start: Int, powers: [Double]) -> Result? {
        var position = start
        let isNegative = position < bytes.count && bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let digitsStart = position
        var mantissa: UInt64 = 0
        while position < bytes.count {
            let digit = bytes[position] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            guard mantissa < mantissaMax else { return nil }
            mantissa = mantissa &* 10 &+ UInt64(digit)
            position &+= 1
        }
        guard position > digitsStart else { return nil }
        var scale = 0
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position &+= 1
            let fractionStart = position
            while position < bytes.count {
                let digit = bytes[position] &- UInt8(ascii: "0")
                guard digit < 10 else { break }
                guard mantissa < mantissaMax else { return nil }
                mantissa = mantissa &* 10 &+ UInt64(digit)
                position &+= 1
            }
            scale = position &- fractionStart
            guard scale > 0 else { return nil }
        }
        // Up to 2^53 and 10^22 both are exact doubles, so that one division rounds correctly.
        if mantissa <= 1 << 53, scale <= 22 {
            let magnitude = Double(mantissa) / powers[scale]
            return Result(value: isNegative ? -magnitude : magnitude, end: position)
        }
        guard let magnitude = JSONNumber.nearest(mantissa: mantissa, exponent: -scale) else {
            return nil
        }
        return Result(value: isNegative ? -magnitude : magnitude, end: position)
    }
}
