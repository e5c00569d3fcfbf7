// SPDX-License-Identifier: MIT

import Platform
import TestSupport
import Testing

@testable import Features

struct BorderCountsTests {
    @Test(arguments: KernelVariant.available, [1, 2, 3, 17, 75])
    func countsAsComparingOneByOneDoes(variant: KernelVariant, columns: Int) {
        var generator = SplitMix(seed: UInt64(columns))
        func number() -> Float { Float(Int(generator.next() % 41) - 20) / 4 }
        let borders = (0..<columns).flatMap { _ in
            (0..<15).map { _ in number() + 0 }.sorted() + [Float.nan]
        }
        var counts = BorderCounts(borders: borders, groupCount: 3, variant: variant)
        var expected = Array(repeating: UInt32(0), count: 3 * borders.count)
        for row in 0..<200 {
            // The row begins where another ends.
            var values = (0..<columns).map { _ in number() }
            let odd: [Float] = [.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude]
            if row % 7 == 0 { values[row % columns] = odd[row % 5] }
            let group = row % 3
            let last = values.removeLast()
            counts.add(([99, 98] + values).span, at: 2, last: last, group: group)
            for (column, value) in (values + [last]).enumerated() {
                for border in 0..<16 where value > borders[16 * column + border] {
                    expected[group * borders.count + 16 * column + border] += 1
                }
            }
        }
        #expect(counts.above == expected)
        counts.reset()
        #expect(counts.above.allSatisfy { $0 == 0 })
    }
}
