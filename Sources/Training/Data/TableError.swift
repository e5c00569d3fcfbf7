// SPDX-License-Identifier: MIT

package import Platform

/// Where in a table something is: the line and the column, for messages.
package struct TablePlace: Equatable, Sendable, CustomStringConvertible {
    /// Line of the file, 1 for the first.
    package let line: Int
    /// Column, 1 for the first.
    package let column: Int
    /// The column's name in the header, nil where there is none.
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
    /// The header has a column twice that was asked for.
    case duplicateColumn(String)
    /// The row has too few columns for what was asked for; index from 0.
    case columnIndexOutOfRange(index: Int, count: Int)
    /// A column is asked for by name and the file has no header.
    case noHeader(String)
    /// A row has another number of fields than the first line.
    case ragged(line: Int, found: Int, expected: Int)
    /// A quoted field never ends.
    case unterminatedQuote(TablePlace)
    /// Text follows the closing quote of a field.
    case textAfterQuote(TablePlace)
    /// A field is not what its column holds; `found` is shortened.
    case invalid(TablePlace, expected: String, found: String)
    /// A text is not UTF-8.
    case notUTF8(TablePlace)
    /// There is more of something than its limit allows.
    case tooMany(String, line: Int, limit: Int)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .gzip(let path, let error): "\(path): \(error)"
        case .empty: "the table is empty"
        case .noRows: "the table has a header but no rows"
        case .missingColumn(let name, let found): "no column \(name); the header has \(found)"
        case .duplicateColumn(let name): "the header has column \(name) more than once"
        case .columnIndexOutOfRange(let index, let count):
            "no column \(index + 1): the first line has \(count)"
        case .noHeader(let name): "column \(name) is asked for by name in a table without header"
        case .ragged(let line, let found, let expected):
            "line \(line): \(found) fields where \(expected) are expected"
        case .unterminatedQuote(let place): "\(place): the quote that opens here never closes"
        case .textAfterQuote(let place): "\(place): text after the closing quote"
        case .invalid(let place, let expected, let found):
            "\(place): expected \(expected), found \(found)"
        case .notUTF8(let place): "\(place): the text is not UTF-8"
        case .tooMany(let what, let line, let limit):
            "line \(line): more than the limit of \(limit) \(what)"
        }
    }
}
