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

/// A table as read: the requested columns, each as one array.
package struct Table: Equatable, Sendable {
    /// Number of rows, without the header.
    package let rowCount: Int
    /// The names in the header, of all columns of the file; empty where it has none.
    package let names: [String]
    /// The requested columns in the order of the requests.
    package let columns: [TableColumn]
    /// The 1-based line of the file on which the first row stands.
    package let firstRowLine: Int
}
