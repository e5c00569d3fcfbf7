// SPDX-License-Identifier: MIT

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
package struct FeatureEngine: Sendable {
    /// What the engine computes.
    package let transform: FeatureTransform
    /// Where things stand in a machine's record.
    package let records: RecordLayout

    let windowPaneCounts: [Int]
    private let sensorPlans: [SensorPlan]
    let plan: FeaturePlan

    /// Prepares a validated transform.
    ///
    /// - Throws: ``SpecError`` where its parts do not fit.
    package init(_ transform: FeatureTransform) throws(SpecError) {
        try transform.validate()
        self.transform = transform
        records = RecordLayout(
            sensorCount: transform.schema.sensors.count,
            layout: transform.layout
        )
        windowPaneCounts = transform.windowHours.map { $0 * 3600 / transform.layout.paneSeconds }
        sensorPlans = transform.schema.sensors.indices.map { SensorPlan(sensor: $0, transform) }
        plan = FeaturePlan(transform)
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
        classify(&scratch)
        let admission = records.admission(
            words,
            at: base,
            timestamp: time.timestamp,
            isTimestamped: time.isTimestamped
        )
        if admission == .stale {
            takeAlone(time, &scratch)
        } else {
            take(time, admission, in: &words, at: base, &scratch)
        }
        return admission
    }

    /// Notes what the row of a reading needs that belongs to no record: a machine's first and only.
    package func observeAlone(_ time: ReadingTime, scratch: inout FeatureScratch) {
        classify(&scratch)
        takeAlone(time, &scratch)
    }

    /// Computes the features and the scaled row from what ``observe(_:in:at:scratch:)`` noted.
    package func finishRow(_ scratch: inout FeatureScratch) {
        clean(&scratch)
        plan.fill(&scratch, records)
    }

    private func take(
        _ time: ReadingTime,
        _ admission: Admission,
        in words: inout MutableSpan<UInt64>,
        at base: Int,
        _ scratch: inout FeatureScratch
    ) {
        note(&scratch, words, base, time.timestamp)
        if admission != .duplicate {
            records.addToPane(
                &words,
                at: base,
                timestamp: time.timestamp,
                values: scratch.values.span
            )
            records.count(&words, at: base, time)
        }
        if admission == .inOrder {
            records.advance(
                &words,
                at: base,
                timestamp: time.timestamp,
                values: scratch.values.span
            )
            flagStuck(&scratch, words, base)
        }
        scratch.statistics.gather(records, words.span, at: base, timestamp: time.timestamp)
    }

    private func takeAlone(_ time: ReadingTime, _ scratch: inout FeatureScratch) {
        var lone: [UInt64] = []
        swap(&lone, &scratch.lone)
        var words = lone.mutableSpan
        records.reset(&words, at: 0, id: [UInt8]().span)
        take(time, .inOrder, in: &words, at: 0, &scratch)
        swap(&lone, &scratch.lone)
    }

    private func classify(_ scratch: inout FeatureScratch) {
        for sensor in scratch.values.indices {
            let value = scratch.values[sensor]
            if value.isNaN {
                scratch.flags[sensor] = .missing
            } else if sensorPlans[sensor].accepts(value) {
                scratch.flags[sensor] = []
            } else {
                scratch.flags[sensor] = .outOfRange
                scratch.values[sensor] = .nan
            }
        }
    }

    private func note(
        _ scratch: inout FeatureScratch,
        _ words: borrowing MutableSpan<UInt64>,
        _ base: Int,
        _ timestamp: Int64
    ) {
        let last = words.load(at: base + RecordLayout.lastTimestamp)
        scratch.timestamp = timestamp
        scratch.remembersAlarm = records.remembersAlarm(words, at: base)
        scratch.hoursSincePrevious =
            last == .min || timestamp <= last
            ? 0 : Double(timestamp - last) / Double(Timestamp.microsecondsPerHour)
        for sensor in scratch.previous.indices {
            // Without forward fill the previous reading's value is what that very reading had.
            let isKept = transform.forwardFill || records.wasMeasured(words, at: base, sensor)
            scratch.previous[sensor] =
                isKept ? records.lastMeasured(words, at: base, sensor: sensor) : .nan
        }
    }

    private func flagStuck(
        _ scratch: inout FeatureScratch,
        _ words: borrowing MutableSpan<UInt64>,
        _ base: Int
    ) {
        for sensor in sensorPlans.indices where !scratch.values[sensor].isNaN {
            let equal = records.equalReadings(words, at: base, sensor: sensor)
            if equal >= sensorPlans[sensor].stuckAfter { scratch.flags[sensor].insert(.stuck) }
        }
    }

    private func clean(_ scratch: inout FeatureScratch) {
        for sensor in sensorPlans.indices {
            let measured = scratch.values[sensor]
            let last = scratch.previous[sensor]
            let value = measured.isNaN && transform.forwardFill ? last : measured
            if value.isNaN { scratch.flags[sensor].insert(.imputed) }
            scratch.inputs[sensor] = sensorPlans[sensor].imputedAndClipped(value)
            scratch.previous[sensor] = sensorPlans[sensor].imputedAndClipped(last)
        }
    }
}
