// SPDX-License-Identifier: MIT

package import Platform

/// Where in a table something is, for messages: the line and the column.
package struct TablePlace: Equatable, Sendable, CustomStringConvertible {
    /// Line of the file on which the row starts: 1 for the first, the header counts, and so do
    /// the lines within quotes.
    package let line: Int
    /// Column, 1 for the first.
    package let column: Int
    /// The column's name, nil where there is none.
    package let name: String?

    /// Names a place.
    package init(line: Int, column: Int, name: String?) {
        self.line = line
        self.column = column
        self.name = name
    }

    package var description: String {
        let place = "line \(line), column \(column)"
        return if let name { "\(place) (\(name))" } else { place }
    }
}

/// Why a file is not the table that was asked for.
package enum TableError: Error, Equatable, CustomStringConvertible {
    /// The file cannot be read or written.
    case file(FileError)
    /// The file is compressed and damaged or too large.
    case gzip(path: String, GzipError)
    /// There is nothing in the file.
    case empty
    /// There is a header and no row.
    case noRows
    /// The header lacks a column that was asked for.
    case missingColumn(String, found: String)
    /// The header has a column twice that was asked for; the place is the second one's.
    case duplicateColumn(TablePlace)
    /// The row has too few columns for what was asked for; index from 0.
    case columnIndexOutOfRange(index: Int, count: Int)
    /// A row has another number of fields than there are columns; the place is the first field
    /// that is missing or too many.
    case ragged(TablePlace, found: Int, expected: Int)
    /// A quoted field never ends.
    case unterminatedQuote(TablePlace)
    /// Text follows the closing quote of a field.
    case textAfterQuote(TablePlace)
    /// A field is not what its column holds; `found` is shortened.
    case invalid(TablePlace, expected: String, found: String)
    /// A text is not UTF-8.
    case notUTF8(TablePlace)
    /// A text has a zero byte, as a damaged file does.
    case zeroByte(TablePlace)
    /// There is more of something than its limit allows.
    case tooMany(String, TablePlace, limit: Int)
    /// A field is well formed, and yet its row cannot be used.
    case refused(TablePlace, why: String)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .gzip(let path, let error): "\(path): \(error)"
        case .empty: "line 1: the table is empty"
        case .noRows: "line 1: the table has a header but no rows"
        case .missingColumn(let name, let found): "line 1: no column \(name); there are \(found)"
        case .duplicateColumn(let place): "\(place): the second column of this name"
        case .columnIndexOutOfRange(let index, let count):
            "line 1: no column \(index + 1); there are \(count)"
        case .ragged(let place, let found, let expected):
            "\(place): \(found < expected ? "missing" : "too many"):"
                + " \(found) fields where \(expected) are expected"
        case .unterminatedQuote(let place): "\(place): the quote that opens here never closes"
        case .textAfterQuote(let place): "\(place): text after the closing quote"
        case .invalid(let place, let expected, let found):
            "\(place): expected \(expected), found \(found)"
        case .notUTF8(let place): "\(place): the text is not UTF-8"
        case .zeroByte(let place): "\(place): the text has a zero byte"
        case .tooMany(let what, let place, let limit):
            "\(place): more than the limit of \(limit) \(what)"
        case .refused(let place, let why): "\(place): \(why)"
        }
    }
}
