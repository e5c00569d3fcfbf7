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
        _ words: borrowing MutableSpan<UInt64>,
        at base: Int,
        pane: PanePosition,
        timestamp: Int64,
        isTimestamped: Bool
    ) -> Admission {
        if pane.index < words.load(at: base + Self.firstPane) { return .stale }
        let last: Int64 = words.load(at: base + Self.lastTimestamp)
        // No reading that was taken in is later than the last one in order.
        if timestamp > last { return .inOrder }
        if isTimestamped, remembers(words, at: base, timestamp: timestamp) { return .duplicate }
        if timestamp == last, !isTimestamped { return .inOrder }
        // The panes of the longest window before the newest pane are all that is kept.
        return pane.index > paneIndex(of: last) - Int64(paneCount) ? .late : .stale
    }

    private func remembers(
        _ words: borrowing MutableSpan<UInt64>,
        at base: Int,
        timestamp: Int64
    ) -> Bool {
        let ring = base + Self.ring
        for place in 0..<Int(words.half(at: 2 * (base + Self.ringCounts)))
        where words.load(at: ring + place) == timestamp {
            return true
        }
        return false
    }

    /// Counts a reading that its pane took: its arrival and, where it has one, its timestamp.
    func count(_ words: inout MutableSpan<UInt64>, at base: Int, _ time: ReadingTime) {
        // A reading without a timestamp is no duplicate, and makes no later one a duplicate.
        if time.isTimestamped { remember(&words, at: base, timestamp: time.timestamp) }
        words[base + Self.readingCount] &+= 1
        words.store(time.arrival, at: base + Self.lastArrival)
    }

    /// Remembers a timestamp among the last 16 distinct ones.
    private func remember(_ words: inout MutableSpan<UInt64>, at base: Int, timestamp: Int64) {
        let counts = 2 * (base + Self.ringCounts)
        let next = words.half(at: counts + 1)
        words.store(timestamp, at: base + Self.ring + Int(next))
        let capacity = UInt32(Self.timestampRingCount)
        words.setHalf((next + 1) % capacity, at: counts + 1)
        words.setHalf(min(words.half(at: counts) + 1, capacity), at: counts)
    }

    /// Begins anew with the pane that holds a moment, as after maintenance.
    ///
    /// What lies before that pane is forgotten, the alarm too, and a reading of that time is stale
    /// from now on. A later beginning that was set before stays; within the pane of the last one
    /// the alarm alone begins anew.
    package func beginAnew(
        _ words: inout MutableSpan<UInt64>,
        at base: Int,
        timestamp: Int64
    ) {
        let first = paneIndex(of: timestamp)
        let before: Int64 = words.load(at: base + Self.firstPane)
        guard first >= before else { return }
        setAlarm(AlarmRecord(), &words, at: base)
        guard first > before else { return }
        words.store(first, at: base + Self.firstPane)
        for place in 0..<paneCount {
            let pane = base + panes + place * wordsPerPane
            guard words.load(at: pane) < first else { continue }
            words.store(.min, at: pane)
            for word in pane + 1..<pane + wordsPerPane { words[word] = 0 }
        }
        sumSinceStart(&words, at: base)
        let last: Int64 = words.load(at: base + Self.lastTimestamp)
        guard last != .min, paneIndex(of: last) < first else { return }
        words.store(.min, at: base + Self.lastTimestamp)
        for sensor in 0..<sensorCount {
            words[base + Self.values + sensor] = Double.nan.bitPattern
            words.setHalf(0, at: 2 * (base + equalReadings) + sensor)
        }
    }
}
