// SPDX-License-Identifier: MIT

import Features
import Testing

struct FeatureEngineTests {
    private let values = [70.0, 3, 90, 1400, 20, 100]

    private func replacing(_ sensor: Int, _ value: Double) -> [Double] {
        var result = values
        result[sensor] = value
        return result
    }

    @Test func firstReadingHasNoSpreadAndNoRate() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        machine.take(hour, values)
        #expect(machine.feature("temperature_std_24h") == 0)
        #expect(machine.feature("temperature_rate") == 0)
        #expect(machine.scratch.flags == Array(repeating: [], count: 6))
    }

    @Test func sixthEqualReadingIsStuck() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        for step in 0..<7 {
            // A dropout neither counts nor starts anew.
            if step == 3 { machine.take(Int64(step) * hour + 1, replacing(0, .nan)) }
            machine.take(Int64(step) * hour + 2, values)
            #expect(machine.scratch.flags[0].contains(.stuck) == (step >= 5))
            #expect(!machine.scratch.flags[5].contains(.stuck))
        }
        machine.take(100 * hour, replacing(0, 70.5))
        #expect(!machine.scratch.flags[0].contains(.stuck))
        #expect(machine.scratch.flags[1].contains(.stuck))
    }

    @Test func zeroOfEitherSignIsTheSameReading() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        for step in 0..<6 { machine.take(Int64(step), replacing(1, step % 2 == 0 ? 0 : -0.0)) }
        #expect(machine.scratch.flags[1].contains(.stuck))
    }

    @Test(arguments: [
        (-50.0, true), (250, true), (-50.001, false), (250.001, false), (-999, false),
    ])
    func valueOutsideThePhysicalRangeIsMissing(value: Double, isMeasured: Bool) throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        machine.take(0, replacing(0, value))
        #expect(machine.scratch.flags[0] == (isMeasured ? [] : [.outOfRange, .imputed]))
        let mean = machine.feature("temperature_mean_6h") ?? 0
        #expect(abs(mean - (isMeasured ? value : 70)) < 1e-6)
    }

    @Test(arguments: [(true, 80.0), (false, 70)])
    func missingValueTakesTheLastOrTheImputedOne(forwardFill: Bool, expected: Double) throws {
        var machine = Machine(try FeatureEngine(makeTransform(forwardFill: forwardFill)))
        machine.take(0, replacing(0, .nan))
        #expect(machine.scratch.flags[0] == [.missing, .imputed])
        #expect(machine.feature("temperature") == 70)
        machine.take(hour, replacing(0, 80))
        #expect(machine.feature("temperature_rate") == 10)
        machine.take(2 * hour, replacing(0, .nan))
        #expect(machine.scratch.flags[0] == (forwardFill ? [.missing] : [.missing, .imputed]))
        #expect(machine.feature("temperature") == expected)
        #expect(machine.feature("temperature_rate") == expected - 80)
        machine.take(4 * hour, replacing(0, 90))
        #expect(machine.feature("temperature_rate") == (90 - expected) / 2)
    }

    @Test func clippingChangesTheRowButNotTheWindows() throws {
        let transform = try makeTransform(clip: [60...90, nil, nil, nil, nil, nil])
        var machine = Machine(try FeatureEngine(transform))
        machine.take(0, replacing(0, 200))
        #expect(machine.feature("temperature") == 90)
        #expect(machine.feature("temperature_x_vibration") == 270)
        #expect(abs((machine.feature("temperature_max_6h") ?? 0) - 200) < 1e-6)
        machine.take(hour, replacing(0, 0))
        #expect(machine.feature("temperature") == 60)
        #expect(machine.feature("temperature_rate") == -30)
    }

    @Test(arguments: [(true, 100.0), (false, 90)])
    func emptyWindowTakesTheFilledValue(forwardFill: Bool, expected: Double) throws {
        var machine = Machine(try FeatureEngine(makeTransform(forwardFill: forwardFill)))
        machine.take(0, replacing(2, 100))
        machine.take(500 * hour, replacing(2, .nan))
        #expect(machine.feature("pressure") == expected)
        #expect(machine.feature("pressure_mean_24h") == expected)
        #expect(machine.feature("pressure_max_24h") == expected)
        #expect(machine.feature("pressure_std_24h") == 0)
        #expect(machine.feature("pressure_deviation_24h") == 0)
    }

    @Test func emptyWindowTakesTheClippedValue() throws {
        let transform = try makeTransform(clip: [nil, nil, 60...95, nil, nil, nil])
        var machine = Machine(try FeatureEngine(transform))
        machine.take(0, replacing(2, 100))
        machine.take(500 * hour, replacing(2, .nan))
        #expect(machine.feature("pressure_mean_6h") == 95)
        #expect(machine.feature("pressure_deviation_24h") == 0)
    }

    @Test(arguments: [0.0, -0.0])
    func divisionByZeroIsZero(zero: Double) throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        machine.take(0, replacing(3, zero))
        #expect(machine.feature("pressure_per_rotation_speed") == 0)
        #expect(machine.feature("current_per_rotation_speed") == 0)
    }

    @Test func scalesInDoubleClipsAndRoundsOnce() throws {
        let spec = FeatureSpec(name: "raw", elements: [.raw(.named(["temperature", "current"]))])
        let transform = try makeTransform(
            spec,
            scaling: [.init(center: 69.9, scale: 0.3), .init(center: 0, scale: 1)],
            scaledClip: 10
        )
        var machine = Machine(try FeatureEngine(transform))
        machine.take(0, values)
        #expect(machine.scratch.row == [Float((70 - 69.9) / 0.3), 10])
        machine.take(1, replacing(0, 50))
        #expect(machine.scratch.row[0] == -10)
    }

    @Test func categoryBecomesOneColumnPerNameAndIsFilledForward() throws {
        var schema = Schema.standard
        schema.sensors.append(
            Sensor(name: "grade", kind: .category, categories: ["L", "M", "H"])
        )
        let spec = FeatureSpec(name: "c", elements: [.raw(.named(["grade"]))])
        let engine = try FeatureEngine(
            makeTransform(
                spec,
                schema: schema,
                imputed: [0, 0, 0, 0, 0, 0, 1],
                clip: Array(repeating: nil, count: 7)
            )
        )
        #expect(engine.transform.featureNames == ["grade_L", "grade_M", "grade_H"])
        var machine = Machine(engine)
        machine.take(0, values + [.nan])
        #expect(machine.scratch.features == [0, 0, 0])
        machine.take(1, values + [2])
        #expect(machine.scratch.features == [0, 0, 1])
        machine.take(2, values + [.nan])
        #expect(machine.scratch.features == [0, 0, 1])
        machine.take(3, values + [3])
        #expect(machine.scratch.flags[6] == [.outOfRange])
    }

    @Test func countsReadingsOfOnePaneExactly() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        for step in 0..<1000 { machine.take(Int64(step), replacing(0, Double(step % 200))) }
        #expect(abs((machine.feature("temperature_mean_6h") ?? 0) - 99.5) < 1e-6)
        // Variance of 0...199 five times over, with n - 1: 5 * 666650 / 999.
        let deviation = (5.0 * 666_650 / 999).squareRoot()
        #expect(abs((machine.feature("temperature_std_6h") ?? 0) - deviation) < 1e-6)
    }

    @Test func standardRecordTakesLessThanFourKilobytes() throws {
        let engine = try FeatureEngine(makeTransform())
        #expect(engine.records.wordCount * 8 == 4000)
        #expect(engine.transform.features.count == 74)
    }
}
