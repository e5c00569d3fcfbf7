// SPDX-License-Identifier: MIT

import Testing
import Training

struct SeededGeneratorTests {
    /// xoshiro256** seeded by SplitMix64 of 42, computed by an independent program.
    @Test func keepsItsSequence() {
        var generator = SeededGenerator(seed: 42)
        let values = (0..<4).map { _ in generator.next() }
        #expect(values == Self.known)
    }

    @Test func seedsAndStreamsDiffer() {
        func first(_ seed: UInt64, _ stream: UInt64) -> UInt64 {
            var generator = SeededGenerator(seed: seed, stream: stream)
            return generator.next()
        }
        let values = [first(1, 0), first(2, 0), first(1, 1), first(1, 2), first(2, 1)]
        #expect(Set(values).count == values.count)
        #expect(first(7, 3) == first(7, 3))
    }

    @Test func uniformHasItsMoments() {
        var generator = SeededGenerator(seed: 5)
        let values = (0..<100_000).map { _ in generator.uniform() }
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        let mean = values.reduce(0, +) / 100_000
        // Five standard deviations of the mean of n uniforms, 1 / sqrt(12 n).
        #expect(abs(mean - 0.5) < 5 * 0.288_7 / 316.2)
    }

    @Test func normalHasItsMoments() {
        var generator = SeededGenerator(seed: 5)
        let count = 100_000.0
        let values = (0..<100_000).map { _ in generator.normal() }
        let mean = values.reduce(0, +) / count
        let variance = values.reduce(0) { $0 + $1 * $1 } / count
        let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count
        // Five standard deviations: 1, sqrt(2) and sqrt(96) over sqrt(n).
        #expect(abs(mean) < 0.016)
        #expect(abs(variance - 1) < 0.023)
        #expect(abs(fourth - 3) < 0.155)
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func boundedNumbersAreEvenlySpread(bound: Int) {
        var generator = SeededGenerator(seed: 11)
        var counts = [Int](repeating: 0, count: bound)
        let draws = 100 * bound + 10_000
        for _ in 0..<draws { counts[generator.uniform(below: bound)] += 1 }
        let expected = Double(draws) / Double(bound)
        let chiSquare = counts.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
        let degrees = Double(bound - 1)
        // Mean and six standard deviations of the chi-square distribution.
        #expect(chiSquare / expected <= degrees + 6 * (2 * degrees).squareRoot())
    }

    @Test func shufflingKeepsTheElementsAndMovesThem() {
        var generator = SeededGenerator(seed: 3)
        var elements = Array(0..<100)
        generator.shuffle(&elements)
        #expect(elements != Array(0..<100))
        #expect(elements.sorted() == Array(0..<100))
        var none: [Int] = []
        generator.shuffle(&none)
        #expect(none.isEmpty)
    }

    private static let known: [UInt64] = [
        0x15780b2e0c2ec716, 0x6104d9866d113a7e,
        0xae17533239e499a1, 0xecb8ad4703b360a1,
    ]
}
