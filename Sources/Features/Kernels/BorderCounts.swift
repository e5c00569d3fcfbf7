// SPDX-License-Identifier: MIT

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
#endif
internal import KernelsBaseline
package import Platform

/// How many of the values that were counted lie above each border of their column, apart for groups
/// of rows.
///
/// What a row costs is a comparison of sixteen borders at once for each column, so that rows can be
/// counted while a request waits.
package struct BorderCounts: Sendable {
    /// Borders of a column.
    package static let borderCount = 16

    /// By group, then column, then border.
    package private(set) var above: [UInt32]
    /// By column, then border.
    private let borders: [Float]
    private let variant: KernelVariant
    private var columnCount: Int { borders.count / Self.borderCount }

    /// Counts nothing yet; `borders` are ``borderCount`` of each column, none of them -0.
    ///
    /// No value is above one that is no number.
    package init(borders: [Float], groupCount: Int, variant: KernelVariant = .best) {
        precondition(variant.isAvailable && groupCount > 0)
        precondition(borders.count.isMultiple(of: Self.borderCount) && !borders.isEmpty)
        self.borders = borders
        self.variant = variant
        above = Array(repeating: 0, count: groupCount * borders.count)
    }

    /// Counts a row of a group: the values from a place on, and the one of the last column.
    ///
    /// It allocates nothing.
    ///
    /// - Complexity: O(columns).
    package mutating func add(_ values: Span<Float>, at start: Int, last: Float, group: Int) {
        let columns = columnCount - 1
        let first = group * borders.count
        precondition(start >= 0 && start + columns <= values.count, "a whole row is needed")
        precondition(group >= 0 && first + borders.count <= above.count)
        let (variant, borders) = (variant, borders)
        // SAFETY: a group has as many counts as there are borders, sixteen for each column, and the
        // row has a value of each but the last.
        unsafe values.withUnsafeBufferPointer { values in
            unsafe above.withUnsafeMutableBufferPointer { above in
                guard let row = values.baseAddress, let counts = above.baseAddress else { return }
                // SAFETY: as above.
                unsafe Self.count(variant, columns, row + start, borders, counts + first)
            }
        }
        for border in columns * Self.borderCount..<borders.count where last > borders[border] {
            above[first + border] &+= 1
        }
    }

    private static func count(
        _ variant: KernelVariant,
        _ n: Int,
        _ x: UnsafePointer<Float>,
        _ b: UnsafePointer<Float>,
        _ a: UnsafeMutablePointer<UInt32>
    ) {
        // SAFETY: the caller checked all sizes.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.countAboveBorders(n, x, b, a)
            case .avx512: return unsafe KernelsAVX512.countAboveBorders(n, x, b, a)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.countAboveBorders(n, x, b, a)
    }

    /// Forgets all counts and keeps the memory.
    package mutating func reset() {
        for index in above.indices { above[index] = 0 }
    }
}
