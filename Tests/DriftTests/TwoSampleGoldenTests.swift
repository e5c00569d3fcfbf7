// SPDX-License-Identifier: MIT

import FoundationEssentials
import JSON
import TestSupport
import Testing

@testable import Drift

/// Against what SciPy says, from Fixtures/two_samples.json.
struct TwoSampleGoldenTests {
    private let golden: JSONValue

    init() throws {
        let folder = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let data = try Data(contentsOf: URL(filePath: "/\(folder)/Fixtures/two_samples.json"))
        golden = try JSONValue.parse([UInt8](data))
    }

    private func rows(_ key: String) throws -> [[JSONValue]] {
        try array(try #require(golden[key])).map { try array($0) }
    }

    private func array(_ value: JSONValue) throws -> [JSONValue] {
        guard case .array(let elements) = value else { throw CancellationError() }
        return elements
    }

    private func number(_ value: JSONValue) throws -> Double {
        guard case .number(let number) = value else { throw CancellationError() }
        return number
    }

    /// The sample that the script makes of a seed.
    private func sample(_ seed: Int, _ count: Int, _ shift: Double, _ grid: Double) -> [Double] {
        var generator = SplitMix(seed: UInt64(seed))
        let values = (0..<count).map { _ in
            let value = Double(generator.next() >> 11) * 0x1p-53 + shift
            return grid > 0 ? (value * grid).rounded(.down) / grid : value
        }
        return RadixSort.sorted(values)
    }

    /// Whether a chance equals another to nine digits; below 1e-300 anything is nothing.
    private func isClose(_ ours: Double, _ theirs: Double, _ tolerance: Double = 1e-9) -> Bool {
        abs(ours - theirs) <= tolerance * abs(theirs) + 1e-300
    }

    @Test func thousandPairsHaveSciPysStatisticAndPValue() throws {
        let pairs = try rows("pairs")
        #expect(pairs.count == 1000)
        for (seed, pair) in pairs.enumerated() {
            let values = try pair.map(number)
            let (shift, grid) = (values[2], values[3])
            let distance = SampleDistance(
                sorted: sample(2 * seed, Int(values[0]), 0, grid),
                sorted: sample(2 * seed + 1, Int(values[1]), shift, grid)
            )
            #expect(abs(distance.distance - values[4]) <= 1e-15, "pair \(seed)")
            let pValue = KolmogorovSmirnov.pValue(distance)
            #expect(isClose(pValue, values[5]), "pair \(seed): \(pValue), not \(values[5])")
            #expect(abs(distance.wasserstein - values[6]) <= 1e-12, "pair \(seed)")
        }
    }

    @Test func tailsAreSciPysInEveryRange() throws {
        for row in try rows("survival") {
            let values = try row.map(number)
            let ours = KolmogorovDistribution.survival(values[1], count: Int(values[0]))
            #expect(isClose(ours, values[2]), "\(values): \(ours)")
        }
    }

    @Test func chiSquareEqualsSciPys() throws {
        for row in try rows("chi_square") {
            let test = ChiSquare(
                try array(row[0]).map { Int(try number($0)) },
                try array(row[1]).map { Int(try number($0)) }
            )
            let (statistic, pValue) = (try number(row[2]), try number(row[4]))
            #expect(abs(test.statistic - statistic) <= 1e-10 * max(1, statistic))
            #expect(test.degreesOfFreedom == Int(try number(row[3])))
            #expect(isClose(test.pValue, pValue), "\(test.pValue), not \(pValue)")
        }
    }

    @Test func adjustedPValuesEqualSciPys() throws {
        for row in try rows("adjusted") {
            let ours = BenjaminiHochberg.adjusted(try array(row[0]).map(number))
            let theirs = try array(row[1]).map(number)
            #expect(zip(ours, theirs).allSatisfy { isClose($0, $1, 1e-14) })
        }
    }
}
