// SPDX-License-Identifier: MIT

package import Platform

/// Simulates a fleet of machines that wear, fail, are repaired and maintained.
///
/// Each machine draws from a stream of its own, so a larger fleet holds the smaller one of the same
/// seed; the same configuration gives the same bytes on every machine.
package struct FleetSimulator: Sendable {
    /// What is simulated.
    package let configuration: SimulationConfiguration

    /// The columns of the file.
    package static let header = [
        "timestamp", "equipment_id", "temperature", "vibration", "pressure", "rotation_speed",
        "current", "operating_hours", "failure",
    ]

    /// Makes a simulator.
    ///
    /// - Throws: ``SimulationError`` where a setting is outside its bounds.
    package init(_ configuration: SimulationConfiguration) throws(SimulationError) {
        try configuration.validate()
        self.configuration = configuration
    }

    /// The id of a machine of the fleet: `EQ001` for the first.
    package static func equipmentID(_ machine: Int) -> String {
        let digits = String(machine + 1)
        return "EQ" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// Simulates the fleet and hands out its labelled readings, machine by machine in time order.
    ///
    /// - Returns: What was made, and how well it can be predicted at best.
    package func run<Failure: Error>(
        _ body: (SimulatedReading) throws(Failure) -> Void
    ) throws(Failure) -> SimulationReport {
        var report = SimulationReport(configuration)
        for machine in 0..<configuration.machines {
            var simulator = MachineSimulator(configuration, machine: machine)
            try simulator.run { (reading: SimulatedReading) throws(Failure) in
                report.add(reading)
                try body(reading)
            }
            report.add(simulator, machine: machine)
        }
        report.finish()
        return report
    }

    /// Writes when and how each machine failed, as comma-separated values.
    ///
    /// - Throws: ``FileError``; then the file of that name is what it was before.
    package static func write(
        events: [SimulationReport.Event],
        to path: String
    ) throws(FileError) {
        var writer = try TableWriter(path, header: ["timestamp", "equipment_id", "mode"])
        for event in events {
            writer.append(timestamp: event.timestamp)
            writer.append(equipmentID(event.machine))
            writer.append(event.mode.name)
            try writer.endRow()
        }
        try writer.finish()
    }

    /// Simulates the fleet and writes its readings as comma-separated values.
    ///
    /// - Throws: ``FileError``; then the file of that name is what it was before.
    package func write(to path: String) throws(FileError) -> SimulationReport {
        var writer = try TableWriter(path, header: Self.header)
        var id = ""
        var machine = -1
        let report = try run { (reading: SimulatedReading) throws(FileError) in
            if reading.machine != machine {
                machine = reading.machine
                id = Self.equipmentID(machine)
            }
            writer.append(timestamp: reading.timestamp)
            writer.append(id)
            for gauge in reading.gauges.indices { writer.append(reading.gauges[gauge]) }
            // An hour meter shows hundredths; sums of thirds of an hour have endless digits.
            writer.append((reading.operatingHours * 100).rounded() / 100)
            writer.append(reading.isFailing ? 1 : 0)
            try writer.endRow()
        }
        try writer.finish()
        return report
    }
}
