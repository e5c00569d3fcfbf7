// SPDX-License-Identifier: MIT

/// The shortest decimal that reads back as a given float, the nearest to it among those:
/// `digits * 10^exponent` without trailing zeros.
///
/// R. Giulietti, "The Schubfach way to render doubles" (2020), with a 128-bit power for both
/// widths.
struct ShortestDecimal: Equatable {
    let digits: UInt64
    let exponent: Int

    /// The shortest decimal of a finite double that is not negative.
    init(_ value: Double) {
        self.init(
            fraction: value.significandBitPattern,
            biased: Int(value.exponentBitPattern),
            fractionBitCount: 52,
            bias: 1075
        )
    }

    /// The shortest decimal of a finite float that is not negative.
    init(_ value: Float) {
        self.init(
            fraction: UInt64(value.significandBitPattern),
            biased: Int(value.exponentBitPattern),
            fractionBitCount: 23,
            bias: 150
        )
    }

    private init(fraction: UInt64, biased: Int, fractionBitCount: Int, bias: Int) {
        // The value is c * 2^q.
        let c = biased == 0 ? fraction : fraction | 1 << UInt64(fractionBitCount)
        let q = max(biased, 1) - bias
        if c == 0 {
            self.init(trimming: 0, 0)
            return
        }
        if q <= 0, -q <= fractionBitCount, c.trailingZeroBitCount >= -q {
            self.init(trimming: c >> UInt64(-q), 0)
            return
        }
        // Below a power of two the next float is half as far away.
        let isLowerCloser = fraction == 0 && biased > 1
        // floor(log10(2^q)), or of 3/4 of it: 1262611 / 2^22 = log10(2).
        let k = (q * 1_262_611 - (isLowerCloser ? 524_031 : 0)) >> 22
        // floor(log2(10^-k)): 1741647 / 2^19 = log2(10).
        let h = UInt64(q + (-k * 1_741_647) >> 19 + 1)
        let power = Self.powerRoundedUp(-k)
        let accepts: UInt64 = c & 1  // 0 where the borders of the interval round to this value
        let lower = Self.roundToOdd(power, (4 * c - (isLowerCloser ? 1 : 2)) << h) + accepts
        let middle = Self.roundToOdd(power, (4 * c) << h)
        let upper = Self.roundToOdd(power, (4 * c + 2) << h) - accepts
        let s = middle / 4
        if s >= 10 {
            let tens = s / 10
            let isBelowInside = lower <= 40 * tens
            let isAboveInside = 40 * tens + 40 <= upper
            if isBelowInside != isAboveInside {
                self.init(trimming: tens + (isAboveInside ? 1 : 0), k + 1)
                return
            }
        }
        let isBelowInside = lower <= 4 * s
        let isAboveInside = 4 * s + 4 <= upper
        if isBelowInside != isAboveInside {
            self.init(trimming: s + (isAboveInside ? 1 : 0), k)
            return
        }
        let half = 4 * s + 2
        let roundsUp = middle > half || (middle == half && s & 1 == 1)
        self.init(trimming: s + (roundsUp ? 1 : 0), k)
    }

    private init(trimming digits: UInt64, _ exponent: Int) {
        var digits = digits
        var exponent = exponent
        while digits != 0 {
            let (quotient, remainder) = digits.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            digits = quotient
            exponent += 1
        }
        self.digits = digits
        self.exponent = exponent
    }

    /// 128 bits of 10^k, rounded up where they are not exact (5^55 is the last below 2^128).
    private static func powerRoundedUp(_ k: Int) -> (high: UInt64, low: UInt64) {
        let power = PowerOfFive.leadingBits(k)
        if k >= 0, k <= 55 { return power }
        let (low, overflow) = power.low.addingReportingOverflow(1)
        return (power.high + (overflow ? 1 : 0), low)
    }

    /// The high 64 of the 192 bits of the product, the last bit set where any below is.
    private static func roundToOdd(_ power: (high: UInt64, low: UInt64), _ c: UInt64) -> UInt64 {
        let below = power.low.multipliedFullWidth(by: c).high
        let (high, low) = power.high.multipliedFullWidth(by: c)
        let (sum, overflow) = low.addingReportingOverflow(below)
        return (high + (overflow ? 1 : 0)) | (sum > 1 ? 1 : 0)
    }
}
