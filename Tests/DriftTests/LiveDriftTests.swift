// SPDX-License-Identifier: MIT

import Drift
import JSON
import TestSupport
import Testing

/// A made-up fleet of sixteen sensors, each read as it is and as a mean.
private struct Fleet {
    static let sensorCount = 16
    static let shape = SketchShape(
        columnCount: 2 * sensorCount + 2,
        borders: (0...2 * sensorCount + 1).flatMap { column in
            (1...15).map { border in
                let place = Float(border)
                if column == 0 { return place * 12 }
                return column <= sensorCount ? (place - 6) * 0.35 : (place - 5) * 0.25
            }
        },
        ageColumn: 0,
        ageBorders: [33, 66, 100, 133, 166]
    )

    /// Sensors wear by so much in a life.
    static let wear: Float = 2

    var generator: SplitMix
    var shift: (inout [Float]) -> Void = { _ in }

    init(seed: UInt64, shift: @escaping (inout [Float]) -> Void = { _ in }) {
        generator = SplitMix(seed: seed)
        self.shift = shift
    }

    /// About normal, of deviation 1.
    mutating func noise() -> Float {
        (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &generator) }
    }

    /// Rows of machines up to an age, given out one by one.
    mutating func rows(machines: Int, ages: Int, _ take: ([Float], UInt64) -> Void) {
        for _ in 0..<machines {
            let machine = UInt64.random(in: 0 ... .max, using: &generator)
            let common = noise() * 0.2
            let offsets = (0..<Self.sensorCount).map { _ in noise() * 0.15 + common }
            for age in 0..<ages {
                let worn = Self.wear * Float(age) / 200
                var levels = offsets.map { $0 + worn }
                shift(&levels)
                let readings = levels.map { $0 + noise() }
                let means = levels.map { $0 + noise() / 8 }
                take([Float(age)] + readings + means, machine)
            }
        }
    }

    static let reference: FleetReference = {
        var fleet = Fleet(seed: 1)
        var reference = FleetReference(shape, machineCount: 80)
        var place: UInt64 = 0
        var last: UInt64?
        fleet.rows(machines: 80, ages: 200) { row, machine in
            if machine != last { place += 1 }
            last = machine
            reference.add(row.span, at: 0, score: row[1], machine: (place % 16) << 60)
        }
        return reference
    }()

    static var columns: [LiveColumn] {
        [LiveColumn(name: "age", sensors: [0], isMeasured: false)]
            + (0..<2 * sensorCount).map { index in
                LiveColumn(
                    name: "f\(index)",
                    sensors: [1 + index % sensorCount],
                    isMeasured: true
                )
            } + [LiveColumn(name: "score", sensors: [], isMeasured: false)]
    }

    mutating func verdict(
        _ reference: FleetReference,
        ages: Int = 50,
        faulty: Set<Int> = []
    ) -> WindowVerdict {
        var sketch = FleetSketch(Self.shape)
        rows(machines: 20, ages: ages) { row, machine in
            sketch.add(row.span, at: 0, score: row[1], machine: machine)
        }
        return WindowVerdict(
            sketch,
            reference: reference,
            columns: Self.columns,
            faulty: faulty,
            rule: DriftRule()
        )
    }
}

@Suite struct LiveDriftTests {
    private let shape = SketchShape(
        columnCount: 2,
        borders: (0..<2).flatMap { _ in (1...15).map { Float($0) } },
        ageColumn: nil,
        ageBorders: []
    )

    @Test(
        arguments: [
            (-Float.infinity, 0), (1, 0), (1.5, 1), (2, 1), (8, 7), (8.5, 8), (15, 14), (15.5, 15),
            (.infinity, 15),
        ] as [(Float, Int)]
    )
    func countsUpToABorderBelowIt(value: Float, bin: Int) {
        var sketch = FleetSketch(shape)
        sketch.add([99, value].span, at: 1, score: 4.5, machine: 3 << 60)
        for (place, count) in sketch.counts.enumerated() {
            let isCounted = place == 3 * 32 + bin || place == 3 * 32 + 16 + 4
            #expect(count == (isCounted ? 1 : 0), "\(place)")
        }
        #expect(sketch.rowCount == 1 && sketch.groupCount == 1)
    }

    @Test func mergesAndForgets() {
        var (first, second) = (FleetSketch(shape), FleetSketch(shape))
        first.add([1].span, at: 0, score: 1, machine: 0)
        second.add([9].span, at: 0, score: 9, machine: 1 << 60)
        var sum = first
        sum.merge(second)
        #expect(sum.rowCount == 2 && sum.groupCount == 2)
        sum.reset()
        #expect(sum == FleetSketch(shape))
    }

    @Test func takesRowsWhoseValuesOthersCounted() {
        var (whole, noted) = (FleetSketch(shape), FleetSketch(shape))
        let borders = shape.paddedBorders
        var above = Array(repeating: UInt32(0), count: SketchShape.groupCount * borders.count)
        for number in 0..<500 {
            let machine = UInt64(number % 37) &* 0x9E37_79B9_7F4A_7C15
            let row = [Float(number % 23) - 2, number % 11 == 0 ? .nan : Float(number % 19)]
            whole.add([row[0]].span, at: 0, score: row[1], machine: machine)
            let group = noted.note([row[0]].span, at: 0, machine: machine)
            for (index, border) in borders.enumerated() where row[index / 16] > border {
                above[group * borders.count + index] += 1
            }
        }
        noted.addAbove(above)
        #expect(noted == whole)
    }

