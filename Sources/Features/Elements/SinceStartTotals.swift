// SPDX-License-Identifier: MIT

/// Exact sums of a gauge's readings since the machine's start or last maintenance.
///
/// Values are steps of the gauge's range, times are the indices of panes, so what the sums hold
/// does not depend on the order of the readings, and after a maintenance they are those of the
/// panes that are left. Differences of products are taken modulo 2^128: they are exact as long as
/// the result fits, which for 2^32 readings and panes of a second takes more than 68 years.
struct SinceStartTotals: Equatable, Sendable {
    /// 64-bit words in a record: a mean takes the first two, a slope all.
    ///
    ///     word 0  1  number of readings
    ///          1  1  sum of values
    ///          2  2  sum of times, the lower half first
    ///          4  2  sum of squared times
    ///          6  2  sum of times x values
    static func wordCount(_ kept: FeatureSpec.SinceStartStatistic) -> Int { kept == .mean ? 2 : 8 }

    /// Readings beyond this number change nothing: their sum might leave its word.
    static let countMax: UInt64 = 1 << 32 - 1

    private(set) var count: UInt64 = 0
    private(set) var sum: UInt64 = 0
    private var times: Int128 = 0
    private var squares: Int128 = 0
    private var products: Int128 = 0

    /// Adds readings of one pane, whose values have this sum.
    mutating func add(count added: UInt64, sum addedSum: UInt64, pane: Int64) {
        guard count + added <= Self.countMax else { return }
        count += added
        sum &+= addedSum
        let time = Int128(pane)
        let weighted = time &* Int128(added)
        times &+= weighted
        squares &+= time &* weighted
        products &+= time &* Int128(addedSum)
    }

    func mean(_ cell: RecordLayout.Cell) -> Double {
        cell.lowerBound + roundedToDouble(high: 0, low: sum) / Double(Int64(count)) * cell.step
    }

    /// The slope of the least-squares line in units per pane; 0 where all readings are of one pane.
    func slope(_ cell: RecordLayout.Cell) -> Double {
        let count = Int128(count)
        let spread = count &* squares &- times &* times
        guard spread != 0 else { return 0 }
        let covariance = count &* products &- times &* Int128(sum)
        return Self.rounded(covariance) / Self.rounded(spread) * cell.step
    }

    private static func rounded(_ number: Int128) -> Double {
        let size = number.magnitude
        let value = roundedToDouble(
            high: UInt64(truncatingIfNeeded: size >> 64),
            low: UInt64(truncatingIfNeeded: size)
        )
        return number < 0 ? -value : value
    }
}

extension SinceStartTotals {
    init(_ words: Span<UInt64>, at start: Int, _ kept: FeatureSpec.SinceStartStatistic) {
        func wide(_ place: Int) -> Int128 {
            Int128(truncatingIfNeeded: words[start + place])
                | Int128(truncatingIfNeeded: words[start + place + 1]) << 64
        }
        count = words[start]
        sum = words[start + 1]
        guard kept == .slope else { return }
        times = wide(2)
        squares = wide(4)
        products = wide(6)
    }

    func store(
        _ words: inout MutableSpan<UInt64>,
        at start: Int,
        _ kept: FeatureSpec.SinceStartStatistic
    ) {
        words[start] = count
        words[start + 1] = sum
        guard kept == .slope else { return }
        for (place, value) in [(2, times), (4, squares), (6, products)] {
            words[start + place] = UInt64(truncatingIfNeeded: value)
            words[start + place + 1] = UInt64(truncatingIfNeeded: value >> 64)
        }
    }
}

extension RecordLayout {
    /// Where a gauge's sums since the start stand.
    struct SinceStart: Sendable {
        /// The gauge's number among those that have panes.
        let gauge: Int
        /// The first word, relative to the record.
        let word: Int
        /// What the sums serve.
        let kept: FeatureSpec.SinceStartStatistic
    }

    /// The gauges that have sums since the start, whose words begin at `word`.
    static func sinceStart(_ layout: StateLayout, from word: Int) -> [SinceStart] {
        var next = word
        return layout.gauges.enumerated().compactMap { index, gauge in
            guard let kept = gauge.sinceStart else { return nil }
            defer { next += SinceStartTotals.wordCount(kept) }
            return SinceStart(gauge: index, word: next, kept: kept)
        }
    }

    /// Takes a reading's values (NaN: missing) into the sums since the start.
    func addSinceStart(
        _ words: inout MutableSpan<UInt64>,
        at base: Int,
        pane: PanePosition,
        values: Span<Double>
    ) {
        for entry in sinceStart {
            let cell = cells[entry.gauge]
            let value = values[cell.sensor]
            if value.isNaN { continue }
            var totals = SinceStartTotals(words.span, at: base + entry.word, entry.kept)
            totals.add(count: 1, sum: UInt64(cell.quantised(value)), pane: pane.index)
            totals.store(&words, at: base + entry.word, entry.kept)
        }
    }

    /// Makes the sums since the start those of the panes that are there, as after a maintenance.
    ///
    /// What left the panes before is not known by pane any more, and is forgotten.
    func sumSinceStart(_ words: inout MutableSpan<UInt64>, at base: Int) {
        for entry in sinceStart {
            var totals = SinceStartTotals()
            for place in 0..<paneCount {
                let pane = base + panes + place * wordsPerPane
                let index = words.load(at: pane)
                guard index != .min else { continue }
                totals.add(
                    count: words[pane + sums + cells.count + entry.gauge] & 0xFFFF_FFFF,
                    sum: words[pane + sums + entry.gauge],
                    pane: index
                )
            }
            totals.store(&words, at: base + entry.word, entry.kept)
        }
    }

    /// Copies the sums since the start of every gauge that has them.
    func gatherSinceStart(
        _ words: Span<UInt64>,
        at base: Int,
        into totals: inout [SinceStartTotals]
    ) {
        for index in sinceStart.indices {
            let entry = sinceStart[index]
            totals[index] = SinceStartTotals(words, at: base + entry.word, entry.kept)
        }
    }
}
