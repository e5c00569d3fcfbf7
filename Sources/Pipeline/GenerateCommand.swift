// SPDX-License-Identifier: MIT

import ArgumentParser
import Platform
import Training

/// Simulates a fleet and writes its readings.
struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Simulates a fleet of wearing machines and writes labelled readings."
    )

    @Option(help: "Number of machines.")
    var machines = SimulationConfiguration().machines

    @Option(help: "Days that are simulated.")
    var days = SimulationConfiguration().days

    @Option(name: .customLong("interval"), help: "Minutes between two readings of a machine.")
    var intervalMinutes = SimulationConfiguration().intervalMinutes

    @Option(help: "The same seed gives the same bytes.")
    var seed = SimulationConfiguration().seed

    @Option(help: "The file to write.")
    var output = "data/sample_sensor_data.csv"

    @Option(help: "A file to write when and how each machine failed to.")
    var events: String?

    private func simulator() throws(SimulationError) -> FleetSimulator {
        var configuration = SimulationConfiguration()
        configuration.machines = machines
        configuration.days = days
        configuration.intervalMinutes = intervalMinutes
        configuration.seed = seed
        return try FleetSimulator(configuration)
    }

    func validate() throws {
        do { _ = try simulator() } catch { throw ValidationError("\(error)") }
    }

    func run() throws {
        let simulator = try simulator()
        try reporting { () throws(TrainingError) in
            let report: SimulationReport
            do throws(FileError) {
                try FileAccess.makeDirectory(FileAccess.parent(of: output))
                report = try simulator.write(to: output)
                if let events {
                    try FileAccess.makeDirectory(FileAccess.parent(of: events))
                    try FleetSimulator.write(events: report.events, to: events)
                }
            } catch {
                throw .file(error)
            }
            printReport(report)
            Console.line("wrote \(output)")
        }
    }

    private func printReport(_ report: SimulationReport) {
        let modes = FailureMode.allCases.map { "\($0.name) \(report.failureCount($0))" }
        Console.line(
            "\(report.rowCount) rows of \(report.machineCount) machines, failure rate "
                + Console.number(report.failureRate)
        )
        Console.line(
            "failures: \(modes.joined(separator: ", ")); planned maintenance "
                + "\(report.maintenanceCount)"
        )
        Console.line(
            "values: \(report.dropoutCount) lost, \(report.stuckCount) stuck, "
                + "\(report.glitchCount) impossible"
        )
        Console.line(
            "oracle (the true hidden state): ROC-AUC \(Console.number(report.oracleROCAUC)), "
                + "PR-AUC \(Console.number(report.oraclePRAUC))"
        )
    }
}
