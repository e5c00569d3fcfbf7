// SPDX-License-Identifier: MIT

import Features
import Platform
import TestSupport
import Testing

/// The engine's kernels of every variant that this CPU runs.
struct FeatureKernelTests {
    private static let statistics = FeatureSpec.Statistic.allCases

    /// Gauges of one range, g0 and so on, with statistics of three windows.
    private func transform(
        gauges: Int,
        range: ClosedRange<Double> = -100...300,
        statistics: [FeatureSpec.Statistic] = Self.statistics,
        scaling: FeatureTransform.Scaling = .init(center: 0, scale: 1)
    ) throws -> FeatureTransform {
        var schema = Schema.standard
        schema.sensors = (0..<gauges).map { Sensor(name: "g\($0)", range: range) }
        let window = FeatureSpec.Element.window(statistics, hours: [6, 12, 24], .gauges)
        let spec = FeatureSpec(name: "test", elements: [window])
        let features = try spec.resolved(for: schema)
        return try makeTransform(
            spec,
            schema: schema,
            imputed: Array(repeating: 7, count: gauges),
            clip: Array(repeating: nil, count: gauges),
            scaling: features.map { _ in scaling },
            scaledClip: 3
        )
    }

    private func readings(_ generator: inout SplitMix, gauges: Int) -> [Reading] {
        var now = -40 * hour
        return (0..<100).map { index in
            now += Int64.random(in: 1...(index % 30 == 0 ? 20 * hour : hour), using: &generator)
            let values = (0..<gauges).map { _ in
                Int.random(in: 0..<6, using: &generator) == 0
                    ? Double.nan : Double.random(in: -100...300, using: &generator)
            }
            return Reading(timestamp: now, values: values)
        }
    }

    /// With fewer gauges than lanes, and numbers of them that fill the lanes or do not.
    @Test(arguments: 1...9, [statistics, [.mean], [.mean, .maximum]])
    func everyVariantGivesTheBitsOfPlainArithmetic(
        gauges: Int,
        statistics: [FeatureSpec.Statistic]
    ) throws {
        var generator = SplitMix(seed: UInt64(gauges))
        let scaling = FeatureTransform.Scaling(center: 17, scale: 30)
        let transform = try transform(gauges: gauges, statistics: statistics, scaling: scaling)
        let readings = readings(&generator, gauges: gauges)
        var reference = ReferenceMachine(transform)
        let expected = readings.map { reference.take($0).1 }
        var first: [[UInt32]] = []
        for variant in KernelVariant.available {
            var machine = Machine(try FeatureEngine(transform, variant: variant))
            var rows: [[UInt32]] = []
            for (index, reading) in readings.enumerated() {
                machine.take(reading)
                rows.append(machine.scratch.row.map(\.bitPattern))
                for (feature, value) in machine.scratch.features.enumerated() {
                    // A step of the range, 400 / (2^32 - 1), and rounding.
                    #expect(abs(value - expected[index][feature]) <= 1e-7)
                    let scaled = min(max((value - 17) / 30, -3), 3)
                    #expect(machine.scratch.row[feature] == Float(scaled))
                }
            }
            if first.isEmpty { first = rows }
            #expect(rows == first, "\(variant)")
        }
    }

    /// How full windows are asks for no gauge, what was since the start for no window.
    @Test(arguments: KernelVariant.available, [0, 1, 5])
    func gaugesAndWindowsNeedNotEachOther(variant: KernelVariant, gauges: Int) throws {
        var generator = SplitMix(seed: UInt64(gauges))
        var schema = Schema.standard
        schema.sensors = (0..<max(gauges, 1)).map { Sensor(name: "g\($0)", range: -100...300) }
        let spec = FeatureSpec(
            name: "test",
            elements: gauges == 0
                ? [.raw(.gauges), .windowFill(hours: [6, 24])]
                : [.raw(.gauges), .sinceStart([.mean, .slope], .gauges)]
        )
        let transform = try makeTransform(
            spec,
            schema: schema,
            imputed: schema.sensors.map { _ in 7 },
            clip: schema.sensors.map { _ in nil }
        )
        var reference = ReferenceMachine(transform)
        var machine = Machine(try FeatureEngine(transform, variant: variant))
        for reading in readings(&generator, gauges: schema.sensors.count) {
            machine.take(reading)
            let expected = reference.take(reading).1
            for (value, wanted) in zip(machine.scratch.features, expected) {
                #expect(abs(value - wanted) <= 1e-6)
            }
        }
    }

    @Test(arguments: KernelVariant.available)
    func halfAStepGoesUp(variant: KernelVariant) throws {
        let values = [0, 0.5, 1.49, 1.5, 2.5, 2_147_483_648.5, 4_294_967_294.49]
        let steps = [0, 1, 1, 2, 3, 2_147_483_649, 4_294_967_294.0]
        for (value, step) in zip(values + [4_294_967_294.5], steps + [4_294_967_295]) {
            // Of this range a step is 1.
            let transform = try transform(gauges: 1, range: 0...4_294_967_295)
            var machine = Machine(try FeatureEngine(transform, variant: variant))
            machine.take(0, [value])
            #expect(machine.feature("g0_max_6h") == step)
            #expect(machine.feature("g0_mean_6h") == step)
        }
    }

    /// Counts up to the most that a pane takes; the kernels cover those below 2^20.
    @Test(arguments: KernelVariant.available, [2, 1_048_575, 1_048_576, 16_777_215] as [UInt64])
    func largeCountsAreExact(variant: KernelVariant, count: UInt64) throws {
        let transform = try transform(gauges: 1, range: 0...4_294_967_295)
        var machine = Machine(try FeatureEngine(transform, variant: variant))
        machine.take(0, [.nan])
        // Half of the steps are the largest, the others 1.
        let (ones, largest) = (count - count / 2, UInt64(4_294_967_295))
        let sum = ones + count / 2 * largest
        let squares = UInt128(ones) + UInt128(count / 2) * UInt128(largest * largest)
        let pane = machine.panes.startIndex
        machine.words[pane + 1] = largest << 32
        machine.words[pane + 2] = sum
        machine.words[pane + 3] = count | UInt64(squares >> 64) << 32
        machine.words[pane + 4] = UInt64(truncatingIfNeeded: squares)
        machine.take(1, [.nan])
        let spread = UInt128(count) * squares - UInt128(sum) * UInt128(sum)
        let pairs = Double(count) * Double(count - 1)
        #expect(machine.feature("g0_mean_24h") == Double(sum) / Double(count))
        #expect(machine.feature("g0_std_24h") == (Double(spread) / pairs).squareRoot())
        #expect(machine.feature("g0_max_24h") == Double(largest))
    }
}
