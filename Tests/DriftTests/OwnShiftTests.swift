// SPDX-License-Identifier: MIT

import TestSupport
import Testing

@testable import Drift

private let sensorCount = 8

struct OwnShiftTests {
    /// Means of machines of which some sensors are shifted: 0 and 1 are nearly one and the same, 2
    /// to 7 have a cause in common.
    private struct Fleet {
        var generator = SplitMix(seed: 7)

        mutating func noise() -> Double {
            (0..<12).reduce(-6.0) { sum, _ in sum + Double(generator.next() >> 11) * 0x1p-53 }
        }

        mutating func means(_ machines: Int, shifted: Set<Int> = []) -> [[Double]] {
            var means = Array(repeating: [Double](), count: sensorCount)
            for _ in 0..<machines {
                let (twin, cause) = (noise(), noise())
                for sensor in means.indices {
                    let common = sensor < 2 ? twin : cause
                    let own = (sensor < 2 ? 0.1 : 0.5) * noise()
                    means[sensor].append(common + own + (shifted.contains(sensor) ? 1 : 0))
                }
            }
            return means
        }
    }

    private static let origins = (0..<sensorCount).map { Set([$0]) }

    private func shifts(_ shifted: Set<Int>, certainty: Double?) -> [OwnShift.Outcome] {
        var fleet = Fleet()
        return OwnShift.test(
            reference: fleet.means(30),
            current: fleet.means(16, shifted: shifted),
            origins: Self.origins,
            certainty: certainty
        )
        .compactMap(\.self)
    }

    @Test func aTwinIsNotTakenForShifted() {
        let plain = shifts([0], certainty: nil)
        #expect(plain[0].shift > 0.5 && plain[0].pValue < 1e-6)
        // The other one of the two looks as if it had moved the other way.
        #expect(plain[1].shift < -0.5 && plain[1].pValue < 1e-6)
        let careful = shifts([0], certainty: 1e-4)
        #expect(careful[0].shift > 0.5 && careful[0].pValue < 1e-6)
        #expect(careful[1].pValue > 0.01)
        #expect(careful[2...].allSatisfy { $0.pValue > 0.01 })
    }

    @Test func shiftsDoNotHideEachOther() {
        let plain = shifts([0, 2, 3], certainty: nil)
        let careful = shifts([0, 2, 3], certainty: 1e-4)
        for sensor in [2, 3] {
            #expect(careful[sensor].shift > 0.7 && careful[sensor].shift > plain[sensor].shift)
            #expect(careful[sensor].pValue < plain[sensor].pValue)
        }
        // What has not shifted does not seem to have moved the other way.
        #expect(careful[4...].allSatisfy { abs($0.shift) < 0.3 })
    }

    @Test func nothingIsTakenOutWhereNothingIsCertain() {
        #expect(shifts([], certainty: 1e-4) == shifts([], certainty: nil))
    }

    @Test func groupsCountAsManyAsTheyHave() {
        var fleet = Fleet()
        let reference = fleet.means(20)
        let current = fleet.means(12)
        let plain = OwnShift.test(reference: reference, current: current)
        let even = OwnShift.test(
            reference: reference,
            current: current,
            weights: (reference: Array(repeating: 1, count: 20), current: current[0].map { _ in 1 })
        )
        #expect(even == plain)
        // A group that is nearly alone decides the mean of its side.
        var off = current
        for sensor in off.indices { off[sensor][0] = 50 + Double(sensor) }
        let heavy = OwnShift.test(
            reference: reference.map { Array($0.prefix(8)) },
            current: off.map { Array($0.prefix(8)) },
            weights: (
                reference: Array(repeating: 1, count: 8),
                current: [1000] + Array(repeating: 1, count: 7)
            ),
            origins: Array(repeating: [0], count: sensorCount)
        )
        #expect(heavy.allSatisfy { ($0?.shift ?? 0) > 40 })
    }
}
