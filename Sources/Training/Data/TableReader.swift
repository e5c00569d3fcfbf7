// SPDX-License-Identifier: MIT

internal import Platform

/// Reads delimited text into columns: one pass over the bytes, no string per field.
///
/// Every field of every row is looked at; the first thing that is not as asked for ends the
/// reading with its line and column. Blank lines may stand at the end only.
package enum TableReader {
    /// The bytes of a file, inflated where it is a gzip file.
    ///
    /// - Throws: ``TableError`` `.file` or `.gzip`.
    package static func load(
        _ path: String,
        limits: TableLimits = TableLimits()
    ) throws(TableError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.read(path, byteCountMax: limits.byteCountMax)
        } catch {
            throw .file(error)
        }
        guard GzipReader.isGzip(bytes) else { return bytes }
        do throws(GzipError) {
            return try GzipReader.inflate(bytes, byteCountMax: limits.byteCountMax)
        } catch {
            throw .gzip(path: path, error)
        }
    }

    /// Reads the requested columns of a table.
    ///
    /// - Throws: ``TableError``.
    package static func read(
        _ bytes: [UInt8],
        format: TableFormat = .csv,
        columns requests: [ColumnRequest],
        limits: TableLimits = TableLimits()
    ) throws(TableError) -> Table {
        var parser = TableParser(format: format, limits: limits)
        let span = bytes.span
        let head = try parser.firstLine(span)
        var plan = [ColumnPlan](repeating: .skip, count: head.columnCount)
        var indices: [Int] = []
        for request in requests {
            let index = try place(of: request, in: head)
            if case .skip = plan[index] { plan[index] = parser.add(request.type) }
            // A column asked for twice is parsed once, as what it was first asked for.
            indices.append(index)
        }
        let start = format.hasHeader ? head.end : parser.start(of: span)
        let lines = try parser.parseRows(span, from: start, plan: plan)
        guard lines.count > 0 else { throw format.hasHeader ? .noRows : .empty }
        let columns = parser.finish()
        return Table(
            names: head.names,
            columns: indices.map { plan[$0].take(from: columns) },
            indices: indices,
            lines: lines
        )
    }

    private static func place(
        of request: ColumnRequest,
        in head: TableParser.FirstLine
    ) throws(TableError) -> Int {
        switch request.key {
        case .index(let index):
            guard (0..<head.columnCount).contains(index) else {
                throw .columnIndexOutOfRange(index: index, count: head.columnCount)
            }
            return index
        case .name(let name):
            guard let index = head.names.firstIndex(of: name) else {
                let found = head.names.joined(separator: ", ")
                throw .missingColumn(name, found: TableParser.shortened(found, to: 300))
            }
            if let second = head.names[(index + 1)...].firstIndex(of: name) {
                throw .duplicateColumn(TablePlace(line: 1, column: second + 1, name: name))
            }
            return index
        }
    }
}
