// SPDX-License-Identifier: MIT

/// What was noted of one reading: all that its row is computed from, apart from any record.
package struct ObservedReading: Sendable {
    fileprivate var values: [Double]
    fileprivate var previous: [Double]
    fileprivate var hoursSincePrevious: Double
    fileprivate let timestamp: Int64
    fileprivate let statistics: WindowStatistics
    fileprivate let sinceStart: [SinceStartTotals]
    fileprivate let regime: Int?
    fileprivate let measured: [Double]

    /// The same with each sensor's last value moved so that its rate of change stays what it is
    /// when a reading of another pace takes the sensor over.
    package func paced(as other: ObservedReading) -> ObservedReading {
        guard other.hoursSincePrevious != hoursSincePrevious else { return self }
        var paced = self
        let ratio = hoursSincePrevious > 0 ? other.hoursSincePrevious / hoursSincePrevious : 0
        // A value that is missing takes the last one, which then must stay.
        for sensor in values.indices where !values[sensor].isNaN {
            let change = ratio == 0 ? 0 : (values[sensor] - previous[sensor]) * ratio
            paced.previous[sensor] = values[sensor] - change
        }
        paced.hoursSincePrevious = other.hoursSincePrevious
        return paced
    }
}

extension FeatureScratch {
    /// What was noted of the reading that was observed last; ``FeatureEngine/finishRow(_:)`` makes
    /// it unusable.
    package var observed: ObservedReading {
        ObservedReading(
            values: values,
            previous: previous,
            hoursSincePrevious: hoursSincePrevious,
            timestamp: timestamp,
            statistics: statistics,
            sinceStart: sinceStart,
            regime: regime,
            measured: measured
        )
    }
}

/// Computes the row of a reading some of whose sensors another reading lends.
///
/// A sensor comes with all that its record holds: value, last value, windows and sums since the
/// start. Every feature is computed anew, also one that two sensors share. Time, pace and fill are
/// the reading's own. A gauge that is standardised in regimes comes as far off as it is in its own
/// one: settings that are lent change what is usual for no gauge.
package struct ReadingComposer {
    private let engine: FeatureEngine
    private var scratch: FeatureScratch
    /// The last values of the mixture, which finishing a row overwrites in the scratch.
    private var previous: [Double]
    /// Each sensor's gauge in the windows, among the sums since the start, and in the regimes.
    private let gauges: [Int?]
    private let totals: [Int?]
    private let standardised: [Int?]

    /// Makes a composer with working memory of its own.
    package init(engine: FeatureEngine) {
        self.engine = engine
        scratch = engine.makeScratch()
        previous = scratch.previous
        gauges = scratch.values.indices.map { sensor in
            engine.records.cells.firstIndex { $0.sensor == sensor }
        }
        totals = gauges.map { gauge in
            gauge.flatMap { gauge in engine.records.sinceStart.firstIndex { $0.gauge == gauge } }
        }
        let regimes = engine.transform.layout.regimes
        standardised = scratch.values.indices.map { sensor in
            regimes?.gauges.firstIndex { $0.sensor == sensor }
        }
    }

    /// Starts with all that belongs to one reading.
    package mutating func begin(with reading: ObservedReading) {
        scratch.values = reading.values
        scratch.hoursSincePrevious = reading.hoursSincePrevious
        scratch.timestamp = reading.timestamp
        scratch.statistics = reading.statistics
        scratch.sinceStart = reading.sinceStart
        scratch.regime = reading.regime
        scratch.measured = reading.measured
        previous = reading.previous
    }

    /// Puts some sensors of another reading of the same pace in the place of the present ones.
    package mutating func take(_ sensors: [Int], from reading: ObservedReading) {
        for sensor in sensors {
            scratch.values[sensor] = reading.values[sensor]
            previous[sensor] = reading.previous[sensor]
            if let gauge = gauges[sensor] {
                scratch.statistics.take(gauge: gauge, from: reading.statistics)
            }
            if let place = totals[sensor] { scratch.sinceStart[place] = reading.sinceStart[place] }
            if let place = standardised[sensor] { lend(place, from: reading) }
        }
    }

    /// Makes a standardised gauge as it was measured what it would be in the mixture's regime.
    private mutating func lend(_ gauge: Int, from reading: ObservedReading) {
        let isOwn = reading.regime == scratch.regime
        scratch.measured[gauge] =
            isOwn
            ? reading.measured[gauge]
            : engine.measured(scratch.values, gauge: gauge, regime: scratch.regime ?? 0)
    }

    /// Computes the scaled row of the mixture and appends it.
    package mutating func appendRow(to rows: inout [Float]) {
        for sensor in previous.indices { scratch.previous[sensor] = previous[sensor] }
        engine.finishRow(&scratch)
        rows.append(contentsOf: scratch.row)
    }
}
