// SPDX-License-Identifier: MIT

import JSON
import TestSupport
import Testing

@testable import Drift

struct DriftReportTests {
    /// Rows of a made-up fleet: each machine has a level of its own in each column.
    private struct Fleet {
        var generator: SplitMix
        var machines = 20
        var rowsEach = 40
        var columns = 10
        /// How much of a column's variance is the machine's.
        var level = 0.4

        init(seed: UInt64) { generator = SplitMix(seed: seed) }

        /// Roughly normal, of variance 1.
        mutating func noise() -> Double {
            // Four numbers of sixteen bits from one.
            let bits = generator.next()
            let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
            return (Double(sum) / 65536 - 2) * 3.0.squareRoot()
        }

        /// A sample whose first `shifted` columns are moved.
        mutating func sample(shifted: Int = 0, by shift: Double = 0, common: Double = 0)
            -> DriftSample
        {
            var values = Array(repeating: [Double](), count: columns)
            var codes: [Int32] = []
            let worn = common * noise()
            for machine in 0..<machines {
                let shared = noise()
                for column in 0..<columns {
                    let own = level.squareRoot() * (0.7 * shared + 0.7 * noise() + worn)
                    for _ in 0..<rowsEach {
                        let value = own + (1 - level).squareRoot() * noise()
                        values[column].append(value + (column < shifted ? shift : 0))
                    }
                }
                codes += Array(repeating: Int32(machine), count: rowsEach)
            }
            return DriftSample(columns: values, machines: MachineRows(codes: codes))
        }
    }

    private func report(
        _ reference: DriftSample,
        _ current: DriftSample,
        columns: [DriftColumn]? = nil,
        rule: DriftRule = DriftRule()
    ) -> DriftReport {
        let columns = columns ?? reference.columns.indices.map { DriftColumn("c\($0)") }
        return DriftReport(
            columns.enumerated().map { index, column in
                ColumnDrift(
                    column,
                    index: index,
                    reference: reference,
                    current: current,
                    rule: rule
                )
            },
            rule: rule
        )
    }

    @Test func saysNullOfWhatIsNotFinite() throws {
        let ends = (0..<100).map { $0.isMultiple(of: 2) ? 1e308 : -1e308 }
        let report = report(
            DriftSample(columns: [ends]),
            DriftSample(columns: [ends.map { -$0 / 2 }])
        )
        #expect(report.features[0].drift.histogram.borders.isEmpty)
        let codes = (0..<100).map { Int32($0 % 20) }
        let byMachine = self.report(
            DriftSample(columns: [ends], machines: MachineRows(codes: codes)),
            DriftSample(columns: [ends], machines: MachineRows(codes: codes))
        )
        #expect(byMachine.features.count == 1)
        let text = JSONValue.object(report.json(machines: [])).serialized()
        #expect(try JSONValue.parse(text)["features"] != nil)
        #expect(JSONValue.finite(.infinity) == .null && JSONValue.finite(.nan) == .null)
        #expect(JSONValue.finite(1.5) == 1.5)
    }

    @Test func machinesThatDifferByChanceAreNoDrift() {
        var plain = 0
        for seed in 0..<15 {
            var fleet = Fleet(seed: UInt64(seed))
            let report = report(fleet.sample(), fleet.sample())
            #expect(!report.isDrift, "seed \(seed)")
            #expect(report.faults.isEmpty && report.comparesMachines)
            plain += report.isPlainDrift ? 1 : 0
        }
        // Rows taken for independent call almost every window drift.
        #expect(plain >= 11)
    }

    @Test func shiftOfAThirdOfTheFeaturesIsDrift() {
        for seed in 0..<6 {
            var fleet = Fleet(seed: UInt64(seed))
            fleet.machines = 40
            let report = report(fleet.sample(), fleet.sample(shifted: 4, by: 0.8))
            #expect(report.isDrift, "seed \(seed): \(report.share)")
        }
    }

    @Test func shiftOfAsMuchAsTheLimitIsNone() {
        var fleet = Fleet(seed: 4)
        fleet.level = 0
        let reference = DriftSample(columns: fleet.sample().columns)
        // Three of ten are 30 %, which is not more than 30 %.
        for (shifted, isDrift) in [(3, false), (4, true)] {
            let current = DriftSample(columns: fleet.sample(shifted: shifted, by: 1).columns)
            #expect(report(reference, current).isDrift == isDrift)
        }
    }

