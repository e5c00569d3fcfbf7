// SPDX-License-Identifier: MIT

/// The double nearest to `mantissa * 10^exponent` by one or two 64-bit multiplications.
///
/// D. Lemire, "Number Parsing at a Gigabyte per Second", Software: Practice and Experience 51
/// (2021), algorithm 1; M. Eisel's idea.
enum EiselLemire {
    /// The nearest double; nil in the rare case that 128 bits of the power do not settle it.
    static func nearest(_ mantissa: UInt64, _ exponent: Int) -> Double? {
        if mantissa == 0 || exponent < PowerOfFive.exponentMin { return 0 }
        if exponent > 308 { return .infinity }
        let shift = mantissa.leadingZeroBitCount
        let product = product(mantissa << UInt64(shift), exponent)
        // Where the power is exact (5^55 < 2^128) or its inverse was rounded up (5^27 < 2^64),
        // all ones below cannot hide a carry.
        if product.low == .max, exponent < -27 || exponent > 55 { return nil }
        return round(product, exponent, shift)
    }

    /// A double near the number, for a comparison to start from.
    static func estimate(_ mantissa: UInt64, _ exponent: Int) -> Double {
        if mantissa == 0 || exponent < PowerOfFive.exponentMin { return 0 }
        if exponent > 308 { return .infinity }
        let shift = mantissa.leadingZeroBitCount
        return round(product(mantissa << UInt64(shift), exponent), exponent, shift)
    }

    private static func product(_ mantissa: UInt64, _ q: Int) -> (high: UInt64, low: UInt64) {
        var power = PowerOfFive.leadingBits(q)
        if q < 0, q >= -27 {
            power.low &+= 1
            if power.low == 0 { power.high += 1 }
        }
        var (high, low) = mantissa.multipliedFullWidth(by: power.high)
        // 53 bits and two for rounding are at the top; nine below them all set may still change.
        if high & 0x1FF == 0x1FF {
            let correction = mantissa.multipliedFullWidth(by: power.low).high
            let (sum, overflow) = low.addingReportingOverflow(correction)
            low = sum
            if overflow { high += 1 }
        }
        return (high, low)
    }

    private static func round(
        _ product: (high: UInt64, low: UInt64),
        _ exponent: Int,
        _ shift: Int
    ) -> Double {
        let upperBit = Int(product.high >> 63)
        let drop = UInt64(upperBit + 9)
        var mantissa = product.high >> drop
        // floor(log2(10^exponent)) = (217706 * exponent) >> 16 in this range.
        var biased = (217_706 * exponent) >> 16 + 63 + upperBit - shift + 1023
        if biased <= 0 {
            guard biased > -63 else { return 0 }
            mantissa >>= UInt64(1 - biased)
            mantissa = (mantissa + (mantissa & 1)) >> 1
            return Double(bitPattern: mantissa)  // the carry into bit 52 is the exponent 1
        }
        // Exactly half-way between two doubles is possible only where 5^exponent or its inverse
        // divides 64 bits; then an even mantissa must stay.
        if product.low <= 1, exponent >= -4, exponent <= 23, mantissa & 3 == 1,
            mantissa << drop == product.high
        {
            mantissa &= ~1
        }
        mantissa = (mantissa + (mantissa & 1)) >> 1
        if mantissa >= 1 << 53 {
            mantissa = 1 << 52
            biased += 1
        }
        guard biased < 0x7FF else { return .infinity }
        return Double(bitPattern: UInt64(biased) << 52 | (mantissa & (1 << 52 - 1)))
    }
}
