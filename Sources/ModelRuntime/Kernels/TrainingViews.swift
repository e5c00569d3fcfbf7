// SPDX-License-Identifier: MIT

/// Dropout of one layer in one step: which elements fall, as a pure function of index and keys.
package struct DropoutMask: Sendable {
    /// The share of elements that fall, in 0..<1.
    package let rate: Double
    /// The keys of the hash.
    package let keys: (UInt32, UInt32)

    /// Describes a mask; `seed` gives both keys.
    package init(rate: Double, seed: UInt64) {
        precondition(rate >= 0 && rate < 1)
        self.rate = rate
        keys = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    /// What kept elements are multiplied by.
    var keepScale: Float { Float(1 / (1 - rate)) }
    /// Elements whose random number is below fall.
    package var threshold: UInt32 { UInt32(rate * 0x1p32) }
}

/// The parameters of a batch normalisation within shared storage; each is `width` floats.
package struct NormalizationView {
    /// Scale at `gamma`, offset at `beta`.
    package let parameters: AlignedFloats
    /// Index of the scale in the parameters and of its gradient in the gradients.
    package let gamma: Int
    /// Index of the offset in the parameters and of its gradient in the gradients.
    package let beta: Int
    /// Running mean and variance and the batch's 1 / sqrt(variance + epsilon), in this order.
    package let moments: AlignedFloats

    /// Describes a normalisation.
    package init(parameters: AlignedFloats, gamma: Int, beta: Int, moments: AlignedFloats) {
        self.parameters = parameters
        self.gamma = gamma
        self.beta = beta
        self.moments = moments
    }

    func check(width: Int, _ columns: Range<Int>) {
        precondition(width % 32 == 0 && gamma >= 0 && beta >= 0)
        let (from, to) = (columns.lowerBound, columns.upperBound)
        precondition(from % 32 == 0 && to % 32 == 0 && from >= 0 && to <= width)
        precondition(gamma + width <= parameters.count && beta + width <= parameters.count)
        precondition(moments.count == 3 * width)
    }
}
