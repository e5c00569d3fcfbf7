// SPDX-License-Identifier: MIT

/// A row-major matrix within an ``AlignedFloats``: where it starts and how far its rows are apart.
package struct MatrixView {
    /// The storage.
    package let floats: AlignedFloats
    /// Index of the first element.
    package let offset: Int
    /// The number of rows.
    package let rows: Int
    /// The number of columns.
    package let columns: Int
    /// The distance of two rows, at least `columns`.
    package let stride: Int

    /// Describes a matrix that lies within the storage.
    package init(_ floats: AlignedFloats, offset: Int = 0, rows: Int, columns: Int, stride: Int) {
        precondition(offset >= 0 && rows >= 0 && columns >= 0 && stride >= columns)
        let extent = rows == 0 ? 0 : (rows - 1) * stride + columns
        precondition(offset + extent <= floats.count)
        self.floats = floats
        self.offset = offset
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// Some of the rows.
    package func rows(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows)
        return MatrixView(
            floats,
            offset: offset + range.lowerBound * stride,
            rows: range.count,
            columns: columns,
            stride: stride
        )
    }

    /// Some of the columns.
    package func columns(_ range: Range<Int>) -> MatrixView {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns)
        return MatrixView(
            floats,
            offset: offset + range.lowerBound,
            rows: rows,
            columns: range.count,
            stride: stride
        )
    }

    /// The first `count` rows.
    package func prefix(rows count: Int) -> MatrixView { rows(0..<count) }

    /// The first `count` columns.
    package func prefix(columns count: Int) -> MatrixView { columns(0..<count) }
}

extension MatrixView {
    // SAFETY: init checked that offset and extent lie within the storage.
    var pointer: UnsafeMutablePointer<Float> { unsafe floats.base + offset }

    // SAFETY: as above.
    var constant: UnsafePointer<Float> { unsafe UnsafePointer(floats.base + offset) }
}
