// SPDX-License-Identifier: MIT

import Testing

@testable import Training

struct RadixSortTests {
    @Test(arguments: [0, 1, 2, 3, 100, 5000])
    func ordersAsComparingDoes(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        var values: [Float] = [.infinity, -.infinity, 0, -1, 1, .leastNonzeroMagnitude]
        values += (0..<count).map { _ in
            let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            return value.isNaN ? 7 : value
        }
        values += (0..<count).map { _ in Float(generator.uniform(below: 5) - 2) }
        #expect(RadixSort.sorted(values) == values.sorted())
    }

    @Test func sortsNothing() {
        #expect(RadixSort.sorted([]) == [])
    }
}
