// SPDX-License-Identifier: MIT

import TestSupport
import Testing

@testable import Drift

struct StatisticsTests {
    @Test func distanceWaitsForAllEqualValues() {
        let distance = SampleDistance(sorted: [1, 1, 1, 2], sorted: [1, 2, 2, 2])
        #expect(distance.steps == 8 && distance.distance == 0.5 && distance.wasserstein == 0.5)
        let same = SampleDistance(sorted: [3, 3], sorted: [3, 3, 3])
        #expect(same.steps == 0 && same.wasserstein == 0)
        #expect(KolmogorovSmirnov.pValue(same) == 1)
        let apart = SampleDistance(sorted: [1], sorted: [2, 4])
        #expect(apart.distance == 1 && apart.wasserstein == 2)
    }

    /// The share by going through all paths.
    private func share(_ m: Int, _ n: Int, _ steps: Int) -> Double {
        var (all, outside) = (0, 0)
        func walk(_ i: Int, _ j: Int, _ wasOutside: Bool) {
            let isOutside = wasOutside || abs(i * n - j * m) >= steps
            if i == m, j == n {
                all += 1
                outside += isOutside ? 1 : 0
            }
            if i < m { walk(i + 1, j, isOutside) }
            if j < n { walk(i, j + 1, isOutside) }
        }
        walk(0, 0, false)
        return Double(outside) / Double(all)
    }

    @Test func everySmallCaseEqualsCounting() {
        for m in 1...6 {
            for n in 1...6 {
                for steps in 0...m * n {
                    // Distances that no pair of samples has are none.
                    guard steps % greatestDivisor(m, n) == 0 else { continue }
                    let ours = LatticePaths.shareOutside(m, n, steps: steps)
                    let counted = steps == 0 ? 1 : share(m, n, steps)
                    #expect(abs(ours - counted) < 1e-14, "\(m), \(n), \(steps)")
                }
            }
        }
    }

