// SPDX-License-Identifier: MIT

import Platform
import Testing
import Training

struct FleetSimulatorTests {
    private func configuration(
        machines: Int,
        days: Int,
        intervalMinutes: Int = 60,
        seed: UInt64 = 42
    ) -> SimulationConfiguration {
        var configuration = SimulationConfiguration()
        configuration.machines = machines
        configuration.days = days
        configuration.intervalMinutes = intervalMinutes
        configuration.seed = seed
        return configuration
    }

    private func readings(
        _ configuration: SimulationConfiguration
    ) throws -> (readings: [SimulatedReading], report: SimulationReport) {
        var readings: [SimulatedReading] = []
        let report = try FleetSimulator(configuration).run { (reading: SimulatedReading) in
            readings.append(reading)
        }
        return (readings, report)
    }

    @Test func makesTheFleetThatTheDefaultsPromise() throws {
        let report = try readings(SimulationConfiguration()).report
        #expect(report.rowCount > 150_000)
        #expect((0.09...0.15).contains(report.failureRate))
        let roc = try #require(report.oracleROCAUC)
        let pr = try #require(report.oraclePRAUC)
        #expect((0.97...0.99).contains(roc))
        #expect((0.85...0.95).contains(pr))
        for mode in FailureMode.allCases { #expect(report.failureCount(mode) > 100) }
        #expect(report.maintenanceCount > 100)
        #expect(report.dropoutCount > 0 && report.stuckCount > 0 && report.glitchCount > 0)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func keepsTheFailureRateForOtherSeeds(seed: UInt64) throws {
        let report = try readings(configuration(machines: 100, days: 60, seed: seed)).report
        #expect((0.09...0.15).contains(report.failureRate))
    }

    @Test func knowsTheTrueProbability() throws {
        // 24 correlated rows a failure: 2000 failures put a bin's rate within a few hundredths.
        let rows = try readings(configuration(machines: 300, days: 60, seed: 9)).readings
        var sums = [(expected: Double, failing: Double, count: Double)](
            repeating: (0, 0, 0),
            count: 10
        )
        for row in rows {
            let bin = min(9, Int(row.failureProbability * 10))
            sums[bin].expected += row.failureProbability
            sums[bin].failing += row.isFailing ? 1 : 0
            sums[bin].count += 1
        }
        for (bin, sum) in sums.enumerated() {
            let difference = abs(sum.expected - sum.failing) / sum.count
            #expect(difference < (bin == 0 ? 0.004 : 0.08), "bin \(bin): \(sum)")
        }
        let expected = sums.reduce(0) { $0 + $1.expected }
        let failing = sums.reduce(0) { $0 + $1.failing }
        #expect(abs(expected / failing - 1) < 0.05)
    }

    @Test func labelsExactlyTheRowsOfTheDayBeforeAFailure() throws {
        let (rows, report) = try readings(configuration(machines: 40, days: 90))
        let day: Int64 = 86_400_000_000
        let hour: Int64 = 3_600_000_000
        let end = SimulationConfiguration().startMicroseconds + 90 * day
        var endsOfPositiveRuns = 0
        for (row, next) in zip(rows, rows.dropFirst()) {
            #expect(row.timestamp + day <= end)
            guard row.machine == next.machine else { continue }
            #expect(next.timestamp > row.timestamp)
            #expect(next.operatingHours > row.operatingHours)
            let gap = next.timestamp - row.timestamp
            if row.isFailing, gap == hour {
                // Once a failure is near it stays near until the machine stands still.
                #expect(next.isFailing)
            } else if row.isFailing {
                endsOfPositiveRuns += 1
                // A repair takes twelve hours at least, and there are no rows meanwhile.
                #expect(gap >= 12 * hour)
            }
        }
        #expect(endsOfPositiveRuns > 100)
        #expect(
            endsOfPositiveRuns <= FailureMode.allCases.reduce(0) { $0 + report.failureCount($1) }
        )
    }

    @Test func neverLabelsMoreThanADayOfRowsPerFailure() throws {
        let rows = try readings(configuration(machines: 40, days: 90, intervalMinutes: 30)).readings
        var run = 0
        var longest = 0
        for (index, row) in rows.enumerated() {
            let isNewMachine = index == 0 || rows[index - 1].machine != row.machine
            let isGap = index > 0 && row.timestamp - rows[index - 1].timestamp > 1_800_000_000
            run = row.isFailing ? (isNewMachine || isGap ? 1 : run + 1) : 0
            longest = max(longest, run)
        }
        #expect(longest == 48)
    }

