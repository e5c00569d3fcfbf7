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

    /// Notes the time from a request's decoding to its encoded answer, and where the request is
    /// traced lets its trace know.
    func observeLatency(_ nanoseconds: Int, slot: Int, trace: StageTrace?) {
        latency.observe(Double(nanoseconds) * 1e-9, slot: slot)
        trace?.setLatency(Latency(histogram: latency, nanoseconds: nanoseconds, slot: slot))
    }

    /// A time that was observed, and by what.
    struct Latency: Sendable {
        let histogram: Histogram
        let nanoseconds: Int
        let slot: Int

        /// Has the histogram tell of the trace that took so long.
        func keep(traceID: String, time: Int64) {
            guard let id = UInt128(traceID, radix: 16), id != 0 else { return }
            let seconds = Double(nanoseconds) * 1e-9
            histogram.keep(Exemplar(traceID: id, value: seconds, time: time), slot: slot)
        }
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
