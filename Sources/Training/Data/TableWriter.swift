// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
package import Platform

/// Writes comma-separated values straight to a file, row by row.
///
/// The file appears under its name when ``finish()`` returns. Numbers are written in the shortest
/// form that reads back as the same Double, missing ones (NaN) as an empty field; text is quoted
/// where RFC 4180 asks for it.
package struct TableWriter: ~Copyable {
    private let file: FileWriter
    private var buffer: [UInt8] = []
    private var fieldCount = 0
    private let flushByteCount = 1 << 16

    /// Opens the file and writes the header.
    ///
    /// - Throws: ``FileError``.
    package init(_ path: String, header: [String]) throws(FileError) {
        file = try FileWriter(path)
        buffer.reserveCapacity(flushByteCount * 2)
        for name in header { append(name) }
        closeRow()
    }

    /// Appends a number to the row.
    package mutating func append(_ value: Double) {
        separate()
        if value.isFinite { JSONNumber.append(value, to: &buffer) }
    }

    /// Appends a number to the row in the shortest form that reads back as the same Float.
    package mutating func append(_ value: Float) {
        separate()
        guard value.isFinite else { return }
        let start = buffer.count
        JSONNumber.append(value, to: &buffer)
        // Reading rounds to Double first; once in some 10^8 numbers that lands on the other side.
        if read(from: start) == value { return }
        buffer.removeSubrange(start...)
        JSONNumber.append(Double(value), to: &buffer)
    }

    /// What the reader makes of the number at the end of the buffer.
    private func read(from start: Int) -> Float? {
        let text = buffer.span
        if let short = ShortDecimal.scan(text, from: start, powers: ShortDecimal.powersOfTen),
            short.end == text.count
        {
            return Float(short.value)
        }
        return JSONNumber.parse(text, start..<text.count).map { Float($0) }
    }

    /// Appends a whole number to the row.
    package mutating func append(_ value: Int) {
        separate()
        JSONNumber.append(value, to: &buffer)
    }

    /// Appends a text to the row.
    package mutating func append(_ text: String) {
        separate()
        let bytes = text.utf8
        guard bytes.contains(where: Self.needsQuotes) else {
            buffer.append(contentsOf: bytes)
            return
        }
        buffer.append(UInt8(ascii: "\""))
        for byte in bytes {
            if byte == UInt8(ascii: "\"") { buffer.append(byte) }
            buffer.append(byte)
        }
        buffer.append(UInt8(ascii: "\""))
    }

    /// Appends a point in time, microseconds since the epoch, as RFC 3339 text.
    package mutating func append(timestamp microseconds: Int64) {
        separate()
        Timestamp.append(microseconds, to: &buffer)
    }

    /// Ends the row.
    ///
    /// - Throws: ``FileError`` where the file cannot take what is buffered.
    package mutating func endRow() throws(FileError) {
        closeRow()
        guard buffer.count >= flushByteCount else { return }
        try file.append(buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    private mutating func closeRow() {
        if fieldCount == 1, buffer.isEmpty || buffer.last == UInt8(ascii: "\n") {
            // A missing number alone in its row: a blank line would be no row.
            buffer.append(contentsOf: "\"\"".utf8)
        }
        buffer.append(UInt8(ascii: "\n"))
        fieldCount = 0
    }

    /// Writes what is left, syncs the file and gives it its name.
    ///
    /// - Throws: ``FileError``; then the file of that name is what it was before.
    package consuming func finish() throws(FileError) {
        try file.append(buffer)
        try file.commit()
    }

    private mutating func separate() {
        if fieldCount > 0 { buffer.append(UInt8(ascii: ",")) }
        fieldCount += 1
    }

    private static func needsQuotes(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
        default: false
        }
    }
}
