// SPDX-License-Identifier: MIT

import Features
@testable import ModelRuntime
import TestSupport
import Testing

struct ExplainerTests {
    /// A schema of so many gauges, two of them of one group, and one that no feature needs.
    private func wideSchema(_ count: Int) -> Schema {
        let sensors = (0..<count).map { index in
            Sensor(name: "s\(index)", range: 0...100, group: index < 2 ? "pair" : nil)
        }
        return Schema(
            name: "wide",
            entityColumn: "equipment_id",
            time: Schema.TimeColumn(column: "timestamp", unit: .rfc3339),
            sensors: sensors,
            label: .column("failure"),
            horizonHours: 24
        )
    }

    private func wideSpec(_ count: Int) -> FeatureSpec {
        let names = (0..<count - 1).map { "s\($0)" }
        return FeatureSpec(
            name: "wide",
            elements: [
                .raw(.named(names)), .window([.mean], hours: [6], .named(names)),
                .product("s0", "s3"),
            ]
        )
    }

    /// The mean gain of each sensor over all orders, by replaying whole histories.
    private func bruteForce(
        _ sample: ExplanationSample,
        _ readings: [GoldenCase.Reading]
    ) -> [Double] {
        let sensors = Array(sample.engine.transform.schema.sensors.indices)
        var known: [Set<Int>: Double] = [:]
        func worth(_ present: Set<Int>) -> Double {
            if let value = known[present] { return value }
            let value = sample.worth(present, readings)
            known[present] = value
            return value
        }
        var sums = sensors.map { _ in 0.0 }
        let orders = permutations(sensors)
        for order in orders {
            var present: Set<Int> = []
            for sensor in order {
                let before = worth(present)
                present.insert(sensor)
                sums[sensor] += worth(present) - before
            }
        }
        return sums.map { $0 / Double(orders.count) }
    }

    private func permutations(_ items: [Int]) -> [[Int]] {
        guard items.count > 1 else { return [items] }
        return items.flatMap { item in
            permutations(items.filter { $0 != item }).map { [item] + $0 }
        }
    }

    @Test(arguments: [1, 2, 3, 4]) func equalsBruteForceOverReplayedHistories(seed: UInt64) throws {
        let sample = try ExplanationSample(seed: seed)
        for readings in sample.machines {
            let explanation = try #require(sample.explainer.explain(sample.observed(readings)))
            #expect(explanation.method == .exact(coalitions: 64))
            let expected = bruteForce(sample, readings)
            for (actual, expected) in zip(explanation.contributions, expected) {
                #expect(abs(actual - expected) < 1e-9, "seed \(seed)")
            }
            #expect(explanation.logOdds == sample.logOdds(readings))
            #expect(abs(explanation.baseLogOdds - sample.worth([], readings)) < 1e-12)
            #expect(explanation.standardErrors.allSatisfy { $0 == 0 })
        }
    }

    @Test(arguments: [
        Calibrator.identity, .platt(slope: 0.5, offset: 2),
        .isotonic(logits: [-1, 0, 1], probabilities: [0, 0.25, 1]),
    ])
    func addsUpToTheDifferenceInLogOdds(calibration: Calibrator) throws {
        for seed: UInt64 in 10..<20 {
            let sample = try ExplanationSample(
                calibration: calibration,
                backgroundCount: Int(seed) - 9,
                seed: seed
            )
            for readings in sample.machines {
                let explained = try #require(sample.explainer.explain(sample.observed(readings)))
                let sum = explained.contributions.reduce(0, +)
                let difference = explained.logOdds - explained.baseLogOdds
                #expect(abs(sum - difference) < 1e-9, "seed \(seed)")
            }
        }
    }

    @Test func takesSensorsOfAGroupTogetherAndUnusedOnesForNothing() throws {
        let sample = try ExplanationSample(schema: wideSchema(6), spec: wideSpec(6), seed: 5)
        let explainer = sample.explainer
        #expect(explainer.groups.map(\.name) == ["pair", "s2", "s3", "s4", "s5"])
        #expect(explainer.groups[0].sensors == [0, 1])
        let readings = sample.machines[0]
        let explained = try #require(explainer.explain(sample.observed(readings)))
        #expect(explained.method == .exact(coalitions: 16))
        #expect(explained.contributions[4] == 0)
        #expect(explained.contributions[..<4].allSatisfy { $0 != 0 })
    }