    private func greatestDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestDivisor(b, a % b)
    }

    @Test func dependentRowsAreWorthAsManyAsMachines() {
        var generator = SplitMix(seed: 3)
        func uniform() -> Double { Double(generator.next() >> 11) * 0x1p-53 }
        let codes = (0..<3000).map { Int32($0 % 100) }
        let blocks = MachineRows(codes: codes)
        let levels = (0..<100).map { _ in uniform() }
        let edges = (1...9).map { Double($0) / 10 }
        let same = codes.map { levels[Int($0)] }
        let apart = codes.map { _ in uniform() }
        let few = EffectiveSize.ofNumbers(same, edges: edges, blocks: blocks)
        let all = EffectiveSize.ofNumbers(apart, edges: edges, blocks: blocks)
        #expect((80...120).contains(few), "\(few)")
        #expect((2400...3000).contains(all), "\(all)")
        let categories = same.map { ($0 * 4).rounded(.down) }
        let names = EffectiveSize.ofCategories(categories, count: 4, blocks: blocks)
        #expect((80...125).contains(names), "\(names)")
    }

    @Test func fewMachinesAreCutIntoBlocks() {
        #expect(MachineRows(codes: (0..<100).map { Int32($0 / 50) }).blockStarts.count == 21)
        #expect(MachineRows(codes: (0..<100).map { Int32($0) }).blockStarts.count == 101)
        #expect(MachineRows(codes: [5, 5, 5]).blockStarts == [0, 1, 2, 3])
        let rows = MachineRows(codes: [2, 1, 2, 1])
        #expect(rows.order == [1, 3, 0, 2] && rows.starts == [0, 2, 4] && rows.count == 2)
    }

    @Test func ownShiftHoldsItsLevelAndSeesThroughACommonCause() {
        var generator = SplitMix(seed: 11)
        func noise() -> Double {
            (0..<12).reduce(-6.0) { sum, _ in sum + Double(generator.next() >> 11) * 0x1p-53 }
        }
        /// Means by feature, then machine; all features follow one cause.
        func means(_ machines: Int, cause: Double, shift: Double) -> [[Double]] {
            var means = Array(repeating: [Double](), count: 5)
            for _ in 0..<machines {
                let common = noise() + cause
                for feature in means.indices {
                    let own = 0.3 * noise() + (feature == 0 ? shift : 0)
                    means[feature].append(common + own)
                }
            }
            return means
        }
        var (alarms, tests) = (0, 0)
        for _ in 0..<200 {
            let outcomes = OwnShift.test(
                reference: means(30, cause: 0, shift: 0),
                current: means(12, cause: 1, shift: 0)
            )
            alarms += outcomes.count { $0.map { $0.pValue < 0.05 } ?? false }
            tests += outcomes.count
        }
        // 5 % of 1000, give or take: the features of one trial are not independent.
        #expect((20...90).contains(alarms), "\(alarms) of \(tests)")
        let shifted = OwnShift.test(
            reference: means(30, cause: 0, shift: 0),
            current: means(12, cause: 1, shift: 1)
        )
        #expect(shifted[0].map { $0.pValue < 1e-6 && $0.shift > 0.5 } ?? false)
        let few = OwnShift.test(
            reference: means(30, cause: 0, shift: 0),
            current: means(7, cause: 0, shift: 9)
        )
        #expect(few.allSatisfy { $0 == nil })
    }

    @Test func oddWindowRaisesNothing() {
        var state = DriftState()
        var raised: [Bool] = []
        for drifts in [true, false, false, true, false, true, false, false, false] {
            state.observe(drifts: drifts)
            raised.append(state.isRaised)
        }
        #expect(raised == [false, false, false, false, false, true, true, true, false])
    }

    @Test func aStateGoesOnWhereAnotherWas() {
        let script = [true, false, false, true, false, true, false, false, false, true, true]
        for end in 0...script.count {
            var (state, whole) = (DriftState(), DriftState())
            for drifts in script.prefix(end) { state.observe(drifts: drifts) }
            state = DriftState(isRaised: state.isRaised, lastDrifted: state.lastDrifted)
            for drifts in script.prefix(end) { whole.observe(drifts: drifts) }
            #expect(state == whole)
            for drifts in script.dropFirst(end) {
                state.observe(drifts: drifts)
                whole.observe(drifts: drifts)
                #expect(state == whole)
            }
        }
    }

    @Test func rulesOutsideTheirRangeAreInvalid() {
        #expect(DriftRule().isValid)
        var rule = DriftRule()
        rule.featureShare = 1
        #expect(!rule.isValid)
        rule = DriftRule()
        rule.significance = 1.01
        #expect(!rule.isValid)
        rule.significance = 1
        #expect(rule.isValid)
    }

    @Test func quantilesAndCountsAreThoseOfTheSample() {
        let sample = SortedSample([3, 1, 2, 2, 5])
        #expect(sample.values == [1, 2, 2, 3, 5])
        #expect(
            sample.quantile(0.5) == 2 && sample.quantile(1) == 5 && sample.quantile(0.125) == 1.5
        )
        #expect(sample.counts(edges: [2, 4]) == [3, 1, 1])
        #expect(sample.edges(parts: 4) == [2, 3])
        #expect(sample.tieShare == 0.1)
        #expect(SortedSample([]).quantile(0.5) == nil)
    }

    @Test func stabilityIndexIsNoughtForEqualShares() {
        #expect(PopulationStability.index(reference: [50, 50], current: [500, 500]) < 1e-3)
        let moved = PopulationStability.index(reference: [500, 500], current: [900, 100])
        // (0.9 - 0.5) ln(0.9 / 0.5) + (0.1 - 0.5) ln(0.1 / 0.5) = 0.8789
        #expect(abs(moved - 0.8789) < 0.01)
    }
}
