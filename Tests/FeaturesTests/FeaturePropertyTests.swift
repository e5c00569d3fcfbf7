// SPDX-License-Identifier: MIT

import Features
import TestSupport
import Testing

/// Random histories with gaps, repeats, late rows, missing and impossible values, before and after
/// the epoch.
struct FeaturePropertyTests {
    static let seeds: [UInt64] = [1, 2, 3, 4]

    @Test(arguments: seeds, [true, false])
    func agreesWithPlainArithmeticOverTheHistory(seed: UInt64, forwardFill: Bool) throws {
        var generator = SplitMix(seed: seed)
        let transform = try makeTransform(
            .everything,
            forwardFill: forwardFill,
            clip: [60...90, 0...6, nil, 0...1500, nil, nil]
        )
        var machine = Machine(try FeatureEngine(transform))
        var reference = ReferenceMachine(transform)
        for (index, reading) in history(&generator, count: 120).enumerated() {
            let admission = machine.take(reading)
            let (expectedAdmission, expected) = reference.take(reading)
            #expect(admission == expectedAdmission, "seed \(seed) reading \(index)")
            for feature in transform.features.indices {
                let tolerance = tolerance(transform, feature, expected[feature])
                let distance = abs(machine.scratch.features[feature] - expected[feature])
                #expect(
                    distance <= tolerance,
                    "seed \(seed) reading \(index) \(transform.featureNames[feature])"
                )
                #expect(machine.scratch.row[feature] == Float(machine.scratch.features[feature]))
            }
        }
    }

    /// Also with so many readings a pane that the sums of squares need their upper bits.
    @Test(arguments: seeds, [2 * hour, hour / 10])
    func panesHoldExactIntegersOfTheHistory(seed: UInt64, stepMax: Int64) throws {
        var generator = SplitMix(seed: seed)
        let transform = try makeTransform()
        var machine = Machine(try FeatureEngine(transform))
        var reference = ReferenceMachine(transform)
        for reading in history(&generator, count: 200, stepMax: stepMax) {
            machine.take(reading)
            reference.admit(reading)
        }
        let panes = Array(machine.panes)
        let wordsPerPane = 1 + 3 + 3 * transform.layout.gauges.count
        #expect(panes.count == 24 * wordsPerPane)
        for place in 0..<24 {
            let words = panes[place * wordsPerPane..<(place + 1) * wordsPerPane]
            let expected = pane(place, reference, transform)
            #expect(Array(words) == expected, "seed \(seed) place \(place)")
        }
    }

    @Test(arguments: seeds)
    func anyOrderWithinTheHorizonLeavesTheSamePanesAndSums(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let engine = try FeatureEngine(makeTransform(.everything))
        // Distinct times within the horizon of 24 panes, in any order.
        let moments = Set(
            (0..<80).map { _ in Int64.random(in: -9 * hour..<14 * hour, using: &generator) }
        )
        let readings = moments.sorted().map { Reading(timestamp: $0, values: values(&generator)) }
        var sorted = Machine(engine)
        for reading in readings { #expect(sorted.take(reading) == .inOrder) }
        for _ in 0..<5 {
            var shuffled = Machine(engine)
            for reading in readings.shuffled(using: &generator) {
                let admission = shuffled.take(reading)
                #expect(admission == .inOrder || admission == .late, "seed \(seed)")
            }
            #expect(shuffled.panes == sorted.panes, "seed \(seed)")
            #expect(shuffled.sinceStart == sorted.sinceStart, "seed \(seed)")
        }
    }

    @Test(arguments: seeds)
    func machinesDoNotTouchEachOther(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        let engine = try FeatureEngine(makeTransform())
        let histories = (0..<5).map { _ in history(&generator, count: 60) }
        var alone: [[[Float]]] = []
        var records: [[UInt64]] = []
        for readings in histories {
            var machine = Machine(engine)
            alone.append(
                readings.map { reading in
                    machine.take(reading)
                    return machine.scratch.row
                }
            )
            records.append(machine.words)
        }
        // One scratch for all of them, in a random interleaving.
        var machines = histories.map { _ in Machine(engine) }
        var next = histories.map { _ in 0 }
        var scratch = engine.makeScratch()
        while let which = histories.indices.filter({ next[$0] < 60 }).randomElement(
            using: &generator
        ) {
            swap(&scratch, &machines[which].scratch)
            machines[which].take(histories[which][next[which]])
            #expect(machines[which].scratch.row == alone[which][next[which]], "seed \(seed)")
            swap(&scratch, &machines[which].scratch)
            next[which] += 1
        }
        #expect(machines.map(\.words) == records, "seed \(seed)")
    }

    private func values(_ generator: inout SplitMix) -> [Double] {
        let usual: [ClosedRange<Double>] = [
            50...100, 0...8, 60...120, 900...1500, 10...40, 0...9000,
        ]
        return usual.map { range in
            switch Int.random(in: 0..<20, using: &generator) {
            case 0: .nan
            case 1: -999
            case 2: .infinity
            case 3: range.lowerBound
            default: Double.random(in: range, using: &generator)
            }
        }
    }

    private func history(
        _ generator: inout SplitMix,
        count: Int,
        stepMax: Int64 = 2 * hour
    ) -> [Reading] {
        var now = Int64.random(in: -60 * hour...10 * hour, using: &generator)
        var readings: [Reading] = []
        for _ in 0..<count {
            var timestamp = now
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: now += Int64.random(in: 0...20, using: &generator) * stepMax
            case 1: timestamp = now - Int64.random(in: 0...30 * hour, using: &generator)
            case 2: timestamp = readings.randomElement(using: &generator)?.timestamp ?? now
            case 3: timestamp = readings.last?.timestamp ?? now
            default: now += Int64.random(in: 1...stepMax, using: &generator)
            }
            if timestamp > now - hour / 60 { timestamp = now }
            let isTimestamped = Int.random(in: 0..<10, using: &generator) > 0
            readings.append(
                Reading(
                    timestamp: timestamp,
                    isTimestamped: isTimestamped,
                    values: values(&generator)
                )
            )
        }
        return readings
    }

    /// What a feature may differ by.
    ///
    /// A reading is moved by at most half a step of range / (2^32 - 1), a standard deviation by at
    /// most one (0.5 * sqrt(n / (n - 1)), n >= 2); the rest is rounding of Double. The deviation of
    /// equal values may be rounding alone in the reference.
    private func tolerance(_ transform: FeatureTransform, _ index: Int, _ value: Double) -> Double {
        let rounding = 1e-9 * max(abs(value), 1)
        switch transform.features[index] {
        case .window(_, let sensor, _), .deviation(let sensor, _), .sinceStart(_, let sensor):
            guard let range = transform.schema.sensors[sensor].range else { return rounding }
            return (range.upperBound - range.lowerBound) / 4_294_967_295 + rounding
        default: return rounding
        }
    }

    /// The pane at a place of the ring, as the documentation of `RecordLayout` spells it.
    private func pane(
        _ place: Int,
        _ reference: ReferenceMachine,
        _ transform: FeatureTransform
    ) -> [UInt64] {
        let own = reference.history.filter {
            (reference.pane($0.timestamp) % 24 + 24) % 24 == place
        }
        guard let epoch = own.map({ reference.pane($0.timestamp) }).max() else {
            return [UInt64(bitPattern: .min)] + Array(repeating: 0, count: 18)
        }
        let readings = own.filter { reference.pane($0.timestamp) == epoch }
        // The checksum of the pane, then the five maxima.
        var maxima: [UInt64] = [0]
        var sums: [UInt64] = []
        var counts: [UInt64] = []
        var lower: [UInt64] = []
        for gauge in transform.layout.gauges {
            let low = gauge.range.lowerBound
            let stepsPerUnit = 4_294_967_295 / (gauge.range.upperBound - low)
            let measured = readings.map { $0.values[gauge.sensor] }.filter { !$0.isNaN }
            let steps = measured.map { UInt64((($0 - low) * stepsPerUnit).rounded()) }
            let squares = steps.reduce(UInt128(0)) { $0 + UInt128($1) * UInt128($1) }
            maxima.append(steps.max() ?? 0)
            sums.append(steps.reduce(0, +))
            counts.append(UInt64(steps.count) | UInt64(squares >> 64) << 32)
            lower.append(UInt64(truncatingIfNeeded: squares))
        }
        let pairs = stride(from: 0, to: 6, by: 2).map { maxima[$0] | maxima[$0 + 1] << 32 }
        return [UInt64(bitPattern: epoch)] + pairs + sums + counts + lower
    }
}