    @Test func samplesOrdersAboveTwelveGroups() throws {
        let sample = try ExplanationSample(
            schema: wideSchema(16),
            spec: wideSpec(16),
            backgroundCount: 5,
            seed: 7
        )
        let reading = sample.observed(sample.machines[1])
        let explainer = sample.explainer
        let sampled = try #require(explainer.explain(reading))
        let exact = try #require(explainer.explain(reading, exactGroupsMax: 14))
        #expect(sampled.method == .permutations(520))
        #expect(exact.method == .exact(coalitions: 1 << 14))
        #expect(sampled == explainer.explain(reading))
        #expect(sampled.logOdds == exact.logOdds)
        #expect(abs(sampled.baseLogOdds - exact.baseLogOdds) < 1e-9)
        let sum = sampled.contributions.reduce(0, +)
        #expect(abs(sum - (sampled.logOdds - sampled.baseLogOdds)) < 1e-9)
        // Of 14 players, chance puts none six errors off; an error that was too large would show
        // as all of them within a fraction of it.
        let scores = zip(zip(sampled.contributions, exact.contributions), sampled.standardErrors)
            .filter { $0.1 > 0 }.map { abs($0.0.0 - $0.0.1) / $0.1 }
        #expect(scores.count == 14)
        #expect(scores.allSatisfy { $0 < 6 }, "\(scores)")
        #expect(scores.contains { $0 > 0.3 }, "\(scores)")
    }

    @Test func keepsTheRateOfALentSensorAtAnotherPace() throws {
        let sample = try ExplanationSample(
            spec: FeatureSpec(name: "rates", elements: [.rate(.gauges)]),
            calibration: .identity,
            seed: 3
        )
        // The same machines, but the last reading comes a minute after the one before.
        let readings = sample.machines[0]
        var quick = readings
        quick[quick.count - 1].timestamp = quick[quick.count - 2].timestamp + 60_000_000
        let slow = try #require(sample.explainer.explain(sample.observed(readings)))
        let fast = try #require(sample.explainer.explain(sample.observed(quick)))
        #expect(abs(slow.baseLogOdds - fast.baseLogOdds) < 1e-4)
        #expect(slow.logOdds != fast.logOdds)
    }

    @Test(arguments: [9, 16]) func givesUpWhenTimeIsOver(sensorCount: Int) throws {
        let sample = try ExplanationSample(
            schema: wideSchema(sensorCount),
            spec: wideSpec(sensorCount),
            backgroundCount: 32,
            seed: 1
        )
        var questions = 0
        let explanation = sample.explainer.explain(sample.observed(sample.machines[0])) {
            questions += 1
            return questions == 3
        }
        #expect(explanation == nil)
        #expect(questions == 3)
    }
}

struct ShapleyValuesTests {
    @Test func sharesAGloveGame() {
        // Two left gloves and one right: only a pair is worth anything.
        let worth = (0..<8).map { $0 & 4 != 0 && $0 & 3 != 0 ? 1.0 : 0 }
        let values = ShapleyValues.exact(worth, playerCount: 3)
        for (value, expected) in zip(values, [1.0 / 6, 1.0 / 6, 2.0 / 3]) {
            #expect(abs(value - expected) < 1e-15)
        }
    }

    @Test func givesOnePlayerTheWholeGain() {
        #expect(ShapleyValues.exact([2, 5], playerCount: 1) == [3])
    }

    @Test func estimatesTheSpreadOfPairs() {
        var values = SampledShapleyValues(playerCount: 1, strata: 2, pairsPerStratum: 2)
        for gains in [1.0, 3, 10, 10] {
            values.add(pair: [gains])
            if gains == 3 { values.endStratum() }
        }
        values.endStratum()
        #expect(values.values == [6])
        // Variance 2 of two pairs and 0 of the others: sqrt(2 / 2) / 2.
        #expect(values.standardErrors == [0.5])
    }
}
