// SPDX-License-Identifier: MIT

/// The sums of every window and gauge at one moment, gathered from a record's panes.
///
/// They are exact integers, so the result depends neither on the order of the readings nor on the
/// machine that computes it. An entry is a window and gauge, numbered by window, then gauge.
struct WindowStatistics {
    /// The lengths of the windows in panes, ascending.
    let paneCounts: [Int]
    /// The same for the kernels.
    let lengths: KernelTable<Int>
    /// The number of gauges.
    let gaugeCount: Int
    /// Places for entries: their number and three more, as the kernels need it.
    let stride: Int
    /// The share of each window's panes that hold a reading, 0 to 1.
    var fill: [Double]
    /// Sums, counts, squares and what is above 64 bits of them, [4][stride].
    var sums: [UInt64]
    /// Maxima by entry.
    var maxima: [UInt32]
    /// Where the panes that hold a reading start behind the first, the newest first.
    var livePanes: [UInt32]
    /// How many of them belong to each window.
    var liveCounts: [Int]

    init(paneCounts: [Int], gaugeCount: Int) {
        self.paneCounts = paneCounts
        lengths = KernelTable(paneCounts)
        self.gaugeCount = gaugeCount
        stride = Self.stride(entries: paneCounts.count * gaugeCount)
        fill = Array(repeating: 0, count: paneCounts.count)
        sums = Array(repeating: 0, count: 4 * stride)
        maxima = Array(repeating: 0, count: stride)
        livePanes = Array(repeating: 0, count: paneCounts.last ?? 0)
        liveCounts = Array(repeating: 0, count: paneCounts.count)
    }

    /// Places for so many entries: a multiple of four, and three to spare.
    static func stride(entries: Int) -> Int { (entries + 3 + 3) / 4 * 4 }

    /// Gathers the windows that end with a pane.
    mutating func gather(
        _ layout: RecordLayout,
        _ words: Span<UInt64>,
        at base: Int,
        _ newest: PanePosition,
        _ kernels: FeatureKernels
    ) {
        let record = words.extracting(base..<base + layout.wordCount)
        kernels.gather(layout, record, newest, into: &self)
        for window in fill.indices {
            fill[window] = Double(liveCounts[window]) / Double(paneCounts[window])
        }
    }

    /// Takes one gauge's sums in all windows from another moment or machine.
    mutating func take(gauge: Int, from other: WindowStatistics) {
        for window in paneCounts.indices {
            let entry = window * gaugeCount + gauge
            for place in Swift.stride(from: entry, to: sums.count, by: stride) {
                sums[place] = other.sums[place]
            }
            maxima[entry] = other.maxima[entry]
        }
    }

    /// Takes all sums of the same windows over.
    mutating func take(_ other: borrowing WindowStatistics) {
        for window in fill.indices { fill[window] = other.fill[window] }
        for place in sums.indices { sums[place] = other.sums[place] }
        for place in maxima.indices { maxima[place] = other.maxima[place] }
    }

    /// The sums of a gauge over a window.
    func totals(window: Int, gauge: Int) -> WindowTotals {
        let entry = window * gaugeCount + gauge
        return WindowTotals(
            count: sums[stride + entry],
            sum: sums[entry],
            squares: sums[2 * stride + entry],
            above: sums[3 * stride + entry],
            maximum: maxima[entry]
        )
    }

    /// Writes means, standard deviations and maxima, [3][stride], from `start` on.
    ///
    /// An empty window takes the sensor's cleaned value, which stands at the sensor's place, and
    /// the deviation 0.
    mutating func finish(
        _ cells: WindowCells,
        _ values: inout [Double],
        from start: Int,
        _ kernels: FeatureKernels
    ) {
        guard gaugeCount > 0, !paneCounts.isEmpty else { return }
        kernels.finish(&self, cells, &values, from: start)
        let counts = sums.span.extracting(stride..<2 * stride)
        let longest = (paneCounts.count - 1) * gaugeCount
        for gauge in 0..<gaugeCount
        where counts[gauge] < 2 || counts[longest + gauge] > WindowTotals.kernelCountMax {
            finishPlainly(gauge, cells.cells[gauge], &values, from: start)
        }
    }

    /// One gauge's windows with any count.
    private func finishPlainly(
        _ gauge: Int,
        _ cell: RecordLayout.Cell,
        _ values: inout [Double],
        from start: Int
    ) {
        for window in paneCounts.indices {
            let totals = totals(window: window, gauge: gauge)
            let place = start + window * gaugeCount + gauge
            let isEmpty = totals.count == 0
            values[place] = isEmpty ? values[cell.sensor] : totals.mean(cell)
            values[place + stride] = totals.standardDeviation(cell)
            values[place + 2 * stride] = isEmpty ? values[cell.sensor] : totals.maximum(cell)
        }
    }
}

/// How the gauges' values are cut into steps, also by entry as the kernels take it.
struct WindowCells: Sendable {
    /// By gauge.
    let cells: [RecordLayout.Cell]
    /// Lower bounds, then steps, [2][stride].
    let byEntry: KernelTable<Double>

    init(_ cells: [RecordLayout.Cell], windows: Int) {
        self.cells = cells
        let stride = WindowStatistics.stride(entries: windows * cells.count)
        let entries = (0..<windows).flatMap { _ in cells }
        let spare = Array(repeating: 1.0, count: stride - entries.count)
        byEntry = KernelTable(
            entries.map(\.lowerBound) + spare + entries.map(\.step) + spare
        )
    }
}
