// SPDX-License-Identifier: MIT

internal import Features
internal import Metrics

/// What is counted of the predictions of one model version.
///
/// - Note: Thread-safe: counters with a share for each event loop.
final class PredictionCounts: Sendable {
    private static let flagCount = PredictionEncoder.Keys.sensorFlags.count

    let version: String
    private let failures: Counter
    private let others: Counter
    private let latency: Histogram
    /// By sensor, then flag.
    private let flags: [Counter]
    /// The same of this model alone; metrics put sensors together where there are too many.
    private let noticed: [Counter]

    init(
        version: String,
        failures: Counter,
        others: Counter,
        latency: Histogram,
        flags: [Counter]
    ) {
        self.version = version
        self.failures = failures
        self.others = others
        self.latency = latency
        self.flags = flags
        noticed = flags.map { _ in Counter() }
    }

    /// Readings scored by models of the version.
    var readingCount: Int { Int(failures.value &+ others.value) }

    /// How often each flag was seen, by sensor, then in the order of the bits.
    var noticedCounts: [Int] { noticed.map { Int($0.value) } }

    func add(failures: Int, others: Int, slot: Int) {
        if failures > 0 { self.failures.add(UInt64(failures), slot: slot) }
        if others > 0 { self.others.add(UInt64(others), slot: slot) }
    }

    /// All predictions, also those of an earlier time in service.
    var total: Int { Int(failures.value + others.value) }

    /// Notes the time from a request's decoding to its encoded answer.
    func observeLatency(nanoseconds: Int, slot: Int) {
        latency.observe(Double(nanoseconds) * 1e-9, slot: slot)
    }

    /// Counts what was noticed about a sensor's value.
    func count(_ flags: SensorFlags, sensor: Int) {
        // The names stand in the order of the bits.
        var bits = flags.rawValue
        while bits != 0 {
            let place = sensor * Self.flagCount + bits.trailingZeroBitCount
            self.flags[place].add()
            noticed[place].add()
            bits &= bits - 1
        }
    }
}
