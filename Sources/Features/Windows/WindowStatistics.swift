// SPDX-License-Identifier: MIT

/// The statistics of every window and gauge at one moment, gathered from a record's panes.
///
/// All sums are exact integers, so the result depends neither on the order of the readings nor on
/// the machine that computes it.
struct WindowStatistics {
    /// One gauge over one window; all 0 where `count` is 0.
    struct Entry {
        var count: UInt64 = 0
        var mean = 0.0
        var standardDeviation = 0.0
        var maximum = 0.0
    }

    /// The lengths of the windows in panes, ascending.
    let paneCounts: [Int]
    /// Entries by window, then gauge.
    private(set) var entries: [Entry]
    /// The share of each window's panes that hold a reading, 0 to 1.
    private(set) var fill: [Double]
    /// The first words of the panes that hold a reading, the newest first.
    private var livePanes: [Int]
    /// How many of them belong to each window.
    private var liveCounts: [Int]

    init(paneCounts: [Int], gaugeCount: Int) {
        self.paneCounts = paneCounts
        entries = Array(repeating: Entry(), count: paneCounts.count * gaugeCount)
        fill = Array(repeating: 0, count: paneCounts.count)
        livePanes = Array(repeating: 0, count: paneCounts.last ?? 0)
        liveCounts = Array(repeating: 0, count: paneCounts.count)
    }

    /// Gathers the windows that end with the pane of `timestamp`.
    mutating func gather(
        _ layout: RecordLayout,
        _ words: Span<UInt64>,
        at base: Int,
        timestamp: Int64
    ) {
        let newest = layout.paneIndex(of: timestamp)
        Self.findPanes(&livePanes, &liveCounts, paneCounts, layout, words, base, newest: newest)
        for window in fill.indices {
            fill[window] = Double(liveCounts[window]) / Double(paneCounts[window])
        }
        for gauge in layout.cells.indices {
            Self.add(&entries, gauge, layout.cells, words, livePanes, liveCounts)
        }
    }

    /// Adds up one gauge over the live panes and notes its entry wherever a window ends.
    private static func add(
        _ entries: inout [Entry],
        _ gauge: Int,
        _ cells: [RecordLayout.Cell],
        _ words: Span<UInt64>,
        _ panes: [Int],
        _ ends: [Int]
    ) {
        let cell = cells[gauge]
        var sums = PaneSums()
        var next = 0
        for window in ends.indices {
            sums.add(cell, words, panes.span, next..<ends[window])
            next = ends[window]
            entries[window * cells.count + gauge] = sums.entry(cell)
        }
    }

    /// Notes the first words of the panes that hold readings, and how many each window has.
    private static func findPanes(
        _ panes: inout [Int],
        _ counts: inout [Int],
        _ paneCounts: [Int],
        _ layout: RecordLayout,
        _ words: Span<UInt64>,
        _ base: Int,
        newest: Int64
    ) {
        var output = panes.mutableSpan
        let first = base + layout.panes
        var pane = first + layout.panePlace(newest) * layout.wordsPerPane
        var epoch = UInt64(bitPattern: newest)
        var live = 0
        var back = 0
        for window in paneCounts.indices {
            while back < paneCounts[window] {
                if words[pane] == epoch {
                    output[live] = pane
                    live += 1
                }
                pane = pane == first ? first + layout.lastPane : pane - layout.wordsPerPane
                epoch &-= 1
                back += 1
            }
            counts[window] = live
        }
    }
}

/// Exact sums of one gauge over panes, in steps of its range.
private struct PaneSums {
    /// Counts in the lower half, upper bits of the squares in the upper: at most 256 panes of
    /// fewer than 2^24 readings, so that neither leaves its half.
    private var counts: UInt64 = 0
    private var sum: UInt64 = 0
    private var squares: UInt64 = 0
    private var carries: UInt64 = 0
    private var maximum: UInt64 = 0

    private var count: UInt64 { counts & 0xFFFF_FFFF }

    mutating func add(
        _ cell: RecordLayout.Cell,
        _ words: Span<UInt64>,
        _ panes: Span<Int>,
        _ range: Range<Int>
    ) {
        for index in range {
            counts &+= words[panes[index] &+ cell.countOffset]
            sum &+= words[panes[index] &+ cell.sumOffset]
        }
        if let offset = cell.squaresOffset {
            for index in range {
                let added = squares.addingReportingOverflow(words[panes[index] &+ offset])
                squares = added.partialValue
                carries &+= added.overflow ? 1 : 0
            }
        }
        if let half = cell.maximumHalf {
            let shift = UInt64(half & 1) &* 32
            for index in range {
                let word = words[panes[index] &+ half >> 1]
                maximum = max(maximum, word >> shift & 0xFFFF_FFFF)
            }
        }
    }

    func entry(_ cell: RecordLayout.Cell) -> WindowStatistics.Entry {
        guard count > 0 else { return WindowStatistics.Entry() }
        let readings = Double(count)
        var entry = WindowStatistics.Entry(count: count)
        entry.mean = cell.lowerBound + Double(sum) / readings * cell.step
        entry.maximum = cell.lowerBound + Double(maximum) * cell.step
        if count > 1, cell.squaresOffset != nil {
            entry.standardDeviation =
                (spread / (readings * (readings - 1))).squareRoot() * cell.step
        }
        return entry
    }

    /// `n * sum(q^2) - sum(q)^2`, exact in 128 bits since n <= 2^32, and rounded once.
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
