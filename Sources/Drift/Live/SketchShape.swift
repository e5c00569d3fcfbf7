// SPDX-License-Identifier: MIT

/// How rows of features are counted: the same for a fleet's reference and for each live window.
///
/// A column's values fall into sixteen bins between fifteen borders, which are quantiles of the
/// reference. Rows are parted by the age of their machine into strata, and machines into sixteen
/// groups, so that it can be seen how much machines differ.
package struct SketchShape: Equatable, Sendable {
    /// Bins of a column: finer ones would tell nothing of a plant.
    package static let binCount = 16
    /// Groups of machines; a machine is always in the same one.
    package static let groupCount = 16

    /// The features, then the score.
    package let columnCount: Int
    /// By column, then in ascending order.
    package let borders: [Float]
    /// The column that tells a machine's age; nil where none does.
    package let ageColumn: Int?
    /// The least age of each stratum but the first, ascending.
    package let ageBorders: [Float]

    /// Puts the parts together.
    package init(columnCount: Int, borders: [Float], ageColumn: Int?, ageBorders: [Float]) {
        precondition(columnCount > 0 && borders.count == columnCount * (Self.binCount - 1))
        precondition(ageBorders.isEmpty || (ageColumn.map { $0 < columnCount } ?? false))
        self.columnCount = columnCount
        self.borders = borders
        self.ageColumn = ageColumn
        self.ageBorders = ageBorders
    }

    /// The borders by column, sixteen each, the last of which is no number, so that no value is
    /// above it.
    package var paddedBorders: [Float] {
        var padded: [Float] = []
        let count = Self.binCount - 1
        for first in stride(from: 0, to: borders.count, by: count) {
            // Adding 0 makes -0 the 0 that it equals.
            padded += borders[first..<first + count].map { $0 + 0 }
            padded.append(.nan)
        }
        return padded
    }

    /// The number of strata.
    package var stratumCount: Int { ageBorders.count + 1 }

    /// The stratum of a row whose features begin at a place.
    package func stratum(of rows: Span<Float>, at start: Int) -> Int {
        guard let ageColumn else { return 0 }
        let age = rows[start + ageColumn]
        var stratum = 0
        for border in ageBorders where age >= border { stratum += 1 }
        return stratum
    }
}
