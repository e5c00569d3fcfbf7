// SPDX-License-Identifier: MIT

package import Platform

/// When a reading was taken and when it came.
package struct ReadingTime: Equatable, Sendable {
    /// The moment that the reading is about, microseconds since the epoch.
    package var timestamp: Int64
    /// Whether the sender said so; otherwise it is the arrival time and never a duplicate.
    package var isTimestamped: Bool
    /// When it arrived, microseconds since the epoch.
    package var arrival: Int64

    /// Describes a reading's time.
    package init(timestamp: Int64, isTimestamped: Bool, arrival: Int64) {
        self.timestamp = timestamp
        self.isTimestamped = isTimestamped
        self.arrival = arrival
    }
}

/// The one place where features are computed, offline and online.
///
/// ``observe(_:in:at:scratch:)`` takes a reading into a machine's record and notes all that the row
/// needs; ``finishRow(_:)`` computes the row from the notes without the record, so that a lock on
/// it is held for the first part only. An engine is immutable; scratch and record belong to the
/// caller.
///
/// - Note: Safe to share. Threads that do pass the reference counts of its lists to and fro for
///   every row, so each worker had better have a ``copy()``.
package final class FeatureEngine: Sendable {
    /// What the engine computes.
    package let transform: FeatureTransform
    /// Where things stand in a machine's record.
    package let records: RecordLayout

    let windowPaneCounts: [Int]
    private let sensors: SensorPlans
    private let regimes: Regimes?
    let plan: FeaturePlan
    let kernels: FeatureKernels

    /// Prepares a validated transform; every variant gives the same bits.
    ///
    /// - Throws: ``SpecError`` where its parts do not fit.
    package init(
        _ transform: FeatureTransform,
        variant: KernelVariant = .best
    ) throws(SpecError) {
        try transform.validate()
        self.transform = transform
        records = RecordLayout(
            sensorCount: transform.schema.sensors.count,
            layout: transform.layout
        )
        windowPaneCounts = transform.windowHours.map { $0 * 3600 / transform.layout.paneSeconds }
        sensors = SensorPlans(transform)
        regimes = transform.layout.regimes
        plan = FeaturePlan(transform, records)
        kernels = FeatureKernels(variant)
    }

    /// An engine that computes the same and shares no memory that changes with this one.
    package func copy() -> FeatureEngine {
        // What was prepared once can be prepared again.
        (try? FeatureEngine(transform, variant: kernels.variant)) ?? self
    }

    /// Working memory for this engine.
    package func makeScratch() -> FeatureScratch { FeatureScratch(engine: self) }

    /// Takes the reading in `scratch.values` into the record at `base`, by the rules of its time,
    /// and notes in `scratch` what its row needs.
    ///
    /// A stale or duplicate reading leaves the record as it is. A duplicate is answered from its
    /// own values, the windows that end with its pane and, for what it lacks, the last measured
    /// values; a stale one from its own values alone. The rate of both, and of a late one, is 0.
    package func observe(
        _ time: ReadingTime,
        in words: inout MutableSpan<UInt64>,
        at base: Int,
        scratch: inout FeatureScratch
    ) -> Admission {
        observe(time, in: &words, at: base, hasRow: true, &scratch)
    }

    /// Takes a reading in as ``observe(_:in:at:scratch:)`` does where no row is asked for: what its
    /// windows hold is not noted.
    package func absorb(
        _ time: ReadingTime,
        in words: inout MutableSpan<UInt64>,
        at base: Int,
        scratch: inout FeatureScratch
    ) {
        _ = observe(time, in: &words, at: base, hasRow: false, &scratch)
    }

    private func observe(
        _ time: ReadingTime,
        in words: inout MutableSpan<UInt64>,
        at base: Int,
        hasRow: Bool,
        _ scratch: inout FeatureScratch
    ) -> Admission {
        let pane = records.panePosition(of: time.timestamp)
        let admission = records.admission(
            words,
            at: base,
            pane: pane,
            timestamp: time.timestamp,
            isTimestamped: time.isTimestamped
        )
        if admission == .stale {
            takeAlone(time, pane, &scratch)
        } else {
            take(time, pane, admission, in: &words, at: base, hasRow: hasRow, &scratch)
        }
        scratch.standing = records.standing(words, at: base)
        return admission
    }

    /// Notes what the row of a reading needs that belongs to no record: a machine's first and only.
    package func observeAlone(_ time: ReadingTime, scratch: inout FeatureScratch) {
        takeAlone(time, records.panePosition(of: time.timestamp), &scratch)
        scratch.standing = RecordStanding()
    }

    /// Computes the features and the scaled row from what ``observe(_:in:at:scratch:)`` noted.
    package func finishRow(_ scratch: inout FeatureScratch) {
        kernels.clean(sensors, &scratch)
        if let regimes { regimes.fillMeasured(&scratch, from: plan.inputs.measured) }
        plan.fill(&scratch, kernels)
    }

    /// What a standardised gauge's value stands for in a regime.
    func measured(_ values: [Double], gauge: Int, regime: Int) -> Double {
        guard let regimes else { return .nan }
        let value = values[regimes.gauges[gauge].sensor]
        return regimes.measured(value, gauge: gauge, regime: regime)
    }

    private func take(
        _ time: ReadingTime,
        _ pane: PanePosition,
        _ admission: Admission,
        in words: inout MutableSpan<UInt64>,
        at base: Int,
        hasRow: Bool,
        _ scratch: inout FeatureScratch
    ) {
        let isInOrder = admission == .inOrder
        let last = words.load(at: base + RecordLayout.lastTimestamp)
        scratch.timestamp = time.timestamp
        scratch.remembersAlarm = records.remembersAlarm(words, at: base)
        scratch.hoursSincePrevious =
            last == .min || time.timestamp <= last
            ? 0 : Double(time.timestamp - last) / Double(Timestamp.microsecondsPerHour)
        if let regimes { regimes.standardise(&scratch, sensors) }
        kernels.read(sensors, records, &words, at: base, advances: isInOrder, &scratch)
        if regimes != nil { scratch.flagAsMeasured() }
        if isInOrder { words.store(time.timestamp, at: base + RecordLayout.lastTimestamp) }
        if admission != .duplicate {
            kernels.add(&scratch, records, &words, at: base, pane)
            records.addSinceStart(&words, at: base, pane: pane, values: scratch.values.span)
            records.count(&words, at: base, time)
        }
        guard hasRow else { return }
        records.gatherSinceStart(words.span, at: base, into: &scratch.sinceStart)
        scratch.statistics.gather(records, words.span, at: base, pane, kernels)
        for place in scratch.further.indices {
            scratch.further[place].gather(records, words.span, at: base, pane, kernels)
        }
    }

    private func takeAlone(
        _ time: ReadingTime,
        _ pane: PanePosition,
        _ scratch: inout FeatureScratch
    ) {
        var lone: [UInt64] = []
        swap(&lone, &scratch.lone)
        var words = lone.mutableSpan
        records.reset(&words, at: 0, id: [UInt8]().span)
        take(time, pane, .inOrder, in: &words, at: 0, hasRow: true, &scratch)
        swap(&lone, &scratch.lone)
    }
}