    @Test func isReadAgainFromAFile() throws {
        var sketch = FleetSketch(shape)
        for machine in 0..<200 {
            let hash = UInt64(machine) &* 0x9E37_79B9_7F4A_7C15
            sketch.add([Float(machine % 20)].span, at: 0, score: Float(machine % 7), machine: hash)
        }
        let text = sketch.json.serialized()
        let again = try FleetSketch(shape, json: JSONView(JSONValue.parse(text)))
        #expect(again == sketch && again.machineCount == sketch.machineCount)
        #expect(throws: JSONShapeError.self) {
            try FleetSketch(Fleet.shape, json: JSONView(JSONValue.parse(text)))
        }
        for number in ["-1", "4294967296"] {
            var broken = String(decoding: text, as: UTF8.self)
            broken.replace("\"rows\":[", with: "\"rows\":[\(number),")
            #expect(throws: JSONShapeError.self) {
                try FleetSketch(shape, json: JSONView(JSONValue.parse(Array(broken.utf8))))
            }
        }
    }

    @Test(arguments: [1, 5, 20, 1000, 5000])
    func countsMachinesInFixedMemory(number: Int) {
        var generator = SplitMix(seed: 7)
        var sketch = FleetSketch(shape)
        for _ in 0..<number {
            let machine = UInt64.random(in: 0 ... .max, using: &generator)
            for _ in 0..<3 { sketch.add([1].span, at: 0, score: 1, machine: machine) }
        }
        #expect(abs(sketch.machineCount / Double(number) - 1) < 0.1)
    }

    @Test func keepsAReferenceAsATensor() {
        let reference = Fleet.reference
        #expect(reference.strata.count == 6)
        let again = FleetReference(Fleet.shape, machineCount: 80, tensor: reference.tensor)
        #expect(again.tensor == reference.tensor)
        #expect(again.strata.map(\.rows) == reference.strata.map(\.rows))
    }

    @Test func comparesMachinesWithThoseOfTheirAge() {
        let reference = Fleet.reference
        var called = 0
        for seed in 10..<18 {
            var fleet = Fleet(seed: UInt64(seed))
            let verdict = fleet.verdict(reference)
            called += verdict.drifts ? 1 : 0
            #expect(verdict.features[0].exclusion == .notMeasured)
        }
        #expect(called == 0)
        // A reference that knows no ages takes young machines for a changed world.
        let ageless = SketchShape(
            columnCount: Fleet.shape.columnCount,
            borders: Fleet.shape.borders,
            ageColumn: nil,
            ageBorders: []
        )
        var mixed = FleetReference(ageless, machineCount: 80)
        var (fleet, place) = (Fleet(seed: 1), UInt64(0))
        fleet.rows(machines: 80, ages: 200) { row, _ in
            place += 1
            mixed.add(row.span, at: 0, score: 0, machine: (place / 200 % 16) << 60)
        }
        var sketch = FleetSketch(ageless)
        fleet.rows(machines: 20, ages: 50) { row, machine in
            sketch.add(row.span, at: 0, score: 0, machine: machine)
        }
        let verdict = WindowVerdict(
            sketch,
            reference: mixed,
            columns: Fleet.columns,
            faulty: [],
            rule: DriftRule()
        )
        #expect(verdict.drifts)
    }

    @Test func seesAShiftOfHalfADeviationInAThirdOfTheSensors() {
        let reference = Fleet.reference
        for seed in 40..<44 {
            var fleet = Fleet(seed: UInt64(seed)) { row in
                for sensor in 0..<6 { row[sensor] += 0.55 }
            }
            let verdict = fleet.verdict(reference)
            #expect(verdict.drifts, "seed \(seed): \(verdict.share)")
            let names = Set(verdict.features.filter(\.drifts).map(\.column.name))
            #expect(names.isSuperset(of: (0..<6).map { "f\($0)" }))
        }
    }

    @Test func seesAnotherModeOfHalfTheMachines() {
        let reference = Fleet.reference
        for seed in 60..<64 {
            var count = 0
            var fleet = Fleet(seed: UInt64(seed)) { row in
                count += 1
                guard (count - 1) / 50 % 2 == 0 else { return }
                for sensor in row.indices { row[sensor] -= 6 }
            }
            #expect(fleet.verdict(reference).drifts, "seed \(seed)")
        }
    }

    @Test func lacksTheVoteOfFeaturesOfABrokenSensor() {
        let reference = Fleet.reference
        var fleet = Fleet(seed: 80) { row in for sensor in 0..<6 { row[sensor] += 3 } }
        let verdict = fleet.verdict(reference, faulty: [1, 2, 3, 4, 5, 6])
        #expect(!verdict.drifts)
        #expect(verdict.features.count { $0.exclusion == .sensorFault } == 12)
        // Most have none then, and of the world the few that are left tell nothing.
        #expect(!fleet.verdict(reference, faulty: Set(3...13)).drifts)
        // The score never has a say.
        #expect(verdict.score.column.name == "score" && !verdict.score.drifts)
    }
}
