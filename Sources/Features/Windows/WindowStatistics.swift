// SPDX-License-Identifier: MIT

/// The sums of every window and gauge at one moment, gathered from a record's panes.
///
/// They are exact integers, so the result depends neither on the order of the readings nor on the
/// machine that computes it.
struct WindowStatistics {
    /// Statistics of a gauge over a window.
    static let statisticsPerEntry = 3

    /// The lengths of the windows in panes, ascending.
    let paneCounts: [Int]
    /// The share of each window's panes that hold a reading, 0 to 1.
    private(set) var fill: [Double]
    /// Sums by window, then gauge.
    private(set) var totals: [WindowTotals]
    /// Where the panes that hold a reading start in the record, the newest first.
    private var livePanes: [UInt32]
    /// How many of them belong to each window.
    private var liveCounts: [Int]

    init(paneCounts: [Int], gaugeCount: Int) {
        self.paneCounts = paneCounts
        fill = Array(repeating: 0, count: paneCounts.count)
        totals = Array(repeating: WindowTotals(), count: paneCounts.count * gaugeCount)
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
        let record = words.extracting(base..<base + layout.wordCount)
        let newest = layout.paneIndex(of: timestamp)
        Self.findPanes(&livePanes, &liveCounts, paneCounts, layout, record, newest: newest)
        for window in fill.indices {
            fill[window] = Double(liveCounts[window]) / Double(paneCounts[window])
        }
        PaneScan(layout).run(record, livePanes, liveCounts, &totals)
    }

    /// Takes one gauge's sums in all windows from another moment or machine.
    mutating func take(gauge: Int, from other: WindowStatistics) {
        let gaugeCount = paneCounts.isEmpty ? 0 : totals.count / paneCounts.count
        for window in paneCounts.indices {
            let place = window * gaugeCount + gauge
            totals[place] = other.totals[place]
        }
    }

    /// Writes mean, standard deviation and maximum of every window and gauge from `start` on.
    ///
    /// An empty window takes the sensor's cleaned value, which stands at the sensor's place, and
    /// the deviation 0.
    func finish(_ cells: [RecordLayout.Cell], _ values: inout MutableSpan<Double>, from start: Int)
    {
        var place = start
        var index = 0
        for _ in paneCounts.indices {
            for gauge in cells.indices {
                let cell = cells[gauge]
                let sums = totals[index]
                if sums.count == 0 {
                    values[place] = values[cell.sensor]
                    values[place + 1] = 0
                    values[place + 2] = values[cell.sensor]
                } else {
                    values[place] = sums.mean(cell)
                    values[place + 1] = sums.standardDeviation(cell)
                    values[place + 2] = sums.maximum(cell)
                }
                index += 1
                place += Self.statisticsPerEntry
            }
        }
    }

    /// Notes where the panes that hold readings start, and how many each window has.
    private static func findPanes(
        _ panes: inout [UInt32],
        _ counts: inout [Int],
        _ paneCounts: [Int],
        _ layout: RecordLayout,
        _ record: Span<UInt64>,
        newest: Int64
    ) {
        var output = panes.mutableSpan
        let first = layout.panes
        var pane = first + layout.panePlace(newest) * layout.wordsPerPane
        var epoch = UInt64(bitPattern: newest)
        var live = 0
        var back = 0
        for window in paneCounts.indices {
            while back < paneCounts[window] {
                if record[pane] == epoch {
                    output[live] = UInt32(truncatingIfNeeded: pane)
                    live &+= 1
                }
                pane = pane == first ? first &+ layout.lastPane : pane &- layout.wordsPerPane
                epoch &-= 1
                back &+= 1
            }
            counts[window] = live
        }
    }
}