    @Test func givesTheSameBytesForTheSameSeed() throws {
        let directory = "/tmp/simulator-tests-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(directory)
        defer { try? FileAccess.remove(directory) }
        func bytes(_ seed: UInt64) throws -> [UInt8] {
            let path = "\(directory)/\(seed).csv"
            let simulator = try FleetSimulator(configuration(machines: 3, days: 20, seed: seed))
            _ = try simulator.write(to: path)
            return try FileAccess.read(path)
        }
        let first = try bytes(1)
        #expect(try bytes(1) == first)
        // FNV-1a of the bytes as first written: another machine or compiler must not change them.
        let hash = first.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        #expect(hash == 0x306F_2CBE_EB85_A1C5)
        #expect(try bytes(2) != first)
        let start = "timestamp,equipment_id,temperature,vibration,pressure,rotation_speed,current,"
        #expect(
            first.starts(
                with: Array("\(start)operating_hours,failure\n2024-01-01T00:00:00Z,EQ001,".utf8)
            )
        )
    }

    @Test func extendsAFleetWithoutChangingItsMachines() throws {
        let small = try readings(configuration(machines: 2, days: 30)).readings
        let large = try readings(configuration(machines: 3, days: 30)).readings
        #expect(large.filter { $0.machine < 2 } == small)
    }

    @Test func writesAFileThatTheReaderTakes() throws {
        let path = "/tmp/simulator-tests-\(UInt64.random(in: 0 ... .max)).csv"
        defer { try? FileAccess.remove(path) }
        let simulator = try FleetSimulator(configuration(machines: 5, days: 30))
        let report = try simulator.write(to: path)
        let table = try TableReader.read(
            try TableReader.load(path),
            columns: [
                ColumnRequest("timestamp", .timestamp(.text(naiveOffsetMinutes: 0))),
                ColumnRequest("equipment_id", .category), ColumnRequest("temperature", .number),
                ColumnRequest("failure", .number),
            ]
        )
        #expect(table.rowCount == report.rowCount)
        #expect(
            table.columns[1].categories?.categories == [
                "EQ001", "EQ002", "EQ003", "EQ004", "EQ005",
            ]
        )
        let failing = table.columns[3].numbers?.count { $0 == 1 }
        #expect(failing == report.positiveCount)
        #expect(table.columns[2].numbers?.contains(where: \.isNaN) == true)
    }

    @Test(arguments: [
        (1, 2, 1440), (1, 2, 1), (1, 3650, 1440),
    ])
    func takesSettingsAtTheirBounds(machines: Int, days: Int, interval: Int) throws {
        let report = try readings(
            configuration(machines: machines, days: days, intervalMinutes: interval)
        ).report
        #expect(report.rowCount <= machines * days * 1440 / interval)
    }

    @Test(arguments: [
        (0, 2, 60, "machines is 0; it must be 1 to 100000"),
        (100_001, 2, 60, "machines is 100001; it must be 1 to 100000"),
        (1, 1, 60, "days is 1; it must be 2 to 3650"),
        (1, 3651, 60, "days is 3651; it must be 2 to 3650"),
        (1, 2, 0, "interval is 0; it must be 1 to 1440"),
        (1, 2, 1441, "interval is 1441; it must be 1 to 1440"),
        (1, 2, 7, "an interval of 7 minutes does not divide a day"),
        (
            100_000, 3650, 1,
            "machines, days and interval give 525600000000 rows; the limit is 1000000000"
        ),
    ])
    func refusesSettingsBeyondTheirBounds(machines: Int, days: Int, interval: Int, text: String) {
        let error = #expect(throws: SimulationError.self) {
            try FleetSimulator(
                configuration(machines: machines, days: days, intervalMinutes: interval)
            )
        }
        #expect(error?.description == text)
    }

    @Test func namesEquipmentByNumber() {
        #expect(FleetSimulator.equipmentID(0) == "EQ001")
        #expect(FleetSimulator.equipmentID(998) == "EQ999")
        #expect(FleetSimulator.equipmentID(999) == "EQ1000")
    }
}
