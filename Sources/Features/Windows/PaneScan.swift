// SPDX-License-Identifier: MIT

/// The walk over a record's live panes that adds up every window.
///
/// Windows are nested: the sums of the shortest are where the next one starts. Gauges are taken in
/// blocks whose sums stay in registers, one walk for each quantity. Places are kept in 32 bits: the
/// compiler then knows that adding two of them cannot overflow, and checks each pane once.
struct PaneScan {
    private let gaugeCount: Int
    private let sums: UInt32
    private let counts: UInt32
    private let squares: UInt32?
    private let keepsMaxima: Bool

    init(_ layout: RecordLayout) {
        gaugeCount = layout.cells.count
        sums = UInt32(truncatingIfNeeded: layout.sums)
        counts = UInt32(truncatingIfNeeded: layout.sums + gaugeCount)
        squares = layout.keepsSquares ? counts + UInt32(truncatingIfNeeded: gaugeCount) : nil
        keepsMaxima = layout.keepsMaxima
    }

    /// Adds up all windows; `liveCounts` says how many of the panes each has.
    func run(
        _ record: Span<UInt64>,
        _ livePanes: [UInt32],
        _ liveCounts: [Int],
        _ output: inout [WindowTotals]
    ) {
        let (panes, ends) = (livePanes.span, liveCounts.span)
        var totals = output.mutableSpan
        var first = 0
        while first < gaugeCount {
            // Blocks start at multiples of four: see `takeMaxima`.
            let left = gaugeCount - first
            switch left {
            case 1: block([0], first, record, panes, ends, &totals)
            case 2: block([0, 0], first, record, panes, ends, &totals)
            case 3: block([0, 0, 0], first, record, panes, ends, &totals)
            case 5: block([0, 0, 0, 0, 0], first, record, panes, ends, &totals)
            default: block([0, 0, 0, 0], first, record, panes, ends, &totals)
            }
            first += left == 5 ? 5 : 4
        }
    }

    private func block<let N: Int>(
        _ zero: InlineArray<N, UInt64>,
        _ first: Int,
        _ record: Span<UInt64>,
        _ panes: Span<UInt32>,
        _ ends: Span<Int>,
        _ totals: inout MutableSpan<WindowTotals>
    ) {
        add(zero, first, record, panes, ends, &totals)
        addSquares(zero, first, record, panes, ends, &totals)
        if keepsMaxima { takeMaxima(zero, first, record, panes, ends, &totals) }
    }

    private func add<let N: Int>(
        _ zero: InlineArray<N, UInt64>,
        _ first: Int,
        _ record: Span<UInt64>,
        _ panes: Span<UInt32>,
        _ ends: Span<Int>,
        _ totals: inout MutableSpan<WindowTotals>
    ) {
        var (sum, count) = (zero, zero)
        let sumsOffset = Int(sums &+ UInt32(truncatingIfNeeded: first))
        let countsOffset = Int(counts &+ UInt32(truncatingIfNeeded: first))
        var next = 0
        for window in ends.indices {
            let part = panes.extracting(next..<ends[window])
            next = ends[window]
            for index in part.indices {
                let pane = Int(part[index])
                let ours = record.extracting(pane + sumsOffset..<pane + sumsOffset + N)
                let theirs = record.extracting(pane + countsOffset..<pane + countsOffset + N)
                for gauge in 0..<N {
                    sum[gauge] &+= ours[gauge]
                    count[gauge] &+= theirs[gauge]
                }
            }
            let start = window * gaugeCount + first
            for gauge in 0..<N {
                totals[start + gauge].sum = sum[gauge]
                totals[start + gauge].counts = count[gauge]
            }
        }
    }

    private func addSquares<let N: Int>(
        _ zero: InlineArray<N, UInt64>,
        _ first: Int,
        _ record: Span<UInt64>,
        _ panes: Span<UInt32>,
        _ ends: Span<Int>,
        _ totals: inout MutableSpan<WindowTotals>
    ) {
        guard let squares else { return }
        var (low, carries) = (zero, zero)
        let offset = Int(squares &+ UInt32(truncatingIfNeeded: first))
        var next = 0
        for window in ends.indices {
            let part = panes.extracting(next..<ends[window])
            next = ends[window]
            for index in part.indices {
                let start = Int(part[index]) + offset
                let ours = record.extracting(start..<start + N)
                for gauge in 0..<N {
                    let added = low[gauge].addingReportingOverflow(ours[gauge])
                    low[gauge] = added.partialValue
                    carries[gauge] &+= added.overflow ? 1 : 0
                }
            }
            let start = window * gaugeCount + first
            for gauge in 0..<N {
                totals[start + gauge].squares = low[gauge]
                totals[start + gauge].carries = carries[gauge]
            }
        }
    }

    /// The first gauge of a block has an even number, so its maximum is an upper half.
    private func takeMaxima<let N: Int>(
        _ zero: InlineArray<N, UInt64>,
        _ first: Int,
        _ record: Span<UInt64>,
        _ panes: Span<UInt32>,
        _ ends: Span<Int>,
        _ totals: inout MutableSpan<WindowTotals>
    ) {
        var maxima = InlineArray<N, UInt32>(repeating: 0)
        let offset = Int(UInt32(truncatingIfNeeded: (RecordLayout.maximaHalf &+ first) / 2))
        var next = 0
        for window in ends.indices {
            let part = panes.extracting(next..<ends[window])
            next = ends[window]
            for index in part.indices {
                let start = Int(part[index]) + offset
                let ours = record.extracting(start..<start + N / 2 + 1)
                for gauge in 0..<N {
                    let word = ours[(gauge + 1) / 2]
                    let isLower = gauge & 1 == 1
                    let step = UInt32(truncatingIfNeeded: isLower ? word : word >> 32)
                    maxima[gauge] = max(maxima[gauge], step)
                }
            }
            let start = window * gaugeCount + first
            for gauge in 0..<N { totals[start + gauge].maximum = maxima[gauge] }
        }
    }
}
