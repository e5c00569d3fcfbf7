// SPDX-License-Identifier: MIT

/// Exact sums of one gauge over a window, in steps of its range.
struct WindowTotals {
    /// The count in the lower half, upper bits of the squares in the upper: at most 256 panes of
    /// fewer than 2^24 readings, so that neither leaves its half.
    var counts: UInt64 = 0
    var sum: UInt64 = 0
    /// The lower 64 bits of the sum of squares, and how often adding left them.
    var squares: UInt64 = 0
    var carries: UInt64 = 0
    var maximum: UInt32 = 0

    var count: UInt64 { counts & 0xFFFF_FFFF }

    func mean(_ cell: RecordLayout.Cell) -> Double {
        cell.lowerBound + Double(sum) / Double(count) * cell.step
    }

    func maximum(_ cell: RecordLayout.Cell) -> Double {
        cell.lowerBound + Double(maximum) * cell.step
    }

    /// With n - 1, and 0 for a single reading.
    func standardDeviation(_ cell: RecordLayout.Cell) -> Double {
        guard count > 1 else { return 0 }
        let readings = Double(count)
        return (spread / (readings * (readings - 1))).squareRoot() * cell.step
    }

    /// `n * sum(q^2) - sum(q)^2`, exact in 128 bits since n < 2^32, and rounded once.
    private var spread: Double {
        let low = count.multipliedFullWidth(by: squares)
        let squared = sum.multipliedFullWidth(by: sum)
        let difference = low.low.subtractingReportingOverflow(squared.low)
        let upper = counts >> 32 &+ carries
        let high = low.high &+ count &* upper &- squared.high &- (difference.overflow ? 1 : 0)
        return roundedToDouble(high: high, low: difference.partialValue)
    }
}

/// The nearest Double of a 128-bit number (the standard library's conversion costs 100 ns).
func roundedToDouble(high: UInt64, low: UInt64) -> Double {
    if high == 0 { return Double(low) }
    let shift = high.leadingZeroBitCount
    // Above 64 significant bits only whether any is set matters to the rounding.
    let upper = high << shift | low >> (64 - shift)
    let isInexact = low << shift != 0
    return Double(upper | (isInexact ? 1 : 0)) * Double(UInt64(1) << (63 - shift)) * 2
}
