// SPDX-License-Identifier: MIT

/// A column of few distinct texts.
package struct CategoryColumn: Equatable, Sendable {
    /// The distinct texts in order of first appearance.
    package let categories: [String]
    /// Per row the index of its text in ``categories``.
    package let codes: [Int32]

    /// Makes a column of its distinct texts and a code per row.
    package init(categories: [String], codes: [Int32]) {
        self.categories = categories
        self.codes = codes
    }
}

/// The values of one column.
package enum TableColumn: Equatable, Sendable {
    /// Numbers, NaN where missing.
    case numbers([Double])
    /// Texts.
    case texts([String])
    /// Texts with a code per row.
    case categories(CategoryColumn)
    /// Microseconds since the epoch.
    case timestamps([Int64])

    /// The numbers of a number column.
    package var numbers: [Double]? {
        if case .numbers(let values) = self { values } else { nil }
    }
    /// The texts of a text column.
    package var texts: [String]? {
        if case .texts(let values) = self { values } else { nil }
    }
    /// The texts and codes of a category column.
    package var categories: CategoryColumn? {
        if case .categories(let column) = self { column } else { nil }
    }
    /// The microseconds of a timestamp column.
    package var timestamps: [Int64]? {
        if case .timestamps(let values) = self { values } else { nil }
    }
}

/// The lines of the file on which the rows start.
///
/// Rows stand on one line each but where a quoted field has line breaks: only those are kept.
package struct RowLines: Equatable, Sendable {
    private var first: Int
    private var shiftedRows: [Int] = []
    private var shifts: [Int] = []
    /// The number of rows.
    package private(set) var count = 0

    init(first: Int) { self.first = first }

    /// Adds a row that starts on a line.
    mutating func append(_ line: Int) {
        let shift = line - first - count
        if shift != shifts.last ?? 0 {
            shiftedRows.append(count)
            shifts.append(shift)
        }
        count += 1
    }

    /// The line of a row, which counts from 0.
    package subscript(row: Int) -> Int {
        let shift = shiftedRows.lastIndex { $0 <= row }.map { shifts[$0] }
        return first + row + (shift ?? 0)
    }
}

/// A table as read: the requested columns, each as one array.
package struct Table: Equatable, Sendable {
    /// The names of all columns of the file; empty where they have none.
    package let names: [String]
    /// The requested columns in the order of the requests.
    package let columns: [TableColumn]
    /// Where each requested column stands in the file, 0 for the first.
    package let indices: [Int]
    /// The line of each row.
    package let lines: RowLines

    /// Number of rows, without the header.
    package var rowCount: Int { lines.count }

    /// The error for a value that cannot be used: the row, and the number of the request.
    package func refusal(row: Int, request: Int, _ why: String) -> TableError {
        let column = indices[request]
        let name = column < names.count ? names[column] : nil
        let place = TablePlace(line: lines[row], column: column + 1, name: name)
        return .refused(place, why: why)
    }
}
