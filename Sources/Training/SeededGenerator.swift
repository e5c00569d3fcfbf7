// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// xoshiro256**, seeded by SplitMix64: the same sequence for a seed on every machine.
///
/// It conforms to `RandomNumberGenerator`, but the library's `shuffle` and `random(in:)` may change
/// between Swift versions: use the methods here where bytes have to be reproducible.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    private var spare: Double?

    /// Starts the sequence of a seed; `stream` gives independent sequences of the same seed.
    package init(seed: UInt64, stream: UInt64 = 0) {
        var mixer = seed &+ stream &* 0xd1b5_4a32_d192_ed03
        func next() -> UInt64 {
            mixer &+= 0x9e37_79b9_7f4a_7c15
            var z = mixer
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
        state = (next(), next(), next(), next())
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = (state.3 << 45) | (state.3 >> 19)
        return result
    }

    /// A number in [0, 1), a multiple of 2^-53.
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// An integer in 0..<`bound`, which is positive; unbiased.
    package mutating func uniform(below bound: Int) -> Int {
        precondition(bound > 0)
        let bound = UInt64(bound)
        // Lemire's method: the high half of a product, with the few biased low halves drawn again.
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return Int(product.high)
    }

    /// A number from the normal distribution of mean 0 and variance 1 (Marsaglia's polar method).
    package mutating func normal() -> Double {
        if let value = spare {
            spare = nil
            return value
        }
        while true {
            let u = 2 * uniform() - 1
            let v = 2 * uniform() - 1
            let radius = u * u + v * v
            guard radius < 1, radius > 0 else { continue }
            let factor = (-2 * PortableMath.log(radius) / radius).squareRoot()
            spare = v * factor
            return u * factor
        }
    }

    /// Puts the elements in a random order (Fisher-Yates).
    package mutating func shuffle<Element>(_ elements: inout [Element]) {
        guard elements.count > 1 else { return }
        for last in stride(from: elements.count - 1, to: 0, by: -1) {
            elements.swapAt(last, uniform(below: last + 1))
        }
    }
}
