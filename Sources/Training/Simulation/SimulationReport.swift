// SPDX-License-Identifier: MIT

/// What a simulation made.
package struct SimulationReport: Equatable, Sendable {
    /// The seed it was made from.
    package let seed: UInt64
    /// Number of machines.
    package let machineCount: Int
    /// Labelled rows.
    package private(set) var rowCount = 0
    /// Rows within 24 hours of a failure.
    package private(set) var positiveCount = 0
    /// Failures of each mode, also those no row is left of.
    package private(set) var failures = [Int](repeating: 0, count: FailureMode.allCases.count)
    /// One failure of one machine.
    package struct Event: Equatable, Sendable {
        /// The machine's number, from 0.
        package let machine: Int
        /// Microseconds since the epoch.
        package let timestamp: Int64
        /// How it failed.
        package let mode: FailureMode
    }

    /// All failures by machine, then time.
    package private(set) var events: [Event] = []
    /// Planned maintenances.
    package private(set) var maintenanceCount = 0
    /// Values lost between gauge and file, also in rows that were left out.
    package private(set) var dropoutCount = 0
    /// Values that repeat the one before since the gauge was stuck.
    package private(set) var stuckCount = 0
    /// Values that no such machine can have.
    package private(set) var glitchCount = 0
    /// Area under the ROC curve of the true probability: no model can be expected to beat it.
    ///
    /// Nil where all rows are of one class.
    package private(set) var oracleROCAUC: Double?
    /// Average precision of the true probability; nil where no row is before a failure.
    package private(set) var oraclePRAUC: Double?

    private var probabilities: [Double] = []
    private var labels: [UInt8] = []

    /// Part of the rows that are within 24 hours of a failure.
    package var failureRate: Double {
        rowCount == 0 ? 0 : Double(positiveCount) / Double(rowCount)
    }

    /// The number of failures of a mode.
    package func failureCount(_ mode: FailureMode) -> Int { failures[mode.rawValue] }

    init(_ configuration: SimulationConfiguration) {
        seed = configuration.seed
        machineCount = configuration.machines
    }

    mutating func add(_ reading: SimulatedReading) {
        rowCount += 1
        if reading.isFailing { positiveCount += 1 }
        probabilities.append(reading.failureProbability)
        labels.append(reading.isFailing ? 1 : 0)
    }

    mutating func add(_ simulator: MachineSimulator, machine: Int) {
        for (timestamp, mode) in simulator.events {
            events.append(Event(machine: machine, timestamp: timestamp, mode: mode))
        }
        for mode in failures.indices { failures[mode] += simulator.failures[mode] }
        maintenanceCount += simulator.maintenanceCount
        dropoutCount += simulator.faults.dropoutCount
        stuckCount += simulator.faults.stuckCount
        glitchCount += simulator.faults.glitchCount
    }

    mutating func finish() {
        oracleROCAUC = RankingMetrics.rocAUC(scores: probabilities, labels: labels)
        oraclePRAUC = RankingMetrics.averagePrecision(scores: probabilities, labels: labels)
        probabilities = []
        labels = []
    }
}
