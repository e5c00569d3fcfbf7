// SPDX-License-Identifier: MIT

import Testing

@testable import Training

struct QuartilesTests {
    @Test(arguments: 1...40)
    func areThoseOfTheSortedValues(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        for kind in 0..<5 {
            let values = (0..<count).map { index -> Double in
                switch kind {
                case 0: return generator.normal()
                case 1: return Double(index)
                case 2: return Double(-index)
                case 3: return Double(generator.uniform(below: 3))
                default: return 7
                }
            }
            let sorted = values.sorted()
            let quartiles = Quartiles(of: values)
            #expect(quartiles.lower == TransformFitter.quantile(0.25, ofSorted: sorted))
            #expect(quartiles.median == TransformFitter.quantile(0.5, ofSorted: sorted))
            #expect(quartiles.upper == TransformFitter.quantile(0.75, ofSorted: sorted))
        }
    }
}
