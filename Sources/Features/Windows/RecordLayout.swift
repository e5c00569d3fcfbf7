// SPDX-License-Identifier: MIT

internal import Platform

/// Where things stand in a machine's record, a fixed number of 64-bit words.
///
///     word  0   1   checksum of the words from here to the first pane, for whoever stores records
///           1   1   timestamp of the last reading in order, microseconds (Int64.min: none)
///           2   1   arrival time of the last reading, microseconds
///           3   1   number of readings taken in
///           4   1   index of the first pane that counts: what is older is stale (Int64.min: none)
///           5   1   number of timestamps in the ring; next place in the ring
///           6  16   ring of the last 16 distinct timestamps
///          22   1   length of the equipment id in bytes
///          23   8   equipment id, eight bytes a word, the first lowest
///          31   s   last measured value of each sensor (bits of a Double, NaN: none)
///           .   .   equal readings in a row of each sensor, two a word; the highest bit of the 32:
///                   the last reading in order lacked the sensor
///           .   4   the machine's alarm, see `AlarmRecord`; not in records of the first format
///           .   .   sums since the start of each gauge that has them, see `SinceStartTotals`
///           .   p   panes, the pane with index i at place i mod their number
///
/// A pane is one block of words, one array over the gauges for each quantity:
///
///     word  0   1   index of the pane since 1970 (Int64.min: empty)
///           1   .   two a word: checksum of the pane, for whoever stores records; g maxima
///           .   g   sums
///           .   g   counts in the lower half; upper 32 bits of the sums of squares in the upper
///           .   g   lower 64 bits of the sums of squares
///
/// Maxima and squares stand for all gauges where one of them keeps such; else the upper halves
/// beside the counts are 0. Where two numbers share a word, the first is its lower half.
package struct RecordLayout: Sendable {
    /// How a gauge's values are cut into steps.
    struct Cell: Sendable {
        let sensor: Int
        let lowerBound: Double
        let step: Double
        let stepsPerUnit: Double

        init(_ gauge: StateLayout.Gauge, isStandardised: Bool) {
            let range = isStandardised ? Regimes.limits : gauge.range
            let width = range.upperBound - range.lowerBound
            sensor = gauge.sensor
            lowerBound = range.lowerBound
            step = width / 4_294_967_295
            stepsPerUnit = 4_294_967_295 / width
        }

        /// The nearest of the 2^32 steps of the gauge's range, as the kernels have it; `value` lies
        /// within it.
        func quantised(_ value: Double) -> UInt32 {
            let steps = (value - lowerBound) * stepsPerUnit
            guard steps < 4_294_967_294.5 else { return .max }
            // Half a step and more goes up; the difference is exact.
            let whole = UInt32(max(steps, 0))
            return steps - Double(whole) < 0.5 ? whole : whole + 1
        }
    }

    static let timestampRingCount = 16
    static let checksum = 0
    static let lastTimestamp = 1
    static let lastArrival = 2
    static let readingCount = 3
    static let firstPane = 4
    static let ringCounts = 5
    static let ring = 6
    static let idByteCount = 22
    static let idBytes = 23
    static let values = 31
    /// The checksum of a pane, in halves of words from its start.
    static let paneChecksumHalf = 2
    /// The maximum of the first gauge, in halves of words from the start of a pane.
    static let maximaHalf = 3

    let sensorCount: Int
    let paneCount: Int
    let paneMicroseconds: Int64
    /// The first word of the equal readings in a row.
    let equalReadings: Int
    /// The first word of the alarm; nil in records of the first format.
    let alarm: Int?
    /// The first word of the panes, and the number of words before them.
    let panes: Int
    let wordsPerPane: Int
    let keepsSquares: Bool
    let keepsMaxima: Bool
    /// The first sum, from the start of a pane; sums, counts and squares follow each other.
    let sums: Int
    let cells: [Cell]
    /// The gauges that have sums since the start.
    let sinceStart: [SinceStart]
    /// What the kernels need to know: panes, words of a pane, gauges, and where sums, squares and
    /// maxima of the first gauge stand in a pane, the last in halves of words; -1: not kept.
    let shape: KernelTable<Int>
    /// The sensor of each gauge.
    let sensors: KernelTable<Int>
    /// The gauges' lower bounds, then their steps per unit: a value is kept as the nearest of the
    /// 2^32 steps of its gauge's range.
    let quantisation: KernelTable<Double>
    /// The number of 64-bit words of a record.
    package let wordCount: Int

    /// Lays records out for a schema's sensors and a layout's panes.
    package init(sensorCount: Int, layout: StateLayout, keepsAlarm: Bool = true) {
        self.sensorCount = sensorCount
        paneCount = layout.paneCount
        paneMicroseconds = Int64(layout.paneSeconds) * Timestamp.microsecondsPerSecond
        equalReadings = Self.values + sensorCount
        let afterSensors = equalReadings + (sensorCount + 1) / 2
        alarm = keepsAlarm ? afterSensors : nil
        let totals = afterSensors + (keepsAlarm ? Self.alarmWordCount : 0)
        sinceStart = Self.sinceStart(layout, from: totals)
        panes = sinceStart.reduce(totals) { $0 + SinceStartTotals.wordCount($1.kept) }
        let standardised = Set(layout.regimes?.gauges.map(\.sensor) ?? [])
        cells = layout.gauges.map { gauge in
            Cell(gauge, isStandardised: standardised.contains(gauge.sensor))
        }
        sensors = KernelTable(layout.gauges.map(\.sensor))
        quantisation = KernelTable(cells.map(\.lowerBound) + cells.map(\.stepsPerUnit))
        keepsSquares = layout.gauges.contains { $0.keepsSquares }
        keepsMaxima = layout.gauges.contains { $0.keepsMaximum }
        sums = (Self.maximaHalf + (keepsMaxima ? cells.count : 0) + 1) / 2
        wordsPerPane = sums + (keepsSquares ? 3 : 2) * cells.count
        shape = KernelTable([
            paneCount, wordsPerPane, cells.count, sums,
            keepsSquares ? sums + 2 * cells.count : -1,
            keepsMaxima ? Self.maximaHalf : -1,
        ])
        wordCount = panes + paneCount * wordsPerPane
    }

    /// Writes an empty record for an equipment id of at most 64 bytes.
    package func reset(
        _ words: inout MutableSpan<UInt64>,
        at base: Int,
        id: Span<UInt8>
    ) {
        precondition(id.count <= SpecLimits.equipmentIDBytesMax, "equipment id too long")
        for index in base..<base + wordCount { words[index] = 0 }
        words.store(.min, at: base + Self.lastTimestamp)
        words.store(.min, at: base + Self.firstPane)
        for sensor in 0..<sensorCount {
            words[base + Self.values + sensor] = Double.nan.bitPattern
        }
        setAlarm(AlarmRecord(), &words, at: base)
        for pane in 0..<paneCount { words.store(.min, at: base + panes + pane * wordsPerPane) }
        words[base + Self.idByteCount] = UInt64(id.count)
        for index in stride(from: 0, to: id.count, by: 8) {
            words[base + Self.idBytes + index / 8] = id.paddedWord(at: index)
        }
    }

    /// Whether the record belongs to this equipment id.
    func holds(_ record: borrowing [UInt64], id: Span<UInt8>) -> Bool {
        guard record[Self.idByteCount] == UInt64(id.count) else { return false }
        var index = 0
        while index < id.count {
            if record[Self.idBytes + index / 8] != id.paddedWord(at: index) { return false }
            index += 8
        }
        return true
    }

    /// Whether a record keeps something for as long as its machine is known.
    package var remembersStart: Bool { !sinceStart.isEmpty }

    /// How far the record has come.
    func standing(_ words: borrowing MutableSpan<UInt64>, at base: Int) -> RecordStanding {
        RecordStanding(
            readingCount: Int(truncatingIfNeeded: words[base + Self.readingCount]),
            firstPane: words.load(at: base + Self.firstPane)
        )
    }

    /// The index of the pane that holds a timestamp.
    package func paneIndex(of timestamp: Int64) -> Int64 {
        Timestamp.floorDivide(timestamp, paneMicroseconds).quotient
    }

    /// Where the pane that holds a timestamp stands.
    func panePosition(of timestamp: Int64) -> PanePosition {
        let index = paneIndex(of: timestamp)
        let place = Int(Timestamp.floorDivide(index, Int64(paneCount)).rest)
        return PanePosition(index: index, place: place)
    }
}

