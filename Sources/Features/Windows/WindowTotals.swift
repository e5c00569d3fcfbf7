// SPDX-License-Identifier: MIT

/// Exact sums of one gauge over a window, in steps of its range.
///
/// What is computed from them here, one gauge at a time, is what the kernels compute for many: the
/// reference, and where it is used the counts that those do not cover.
struct WindowTotals {
    /// Up to here the kernels' numbers fit their words.
    static let kernelCountMax: UInt64 = 1 << 20 - 1

    /// At most 256 panes of fewer than 2^24 readings.
    var count: UInt64
    var sum: UInt64
    /// The sum of squares: the lower 64 bits, and what is above.
    var squares: UInt64
    var above: UInt64
    var maximum: UInt32

    /// The count; signed numbers of 32 bits are cheaper to convert than unsigned ones of 64.
    private var readings: Double { Double(Int64(truncatingIfNeeded: count)) }

    func mean(_ cell: RecordLayout.Cell) -> Double {
        cell.lowerBound + roundedToDouble(high: 0, low: sum) / readings * cell.step
    }

    func maximum(_ cell: RecordLayout.Cell) -> Double {
        cell.lowerBound + Double(maximum) * cell.step
    }

    /// With n - 1, and 0 for a single reading.
    func standardDeviation(_ cell: RecordLayout.Cell) -> Double {
        guard count > 1 else { return 0 }
        let readings = readings
        return (spread / (readings * (readings - 1))).squareRoot() * cell.step
    }

    /// `n * sum(q^2) - sum(q)^2`, exact in 128 bits since n < 2^32, and rounded once.
    private var spread: Double {
        let low = count.multipliedFullWidth(by: squares)
        let squared = sum.multipliedFullWidth(by: sum)
        let difference = low.low.subtractingReportingOverflow(squared.low)
        let high = low.high &+ count &* above &- squared.high &- (difference.overflow ? 1 : 0)
        return roundedToDouble(high: high, low: difference.partialValue)
    }
}

/// The nearest Double of a 128-bit number (the standard library's conversion costs 100 ns).
func roundedToDouble(high: UInt64, low: UInt64) -> Double {
    if high == 0, low >> 63 == 0 { return Double(Int64(truncatingIfNeeded: low)) }
    let shift = high == 0 ? 0 : 64 - high.leadingZeroBitCount
    let upper = shift == 0 ? low : high << (64 - shift) | low >> shift
    let rest = shift == 0 ? 0 : low << (64 - shift)
    // 63 bits are a signed number; of what is below them only whether any is set matters.
    let kept = upper >> 1 | upper & 1 | (rest == 0 ? 0 : 1)
    let power = Double(bitPattern: UInt64(1023 + 1 + shift) << 52)
    return Double(Int64(truncatingIfNeeded: kept)) * power
}
