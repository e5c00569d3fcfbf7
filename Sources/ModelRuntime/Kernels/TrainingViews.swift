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

    func check(width: Int) {
        precondition(width % 32 == 0 && gamma >= 0 && beta >= 0)
        precondition(gamma + width <= parameters.count && beta + width <= parameters.count)
        precondition(moments.count == 3 * width)
    }
}

/// Two sums of each column of a batch, slice of rows by slice.
///
/// Each slice is summed up on its own and the slices in their order, so that the bytes do not
/// depend on which thread does which of them.
package struct SliceSums {
    /// [slices][2][width].
    package let floats: AlignedFloats
    /// The columns, a multiple of 32.
    package let width: Int
    /// The rows of each slice but the last, which may have fewer.
    package let size: Int

    /// The floats that batches of up to `rows` rows need.
    package static func count(rows: Int, width: Int, size: Int) -> Int {
        (rows + size - 1) / size * 2 * width
    }

    /// Describes the sums of slices of `size` rows.
    package init(_ floats: AlignedFloats, width: Int, size: Int) {
        precondition(width % 32 == 0 && size > 0)
        self.floats = floats
        self.width = width
        self.size = size
    }

    func check(rows: Int, width: Int) {
        precondition(rows > 0 && width == self.width)
        precondition(Self.count(rows: rows, width: width, size: size) <= floats.count)
    }

    // SAFETY: only an index that `check` or `eachSlice` has found to be within the storage comes.
    func pointer(_ slice: Int) -> UnsafeMutablePointer<Float> {
        unsafe floats.base + slice * 2 * width
    }

    /// Calls `body` with each slice of some rows of a batch and its number.
    func eachSlice(of rows: MatrixView, first: Int, _ body: (MatrixView, Int) -> Void) {
        guard rows.rows > 0 else { return }
        precondition(first >= 0 && first % size == 0)
        check(rows: first + rows.rows, width: rows.columns)
        for start in stride(from: 0, to: rows.rows, by: size) {
            body(rows.rows(start..<min(start + size, rows.rows)), (first + start) / size)
        }
    }
}
