// SPDX-License-Identifier: MIT

/// Working memory of the feature engine: one per event loop or worker, reused for every reading.
///
/// The caller writes the reading into ``values`` and reads the outcome from ``flags``,
/// ``windowFill`` and ``row``.
package struct FeatureScratch {
    /// The reading, one value per sensor; NaN is missing, a category is the index of its name.
    ///
    /// Observing it makes values out of range NaN, and standardises gauges in their regime.
    package var values: [Double]
    /// What was noticed per sensor.
    package internal(set) var flags: [SensorFlags]
    /// The unscaled features in Double.
    package internal(set) var features: [Double]
    /// The scaled row that the network takes.
    package internal(set) var row: [Float]
    /// The share of each window's panes that hold a reading, by ascending window.
    package var windowFill: [Double] { statistics.fill }

    /// The number of windows.
    package var windowCount: Int { statistics.paneCounts.count }

    /// Copies ``windowFill`` to a place of a list.
    package func copyWindowFill(to target: inout [Double], from start: Int) {
        let fill = statistics.fill.span
        var target = target.mutableSpan
        for window in fill.indices { target[start + window] = fill[window] }
    }

    /// Copies ``row`` to a place of a list of rows.
    package func copyRow(to target: inout [Float], from start: Int) {
        let row = row.span
        var target = target.mutableSpan
        precondition(start >= 0 && start <= target.count - row.count)
        for column in row.indices { target[start + column] = row[column] }
    }

    /// Whether the machine's record says anything of an alarm, of whatever model.
    package internal(set) var remembersAlarm = false

    /// What the machine's record says of its place in the machine's past, after the reading.
    package internal(set) var standing = RecordStanding()

    /// Where the store keeps the reading's machine; the caller empties it before.
    package var place: MachinePlace?

    /// What features are computed from, by ``InputLayout``.
    var inputs: [Double]
    var previous: [Double]
    var hoursSincePrevious = 0.0
    var timestamp: Int64 = 0
    var statistics: WindowStatistics
    /// The windows of a companion model that the engine's own model has not; usually none.
    var further: [WindowStatistics] = []
    var sinceStart: [SinceStartTotals]
    /// The reading's regime, nil where it has none, and its gauges as they were measured.
    var regime: Int?
    var measured: [Double]
    /// What was noticed of the sensors before gauges were standardised; empty without regimes.
    var measuredFlags: [SensorFlags]
    var lone: [UInt64]

    init(engine: FeatureEngine) {
        let sensorCount = engine.transform.schema.sensors.count
        let featureCount = engine.transform.features.count
        values = Array(repeating: .nan, count: sensorCount)
        flags = Array(repeating: [], count: sensorCount)
        features = Array(repeating: 0, count: featureCount)
        row = Array(repeating: 0, count: featureCount)
        inputs = Array(repeating: 0, count: engine.plan.inputCount)
        previous = Array(repeating: .nan, count: sensorCount)
        statistics = WindowStatistics(
            paneCounts: engine.windowPaneCounts,
            gaugeCount: engine.records.cells.count
        )
        sinceStart = Array(
            repeating: SinceStartTotals(),
            count: engine.records.sinceStart.count
        )
        let regimes = engine.transform.layout.regimes
        measured = Array(repeating: .nan, count: regimes?.gauges.count ?? 0)
        measuredFlags = Array(repeating: [], count: regimes == nil ? 0 : sensorCount)
        lone = Array(repeating: 0, count: engine.records.wordCount)
    }

    /// Whether the lists by sensor are as long as their number: callers may replace `values`.
    func areSized(sensors count: Int) -> Bool {
        values.count == count && flags.count == count && previous.count == count
            && inputs.count >= count
    }
}
