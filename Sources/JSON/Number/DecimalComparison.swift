// SPDX-License-Identifier: MIT

/// Settles the nearest double exactly, with integers as long as it takes.
///
/// Reached by one number in millions: those of 20 and more digits next to the middle between two
/// doubles.
enum DecimalComparison {
    /// No middle between two doubles has more significant digits than 767; what follows the 768th
    /// digit counts as a 1 behind it.
    private static let digitCountMax = 768

    /// The double nearest to the number, ties to even; `start` lies near it.
    static func nearest(
        to number: DecimalNumber,
        _ bytes: Span<UInt8>,
        from start: Double
    ) -> Double {
        let (decimal, exponent) = readAllDigits(number, bytes)
        var bits = start.bitPattern
        while bits < Double.infinity.bitPattern {
            let order = compare(decimal, exponent, toMiddleAbove: bits)
            guard order > 0 || (order == 0 && bits & 1 == 1) else { break }
            bits += 1
        }
        while bits > 0 {
            let order = compare(decimal, exponent, toMiddleAbove: bits - 1)
            guard order < 0 || (order == 0 && bits & 1 == 1) else { break }
            bits -= 1
        }
        return Double(bitPattern: bits)
    }

    /// Compares `decimal * 10^exponent` with the middle between a double and the next one.
    private static func compare(
        _ decimal: BigUnsigned,
        _ exponent: Int,
        toMiddleAbove bits: UInt64
    ) -> Int {
        let biased = Int(bits >> 52)
        let fraction = bits & (1 << 52 - 1)
        let mantissa = biased == 0 ? fraction : fraction | 1 << 52
        let middleExponent = max(biased, 1) - 1075 - 1
        var left = decimal
        var right = BigUnsigned(2 * mantissa + 1)
        if exponent >= 0 {
            left.multiply(byPowerOfFive: exponent)
        } else {
            right.multiply(byPowerOfFive: -exponent)
        }
        let shift = exponent - middleExponent
        if shift >= 0 { left.shiftLeft(by: shift) } else { right.shiftLeft(by: -shift) }
        return left.compare(to: right)
    }

    private static func readAllDigits(
        _ number: DecimalNumber,
        _ bytes: Span<UInt8>
    ) -> (decimal: BigUnsigned, exponent: Int) {
        var decimal = BigUnsigned(0)
        var digitCount = 0
        var dropsNonZero = false
        for index in number.digits {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { continue }  // the point
            if digitCount == 0, digit == 0 { continue }
            if digitCount < digitCountMax {
                decimal.multiply(by: 10, adding: UInt64(digit))
                digitCount += 1
            } else if digit != 0 {
                dropsNonZero = true
            }
        }
        // The number's exponent is that of its first 19 digits; here some more may have been taken.
        var exponent = number.exponent - (digitCount - number.digitCount)
        if dropsNonZero {
            decimal.multiply(by: 10, adding: 1)
            exponent -= 1
        }
        return (decimal, exponent)
    }
}
