// SPDX-License-Identifier: MIT

/// Why a simulation cannot run.
package enum SimulationError: Error, Equatable, CustomStringConvertible {
    /// A setting is outside its bounds.
    case outOfRange(setting: String, value: Int, range: ClosedRange<Int>)
    /// The interval leaves a rest in a day, so 24 hours would not be a whole number of rows.
    case unevenInterval(minutes: Int)
    /// The settings ask for more rows than a run may make.
    case tooManyRows(count: Int, limit: Int)

    package var description: String {
        switch self {
        case .outOfRange(let setting, let value, let range):
            "\(setting) is \(value); it must be \(range.lowerBound) to \(range.upperBound)"
        case .unevenInterval(let minutes): "an interval of \(minutes) minutes does not divide a day"
        case .tooManyRows(let count, let limit):
            "machines, days and interval give \(count) rows; the limit is \(limit)"
        }
    }
}

/// What fleet to simulate, and for how long.
package struct SimulationConfiguration: Equatable, Sendable {
    /// Number of machines (default 150: enough that a fifth of them judges a model).
    package var machines = 150
    /// Length of the record in days (default 60: several lives of each machine).
    package var days = 60
    /// Minutes between two readings of a machine; divides a day (default 60).
    package var intervalMinutes = 60
    /// Seed of everything random (default 42).
    package var seed: UInt64 = 42
    /// Microseconds since the epoch of the first reading (default 2024-01-01T00:00:00Z, a Monday).
    package var startMicroseconds: Int64 = 1_704_067_200_000_000

    /// Bounds of ``machines``.
    package static let machinesRange = 1...100_000
    /// Bounds of ``days``: the last day of a record is never labelled, so one is not enough.
    package static let daysRange = 2...3650
    /// Bounds of ``intervalMinutes``.
    package static let intervalMinutesRange = 1...1440
    /// Most readings of one run, before those are taken off that cannot be labelled.
    package static let rowCountMax = 1_000_000_000

    /// Makes the default configuration.
    package init() {}

    /// Checks the bounds.
    ///
    /// - Throws: ``SimulationError`` for the first setting that is outside its bounds.
    package func validate() throws(SimulationError) {
        let settings = [
            ("machines", machines, Self.machinesRange), ("days", days, Self.daysRange),
            ("interval", intervalMinutes, Self.intervalMinutesRange),
        ]
        for (name, value, range) in settings where !range.contains(value) {
            throw .outOfRange(setting: name, value: value, range: range)
        }
        guard 1440 % intervalMinutes == 0 else { throw .unevenInterval(minutes: intervalMinutes) }
        let count = machines * stepCount
        guard count <= Self.rowCountMax else {
            throw .tooManyRows(count: count, limit: Self.rowCountMax)
        }
    }

    /// Readings of one machine in the whole record if it never stood still.
    var stepCount: Int { days * stepsPerDay }
    /// Readings in a day, which is also the label's horizon.
    var stepsPerDay: Int { 1440 / intervalMinutes }
    /// Hours between two readings.
    var stepHours: Double { Double(intervalMinutes) / 60 }
}
