// SPDX-License-Identifier: MIT

/// What stands between two fields of a row.
package enum TableSeparator: Equatable, Sendable {
    /// One byte, a comma say; fields may be quoted as in RFC 4180.
    case byte(UInt8)
    /// Any run of spaces and tabs, also before the first and after the last field; no quotes.
    case blanks
}

/// How a delimited text file is laid out.
package struct TableFormat: Equatable, Sendable {
    /// What stands between two fields.
    package var separator: TableSeparator
    /// Whether the first line names the columns.
    package var hasHeader: Bool
    /// The names of all columns of a file without header; empty where they have none.
    package var names: [String]

    /// Describes a file whose first line names the columns.
    package init(separator: TableSeparator = .byte(UInt8(ascii: ","))) {
        self.separator = separator
        hasHeader = true
        names = []
    }

    /// Describes a file without header.
    package init(separator: TableSeparator = .byte(UInt8(ascii: ",")), names: [String]) {
        self.separator = separator
        hasHeader = false
        self.names = names
    }

    /// Comma-separated values with a header line.
    package static let csv = TableFormat()
}

/// How the text of a timestamp column is to be understood.
package enum TimestampForm: Equatable, Sendable {
    /// RFC 3339 or `2024-01-15 10:30:00`; text without a zone is that many minutes east of UTC.
    case text(naiveOffsetMinutes: Int)
    /// A number of seconds since the epoch.
    case seconds
    /// A number of hours since the epoch; also cycles, of which one counts as an hour.
    case hours
}

/// What a column's fields are.
package enum ColumnType: Equatable, Sendable {
    /// Numbers; an empty field, `NaN`, `nan`, `NA` and `null` are missing and become NaN.
    case number
    /// Text, one string per row.
    case text
    /// Text of few distinct values, kept once each with a code per row.
    case category
    /// Points in time.
    case timestamp(TimestampForm)
}

/// A column that the caller wants, and as what.
package struct ColumnRequest: Equatable, Sendable {
    /// Which column.
    package enum Key: Equatable, Sendable {
        /// By its name.
        case name(String)
        /// By its place, 0 for the first.
        case index(Int)
    }

    /// Which column.
    package let key: Key
    /// What its fields are.
    package let type: ColumnType

    /// Asks for a column by its name.
    package init(_ name: String, _ type: ColumnType) {
        key = .name(name)
        self.type = type
    }

    /// Asks for a column by its place, 0 for the first.
    package init(index: Int, _ type: ColumnType) {
        key = .index(index)
        self.type = type
    }
}

/// Bounds on what a table may hold.
package struct TableLimits: Equatable, Sendable {
    /// Bytes of the file, and of its content where it is compressed (default 4 GiB: a year of
    /// minutes of a hundred machines).
    package var byteCountMax = 4 << 30
    /// Rows (default 2^31 - 1: codes and row numbers fit 32 bits).
    package var rowCountMax = Int(Int32.max)
    /// Columns (default 4096: ten times the widest feature table in use).
    package var columnCountMax = 4096
    /// Bytes of one text field (default 64 KiB).
    package var fieldByteCountMax = 1 << 16
    /// Distinct values of a category column (default 2^24: more are no categories).
    package var categoryCountMax = 1 << 24

    /// Makes the default limits.
    package init() {}
}
