// SPDX-License-Identifier: MIT

/// What is kept of one machine, for people to look at.
package struct MachineSnapshot: Sendable {
    /// One gauge over one window.
    package struct Gauge: Sendable {
        /// The sensor's index in the schema.
        package let sensor: Int
        /// Readings with a value.
        package let count: Int
        /// Their mean; 0 without any, as all that follows.
        package let mean: Double
        /// Their standard deviation, where the layout keeps it.
        package let standardDeviation: Double?
        /// Their maximum, where the layout keeps it.
        package let maximum: Double?
    }

    /// One window that ends with the last reading in order.
    package struct Window: Sendable {
        /// Its length.
        package let hours: Int
        /// The share of its panes that hold a reading.
        package let fill: Double
        /// The gauges by sensor.
        package let gauges: [Gauge]
    }

    /// Readings taken in since the machine was first seen.
    package let readingCount: Int
    /// The moment of the last reading in order, microseconds since the epoch.
    package let lastTimestamp: Int64?
    /// When the last reading arrived, microseconds since the epoch.
    package let lastArrival: Int64
    /// Where the windows began anew after a maintenance, microseconds since the epoch.
    package let firstPane: Int64?
    /// The machine's alarm.
    package let alarm: AlarmRecord
    /// The windows, the shortest first.
    package let windows: [Window]

    init(_ record: [UInt64], engine: FeatureEngine) {
        let words = record.span
        func number(_ place: Int) -> Int64 { Int64(bitPattern: words[place]) }
        func moment(_ place: Int) -> Int64? { number(place) == .min ? nil : number(place) }
        readingCount = Int(number(RecordLayout.readingCount))
        lastTimestamp = moment(RecordLayout.lastTimestamp)
        lastArrival = number(RecordLayout.lastArrival)
        firstPane = moment(RecordLayout.firstPane).map { $0 * engine.records.paneMicroseconds }
        var copy = record
        alarm = engine.records.alarm(copy.mutableSpan, at: 0)
        let cells = engine.records.cells
        var statistics = WindowStatistics(
            paneCounts: engine.windowPaneCounts,
            gaugeCount: cells.count
        )
        if let lastTimestamp {
            let newest = engine.records.panePosition(of: lastTimestamp)
            statistics.gather(engine.records, words, at: 0, newest, engine.kernels)
        }
        windows = engine.transform.windowHours.enumerated().map { window, hours in
            Window(
                hours: hours,
                fill: statistics.fill[window],
                gauges: cells.enumerated().map { gauge, cell in
                    let sums = statistics.totals(window: window, gauge: gauge)
                    let kept = engine.transform.layout.gauges[gauge]
                    let isEmpty = sums.count == 0
                    return Gauge(
                        sensor: cell.sensor,
                        count: Int(sums.count),
                        mean: isEmpty ? 0 : sums.mean(cell),
                        standardDeviation: kept.keepsSquares ? sums.standardDeviation(cell) : nil,
                        maximum: kept.keepsMaximum ? (isEmpty ? 0 : sums.maximum(cell)) : nil
                    )
                }
            )
        }
    }
}

extension StateStore {
    /// What is kept of a machine, nil where it is not known.
    package func snapshot(id: Span<UInt8>, engine: FeatureEngine) -> MachineSnapshot? {
        record(id: id).map { MachineSnapshot($0, engine: engine) }
    }
}
