// SPDX-License-Identifier: MIT

internal import Drift
internal import Features

/// What a window's readings say of a sensor.
struct SensorQuality: Sendable, Equatable {
    let name: String
    /// Shares of the window's readings.
    let missing: Double
    let outOfRange: Double
    let stuck: Double
    /// What makes it count as broken.
    var faults: [SensorFault.Kind]

    /// Judges the counts of a sensor's flags, in the order of their bits.
    init(_ sensor: Sensor, flags: ArraySlice<Int>, readings: Int, rule: DriftRule) {
        func count(_ flag: SensorFlags) -> Int {
            flags[flags.startIndex + flag.rawValue.trailingZeroBitCount]
        }
        func share(_ count: Int) -> Double {
            min(1, Double(count) / Double(max(readings, 1)))
        }
        name = sensor.name
        missing = share(count(.missing))
        outOfRange = share(count(.outOfRange))
        // The flag begins with the last of so many equal values, and those before it stood still
        // too: of one machine at least, which is all that the counts tell.
        let unflagged = count(.stuck) > 0 ? (sensor.stuckAfter ?? 1) - 1 : 0
        stuck = share(count(.stuck) + unflagged)
        var faults: [SensorFault.Kind] = []
        if stuck > rule.outsideShare { faults.append(.stuck) }
        // Nobody promised that an optional sensor is there.
        if missing > rule.missingShare, !sensor.isOptional { faults.append(.missing) }
        if outOfRange > rule.outsideShare { faults.append(.outOfRange) }
        self.faults = faults
    }
}

extension [SensorQuality] {
    /// Whether more sensors than a share are out of range, which is then no fault of theirs.
    mutating func takeBackCommonRanges(share: Double) -> Bool {
        let outside = filter { $0.faults.contains(.outOfRange) }.count
        guard Double(outside) > share * Double(count) else { return false }
        for index in indices { self[index].faults.removeAll { $0 == .outOfRange } }
        return true
    }
}

/// Counts of readings since some moment.
struct ReadingCounts: Sendable, Equatable {
    var readings = 0
    /// By sensor, then flag.
    var flags: [Int] = []
    var late = 0
    var stale = 0
    var duplicate = 0

    /// What came since earlier counts of the same model.
    func since(_ earlier: ReadingCounts) -> ReadingCounts {
        ReadingCounts(
            readings: readings - earlier.readings,
            flags: zip(flags, earlier.flags).map { $0 - $1 },
            late: late - earlier.late,
            stale: stale - earlier.stale,
            duplicate: duplicate - earlier.duplicate
        )
    }
}