/// How far a machine's record has come: what tells a record from the same one later.
package struct RecordStanding: Equatable, Sendable {
    /// Readings that it has taken in; 0 where there is no record.
    package var readingCount: Int
    /// The index of its first pane that counts; the lowest number without one.
    package var firstPane: Int64

    /// Describes how far; by default there is no record.
    package init(readingCount: Int = 0, firstPane: Int64 = .min) {
        self.readingCount = readingCount
        self.firstPane = firstPane
    }

    /// The counts of readings that a record may hold: more than any machine ever sends.
    static let readings: ClosedRange<UInt64> = 0...1 << 53

    /// Whether windows may begin with that pane: there is none, or it lies within the years that
    /// timestamps have.
    static func canBegin(withPane index: Int64, paneMicroseconds: Int64) -> Bool {
        if index == .min { return true }
        let first = Timestamp.floorDivide(Timestamp.range.lowerBound, paneMicroseconds).quotient
        let last = Timestamp.floorDivide(Timestamp.range.upperBound, paneMicroseconds).quotient
        return (first...last).contains(index)
    }
}

/// A pane of a record.
struct PanePosition {
    /// Its index since 1970.
    let index: Int64
    /// Its place among the record's panes.
    let place: Int
}

extension MutableSpan where Element == UInt64 {
    /// The word at `index` as a signed number.
    func load(at index: Int) -> Int64 { Int64(bitPattern: self[index]) }

    /// Stores a signed number as the word at `index`.
    mutating func store(_ value: Int64, at index: Int) { self[index] = UInt64(bitPattern: value) }

    /// The 32-bit number at a place counted in halves of words.
    @inline(__always)
    func half(at place: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: self[place >> 1] >> UInt64((place & 1) * 32))
    }

    /// Stores the 32-bit number at a place counted in halves of words.
    @inline(__always)
    mutating func setHalf(_ value: UInt32, at place: Int) {
        let shift = UInt64((place & 1) * 32)
        self[place >> 1] = self[place >> 1] & ~(0xFFFF_FFFF << shift) | UInt64(value) << shift
    }
}
