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

    @Test func sortsNothing() {
        #expect(RadixSort.sorted([]) == [])
    }
}
