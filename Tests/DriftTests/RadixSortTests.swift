// SPDX-License-Identifier: MIT

import TestSupport
import Testing

@testable import Drift

struct RadixSortTests {
    @Test(arguments: [0, 1, 2, 3, 100, 5000])
    func ordersAsComparingDoes(count: Int) {
        var generator = SplitMix(seed: UInt64(count))
        var values: [Double] = [.infinity, -.infinity, 0, -1, 1, .leastNonzeroMagnitude]
        values += (0..<count).map { _ in
            let value = Double(bitPattern: generator.next())
            return value.isNaN ? 7 : value
        }
        values += (0..<count).map { _ in Double(generator.next() % 5) - 2 }
        #expect(RadixSort.sorted(values) == values.sorted())
        // Their low bits are 0, and that pass is left out.
        let floats = values.map { Double(Float($0)) }
        #expect(RadixSort.sorted(floats) == floats.sorted())
    }

    /// Values that their upper bits do not tell apart, so that the lower ones have to.
    @Test(arguments: [1, 20, 1000, 100_000])
    func ordersWhatDiffersInItsLowerBits(distinct: UInt64) {
        var generator = SplitMix(seed: distinct)
        var values = (0..<5000).map { _ in
            Double(bitPattern: (1000.0).bitPattern + generator.next() % distinct)
        }
        #expect(RadixSort.sorted(values) == values.sorted())
        // One far off takes the upper bits for itself.
        values[17] = -1e300
        #expect(RadixSort.sorted(values) == values.sorted())
        #expect(RadixSort.sorted(values.sorted().reversed()) == values.sorted())
    }

    @Test func sortsNothing() {
        #expect(RadixSort.sorted([]) == [])
    }
}
