// SPDX-License-Identifier: MIT

/// What a record made of a reading's timestamp.
package enum Admission: Equatable, Sendable {
    /// It is later than every reading before.
    case inOrder
    /// It is older than the last one but within the horizon: panes take it, the rest does not.
    case late
    /// It is older than the horizon: the record is untouched.
    case stale
    /// Its timestamp is one of the last 16 distinct ones: the record is untouched.
    case duplicate
}

extension RecordLayout {
    /// What taking in a reading with this timestamp would be.
    func admission(
        _ words: borrowing MutableSpan<UInt32>,
        at base: Int,
        timestamp: Int64,
        isTimestamped: Bool
    ) -> Admission {
        let last = words.load(at: base + Self.lastTimestamp)
        if last == .min { return .inOrder }
        if isTimestamped {
            for place in 0..<Int(words[base + Self.ringCount])
            where words.load(at: base + Self.ring + place * 2) == timestamp {
                return .duplicate
            }
        }
        if timestamp > last || (timestamp == last && !isTimestamped) { return .inOrder }
        // The panes of the longest window before the newest pane are all that is kept.
        let isKept = paneIndex(of: timestamp) > paneIndex(of: last) - Int64(paneCount)
        return isKept ? .late : .stale
    }

    /// Takes a reading's measured values (NaN: missing) into the pane of its timestamp.
    func addToPane(
        _ words: inout MutableSpan<UInt32>,
        at base: Int,
        timestamp: Int64,
        values: Span<Double>
    ) {
        let index = paneIndex(of: timestamp)
        let pane = base + paneOffset(index)
        if words.load(at: pane) != index {
            words.store(index, at: pane)
            for word in pane + 2..<pane + wordsPerPane { words[word] = 0 }
        }
        for index in cells.indices {
            let cell = cells[index]
            let value = values[cell.sensor]
            let count = words[pane + cell.offset]
            if value.isNaN || count == SpecLimits.paneCountMax { continue }
            add(cell.quantised(value), of: cell, count, &words, pane)
        }
    }

    private func add(
        _ step: UInt32,
        of cell: Cell,
        _ count: UInt32,
        _ words: inout MutableSpan<UInt32>,
        _ pane: Int
    ) {
        words[pane + cell.offset] = count + 1
        words.store(
            words.load(at: pane + cell.offset + 1) &+ Int64(step),
            at: pane + cell.offset + 1
        )
        if let squares = cell.squaresOffset {
            let low = UInt64(bitPattern: words.load(at: pane + squares))
            let (sum, overflow) = low.addingReportingOverflow(UInt64(step) * UInt64(step))
            words.store(Int64(bitPattern: sum), at: pane + squares)
            if overflow { words[pane + squares + 2] += 1 }
        }
        if let maximum = cell.maximumOffset {
            words[pane + maximum] = max(words[pane + maximum], step)
        }
    }

    /// Counts a reading that its pane took: its arrival and, where it has one, its timestamp.
    func count(_ words: inout MutableSpan<UInt32>, at base: Int, _ time: ReadingTime) {
        // A reading without a timestamp is no duplicate, and makes no later one a duplicate.
        if time.isTimestamped { remember(&words, at: base, timestamp: time.timestamp) }
        let count = words.load(at: base + Self.readingCount)
        words.store(count &+ 1, at: base + Self.readingCount)
        words.store(time.arrival, at: base + Self.lastArrival)
    }

    /// Remembers a timestamp among the last 16 distinct ones.
    private func remember(_ words: inout MutableSpan<UInt32>, at base: Int, timestamp: Int64) {
        let next = Int(words[base + Self.ringNext])
        words.store(timestamp, at: base + Self.ring + next * 2)
        words[base + Self.ringNext] = UInt32((next + 1) % Self.timestampRingCount)
        words[base + Self.ringCount] = min(
            words[base + Self.ringCount] + 1,
            UInt32(Self.timestampRingCount)
        )
    }

    /// Takes over an in-order reading's time and values as the machine's last ones.
    func advance(
        _ words: inout MutableSpan<UInt32>,
        at base: Int,
        timestamp: Int64,
        values: Span<Double>
    ) {
        words.store(timestamp, at: base + Self.lastTimestamp)
        for sensor in 0..<sensorCount {
            let place = base + Self.sensors + sensor * Self.wordsPerSensor
            let value = values[sensor]
            if value.isNaN {
                words[place + 2] |= Self.missingBit
                continue
            }
            let equal = words[place + 2] & ~Self.missingBit
            let isEqual = value == lastMeasured(words, at: base, sensor: sensor)
            words[place + 2] = isEqual ? min(equal + 1, ~Self.missingBit) : 1
            words.store(Int64(bitPattern: value.bitPattern), at: place)
        }
    }

    /// The sensor's last measured value, NaN where there is none.
    func lastMeasured(
        _ words: borrowing MutableSpan<UInt32>,
        at base: Int,
        sensor: Int
    ) -> Double {
        let bits = words.load(at: base + Self.sensors + sensor * Self.wordsPerSensor)
        return Double(bitPattern: UInt64(bitPattern: bits))
    }

    /// How many equal readings in a row the sensor's last ones are.
    func equalReadings(
        _ words: borrowing MutableSpan<UInt32>,
        at base: Int,
        sensor: Int
    ) -> Int {
        Int(words[base + Self.sensors + sensor * Self.wordsPerSensor + 2] & ~Self.missingBit)
    }

    /// Whether the last reading in order had a value of the sensor.
    func wasMeasured(_ words: borrowing MutableSpan<UInt32>, at base: Int, _ sensor: Int) -> Bool {
        words[base + Self.sensors + sensor * Self.wordsPerSensor + 2] & Self.missingBit == 0
    }
}