    @Test func rowsWithoutMachinesAreTestedAsTheyAre() {
        var fleet = Fleet(seed: 5)
        fleet.level = 0
        let reference = DriftSample(columns: fleet.sample().columns)
        let same = DriftSample(columns: fleet.sample().columns)
        let other = DriftSample(columns: fleet.sample(shifted: 5, by: 0.5).columns)
        #expect(!report(reference, same).isDrift && !report(reference, same).comparesMachines)
        let drifted = report(reference, other)
        #expect(drifted.isDrift && drifted.share == 0.5)
        #expect(
            drifted.features[0].drift.tests?.pValue
                == drifted.features[0].drift.tests?.effectivePValue
        )
    }

    @Test func smallDifferencesOfManyRowsAreNoDrift() {
        var fleet = Fleet(seed: 6)
        (fleet.level, fleet.machines, fleet.columns) = (0, 500, 3)
        let reference = DriftSample(columns: fleet.sample().columns)
        let current = DriftSample(columns: fleet.sample(shifted: 3, by: 0.1).columns)
        let report = report(reference, current)
        #expect(report.isPlainDrift && !report.isDrift)
    }

    @Test func stuckSensorIsNamedAndExcludesItsFeatures() throws {
        var fleet = Fleet(seed: 7)
        let reference = fleet.sample()
        var current = fleet.sample()
        for row in 45..<80 { current.columns[2][row] = current.columns[2][44] }
        var columns = (0..<10).map { DriftColumn("c\($0)") }
        columns[3].sensors = ["c2", "c3"]
        let report = report(reference, current, columns: columns)
        let fault = try #require(report.faults.first)
        #expect(report.faults.count == 1 && fault.column.name == "c2")
        #expect(fault.fault == SensorFault(kind: .stuck, machine: 1, rows: 36))
        #expect(report.features.map(\.isExcluded) == (0..<10).map { $0 == 2 || $0 == 3 })
        #expect(!report.isDrift)
    }

    /// What is left while most features are fed by broken sensors is not the world.
    @Test(arguments: [(5, true), (6, false)])
    func theFewThatBrokenSensorsLeaveTellNothing(faulty: Int, isDrift: Bool) {
        var fleet = Fleet(seed: 11)
        fleet.level = 0
        let reference = fleet.sample()
        var current = fleet.sample(shifted: 10, by: 2)
        for column in 0..<faulty {
            for row in 45..<80 { current.columns[column][row] = current.columns[column][44] }
        }
        let report = report(reference, current)
        #expect(report.isDrift == isDrift && report.isMuted != isDrift)
        #expect(report.share > 0.9)
    }

    /// How long sensors of a fleet that is in order may stick a sorted sample does not tell.
    @Test(arguments: [(40, 0), (41, 1)])
    func aRunAgainstASortedReferenceHasToBePartOfTheFleet(rows: Int, faults: Int) {
        var fleet = Fleet(seed: 12)
        (fleet.machines, fleet.rowsEach) = (80, 50)
        let kept = DriftSample(columns: fleet.sample().columns.map { $0.sorted() }, isSorted: true)
        var current = fleet.sample()
        for row in 1..<rows { current.columns[0][row] = current.columns[0][0] }
        var columns = (0..<10).map { DriftColumn("c\($0)") }
        columns[0].stuckAfter = 10
        #expect(report(kept, current, columns: columns).faults.count == faults)
    }

    @Test func missingAndOutOfRangeAreFaultsBeyondTheirLimit() {
        var fleet = Fleet(seed: 8)
        (fleet.columns, fleet.machines, fleet.rowsEach) = (2, 10, 20)
        let reference = fleet.sample()
        var columns = [DriftColumn("a"), DriftColumn("b")]
        columns[1].range = -50...50
        for (missing, outside, kinds) in [
            (10, 2, []), (11, 2, [SensorFault.Kind.missing]), (10, 3, [.outOfRange]),
        ] {
            var current = fleet.sample()
            for row in 0..<missing { current.columns[0][row] = .nan }
            for row in 0..<outside { current.columns[1][row] = 1000 }
            let report = report(reference, current, columns: columns)
            #expect(report.faults.map(\.fault.kind) == kinds)
            #expect(report.features[0].drift.current.count == 200 - missing)
            #expect(report.features[1].drift.current.outOfRange == outside)
        }
    }

    @Test func columnsWithoutValuesOrWithOneValueSayNothing() {
        let reference = DriftSample(columns: [[1, 1, 1], [1, 2, 3], [1, 1, 1]])
        let current = DriftSample(columns: [[1, 1, 1], [.nan, .nan, .nan], [1, 1, 2]])
        let report = report(reference, current)
        #expect(report.features.map(\.isExcluded) == [true, true, false])
        #expect(report.features[1].drift.tests == nil && report.share == 0)
    }

    @Test func categoriesAreComparedByChiSquare() throws {
        let column = DriftColumn("mode", kind: .category(["a", "b"]))
        let reference = DriftSample(columns: [(0..<200).map { Double($0 % 2) }])
        let current = DriftSample(columns: [
            (0..<200).map { $0 % 10 == 0 ? 0 : $0 % 50 == 1 ? 2 : 1 }
        ])
        let report = report(reference, current, columns: [column])
        let tests = try #require(report.features[0].drift.tests)
        #expect(tests.wasserstein == nil && tests.pValue < 1e-10)
        #expect(abs(tests.distance - 0.4) < 1e-12)
        #expect(report.faults.map(\.fault.kind) == [.unseenCategory])
    }

    @Test func sortedReferenceOfABundleHasNoMachines() {
        var fleet = Fleet(seed: 9)
        let kept = DriftSample(columns: fleet.sample().columns.map { $0.sorted() }, isSorted: true)
        var current = fleet.sample()
        #expect(!report(kept, current).isDrift && !report(kept, current).comparesMachines)
        // No runs are known, but equal values are rare: two dozen in a row are a stuck sensor.
        for row in 1..<24 { current.columns[0][row] = current.columns[0][0] }
        #expect(report(kept, current).faults.isEmpty)
        current.columns[0][24] = current.columns[0][0]
        #expect(report(kept, current).faults.map(\.fault.rows) == [25])
    }

    @Test func jsonTellsWhatDecided() throws {
        var fleet = Fleet(seed: 10)
        let report = report(fleet.sample(), fleet.sample(shifted: 5, by: 2))
        let json = JSONValue.object(report.json(machines: (0..<20).map { "m\($0)" }))
        let again = try JSONValue.parse(json.serialized(isPretty: true))
        #expect(again["format"] == 1 && again["drift"] == true)
        guard case .array(let features) = again["features"] else { throw CancellationError() }
        #expect(features.count == 10 && features[0]["drifts"] == true)
        #expect(features[0]["test"] == "kolmogorov_smirnov")
    }
}
