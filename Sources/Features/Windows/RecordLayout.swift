// SPDX-License-Identifier: MIT

/// Where things stand in a machine's record, a fixed number of 32-bit words.
///
///     word 0   2   timestamp of the last reading in order, microseconds (Int64.min: none)
///          2   2   arrival time of the last reading, microseconds
///          4   2   number of readings taken in
///          6   1   number of timestamps in the ring
///          7   1   next place in the ring
///          8  32   ring of the last 16 distinct timestamps
///         40   1   length of the equipment id in bytes
///         41  16   equipment id, four bytes a word, little-endian
///         57  3s   per sensor: last measured value (bits of a Double, NaN: none); equal readings
///                  in a row, the highest bit: the last reading in order lacked the sensor
///          .  p    panes, each: epoch (index since 1970, Int64.min: empty), then per gauge: count,
///                  sum (2 words), [sum of squares (3 words)], [maximum]
///
/// 64- and 96-bit numbers are little-endian in words.
package struct RecordLayout: Sendable {
    /// What a gauge's cell holds and where, from the start of a pane.
    struct Cell: Sendable {
        let sensor: Int
        let offset: Int
        let squaresOffset: Int?
        let maximumOffset: Int?
        let lowerBound: Double
        let step: Double
        let stepsPerUnit: Double

        /// The nearest of the 2^32 steps of the gauge's range; `value` lies within it.
        func quantised(_ value: Double) -> UInt32 {
            let steps = ((value - lowerBound) * stepsPerUnit).rounded()
            return steps >= 4_294_967_295 ? .max : UInt32(max(steps, 0))
        }
    }

    static let timestampRingCount = 16
    static let lastTimestamp = 0
    static let lastArrival = 2
    static let readingCount = 4
    static let ringCount = 6
    static let ringNext = 7
    static let ring = 8
    static let idByteCount = 40
    static let idBytes = 41
    static let sensors = 57
    static let wordsPerSensor = 3
    static let missingBit: UInt32 = 1 << 31

    let sensorCount: Int
    let paneCount: Int
    let paneMicroseconds: Int64
    let panes: Int
    let wordsPerPane: Int
    /// The first word of the last pane, from the first pane.
    let lastPane: Int
    let cells: [Cell]
    /// The number of words of a record.
    package let wordCount: Int

    /// Lays records out for a schema's sensors and a layout's panes.
    package init(sensorCount: Int, layout: StateLayout) {
        self.sensorCount = sensorCount
        paneCount = layout.paneCount
        paneMicroseconds = Int64(layout.paneSeconds) * Timestamp.microsecondsPerSecond
        panes = Self.sensors + sensorCount * Self.wordsPerSensor
        var cells: [Cell] = []
        var offset = 2
        for gauge in layout.gauges {
            let start = offset
            offset += 3
            let squares = gauge.keepsSquares ? offset : nil
            if gauge.keepsSquares { offset += 3 }
            let maximum = gauge.keepsMaximum ? offset : nil
            if gauge.keepsMaximum { offset += 1 }
            let width = gauge.range.upperBound - gauge.range.lowerBound
            cells.append(
                Cell(
                    sensor: gauge.sensor,
                    offset: start,
                    squaresOffset: squares,
                    maximumOffset: maximum,
                    lowerBound: gauge.range.lowerBound,
                    step: width / 4_294_967_295,
                    stepsPerUnit: 4_294_967_295 / width
                )
            )
        }
        self.cells = cells
        wordsPerPane = offset
        lastPane = (paneCount - 1) * offset
        wordCount = panes + paneCount * offset
    }

    /// Writes an empty record for an equipment id of at most 64 bytes.
    package func reset(
        _ words: inout MutableSpan<UInt32>,
        at base: Int,
        id: Span<UInt8>
    ) {
        precondition(id.count <= SpecLimits.equipmentIDBytesMax, "equipment id too long")
        for index in base..<base + wordCount { words[index] = 0 }
        words.store(.min, at: base + Self.lastTimestamp)
        for sensor in 0..<sensorCount {
            words.store(
                Int64(bitPattern: Double.nan.bitPattern),
                at: base + Self.sensors + sensor * Self.wordsPerSensor
            )
        }
        for pane in 0..<paneCount { words.store(.min, at: base + panes + pane * wordsPerPane) }
        words[base + Self.idByteCount] = UInt32(id.count)
        for index in 0..<id.count {
            words[base + Self.idBytes + index / 4] |= UInt32(id[index]) << UInt32(index % 4 * 8)
        }
    }

    /// Whether the record belongs to this equipment id.
    package func holds(
        _ words: borrowing MutableSpan<UInt32>,
        at base: Int,
        id: Span<UInt8>
    ) -> Bool {
        guard words[base + Self.idByteCount] == UInt32(id.count) else { return false }
        for index in 0..<id.count {
            let word = words[base + Self.idBytes + index / 4]
            if UInt8(truncatingIfNeeded: word >> UInt32(index % 4 * 8)) != id[index] {
                return false
            }
        }
        return true
    }

    /// When the machine's last reading arrived, microseconds since the epoch.
    package func lastArrival(_ words: borrowing MutableSpan<UInt32>, at base: Int) -> Int64 {
        words.load(at: base + Self.lastArrival)
    }

    /// The index of the pane that holds a timestamp.
    func paneIndex(of timestamp: Int64) -> Int64 {
        Timestamp.floorDivide(timestamp, paneMicroseconds).quotient
    }

    /// The place of the pane with this index among the record's panes.
    func panePlace(_ index: Int64) -> Int {
        Int(Timestamp.floorDivide(index, Int64(paneCount)).rest)
    }

    /// The first word of the pane with this index, relative to the record.
    func paneOffset(_ index: Int64) -> Int { panes + panePlace(index) * wordsPerPane }
}

extension Span where Element == UInt32 {
    /// The 64-bit number whose lower half stands at `index`.
    func load(at index: Int) -> UInt64 {
        UInt64(self[index]) | UInt64(self[index &+ 1]) << 32
    }
}

extension MutableSpan where Element == UInt32 {
    /// The 64-bit number whose lower half stands at `index`.
    func load(at index: Int) -> Int64 {
        Int64(bitPattern: UInt64(self[index]) | UInt64(self[index + 1]) << 32)
    }

    /// Stores a 64-bit number, the lower half first.
    mutating func store(_ value: Int64, at index: Int) {
        self[index] = UInt32(truncatingIfNeeded: value)
        self[index + 1] = UInt32(truncatingIfNeeded: value >> 32)
    }
}
