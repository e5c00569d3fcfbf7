// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import Platform

/// The short way for readings as nearly all clients write them.
///
/// It takes an object of known keys, each once and spelled without escapes, with plain numbers and
/// plain ASCII strings. Anything else, faults included, is left to ``ReadingDecoder``, which reads
/// the object anew: what is taken here means the same there, and tests hold the two together.
extension ReadingFormat {
    /// What has been found of a reading.
    private struct Found {
        var seen: UInt64 = 0
        var id: Range<Int>?
        var timestamp: Int64?
    }

    /// Appends the reading that begins at `start` and returns where it ends; nil, and no change,
    /// where the long way is needed.
    func appendPlainReading(
        _ bytes: Span<UInt8>,
        at start: Int,
        base: Int,
        latest: Int64,
        to rows: inout ReadingRows
    ) -> Int? {
        guard takesPlainReadings else { return nil }
        var found = Found()
        var end: Int?
        let count = fields.count
        rows.values.append(addingCapacity: count) { output in
            output.append(repeating: .nan, count: count)
            var values = output.mutableSpan
            end = readPlainObject(bytes, at: start, latest: latest, into: &values, &found)
            if end == nil { output.removeLast(count) }
        }
        guard let end else { return nil }
        var row = ReadingRows.Row()
        row.timestamp = found.timestamp
        row.unknownNames = rows.unknownNames.count..<rows.unknownNames.count
        if let id = found.id {
            let place = rows.ids.count
            rows.ids.append(copying: bytes.extracting(id))
            row.id = place..<place + id.count
            row.rawID = id.lowerBound + base..<id.upperBound + base
        }
        rows.rows.append(row)
        return end
    }

    private func readPlainObject(
        _ bytes: Span<UInt8>,
        at start: Int,
        latest: Int64,
        into values: inout MutableSpan<Double>,
        _ found: inout Found
    ) -> Int? {
        var cursor = PlainCursor(offset: start)
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return nil }
        // Clients keep an order: an id, then the sensors as the schema has them.
        var expected = fields.count
        repeat {
            cursor.skipWhitespace(bytes)
            guard let field = plainField(&cursor, bytes, expected: expected) else {
                return nil
            }
            let bit: UInt64 = 1 << UInt64(field)
            guard found.seen & bit == 0 else { return nil }
            found.seen |= bit
            if field < fields.count {
                guard !isCategory[field], let value = JSONNumber.scan(bytes, at: &cursor.offset)
                else { return nil }
                values[field] = value
                expected = field &+ 1
            } else if field == fields.count {
                guard let id = cursor.plainString(bytes),
                    (1...SpecLimits.equipmentIDBytesMax).contains(id.count)
                else { return nil }
                found.id = id
                expected = 0
            } else {
                guard let text = cursor.plainString(bytes),
                    let moment = Timestamp.parse(bytes, text, naiveOffsetMinutes: offsetMinutes),
                    moment <= latest
                else { return nil }
                found.timestamp = moment
                expected = 0
            }
            cursor.skipWhitespace(bytes)
        } while cursor.take(UInt8(ascii: ","), bytes)
        guard cursor.take(UInt8(ascii: "}"), bytes), found.seen & required == required else {
            return nil
        }
        return cursor.offset
    }

    /// The number of the known field whose name, colon and white space end before the value.
    private func plainField(
        _ cursor: inout PlainCursor,
        _ bytes: Span<UInt8>,
        expected: Int
    ) -> Int? {
        // The history, behind the timestamp, is not read here.
        let count = plainNames.count &- 1
        var field = expected
        for _ in 0..<count {
            if field >= count { field = 0 }
            if plainNames[field].stands(at: cursor.offset, in: bytes, quotedNames) {
                cursor.offset &+= plainNames[field].count
                cursor.skipWhitespace(bytes)
                guard cursor.take(UInt8(ascii: ":"), bytes) else { return nil }
                cursor.skipWhitespace(bytes)
                return field
            }
            field &+= 1
        }
        return nil
    }
}

/// A quoted name that is compared by its first eight bytes and its last ones.
struct PlainName {
    /// Bytes with the quotes.
    let count: Int
    private let start: Int
    private let head: UInt64
    private let tail: UInt64
    /// The bytes of a word that a name shorter than that has.
    private let mask: UInt64

    init(_ names: [UInt8], _ range: Range<Int>) {
        start = range.lowerBound
        count = range.count
        func word(_ first: Int) -> UInt64 {
            (0..<min(8, range.count)).reduce(0) { $0 | UInt64(names[first + $1]) << UInt64(8 * $1) }
        }
        head = word(range.lowerBound)
        tail = word(max(range.lowerBound, range.upperBound - 8))
        mask = range.count < 8 ? 1 << UInt64(8 * range.count) - 1 : .max
    }

    /// Whether it stands there; no for the last bytes of a text, where it would have no value.
    @inline(__always)
    func stands(at offset: Int, in bytes: Span<UInt8>, _ names: borrowing [UInt8]) -> Bool {
        guard bytes.count &- offset >= max(count, 8) else { return false }
        let last = offset &+ max(count &- 8, 0)
        guard (bytes.word(at: offset) ^ head) & mask == 0,
            (bytes.word(at: last) ^ tail) & mask == 0
        else { return false }
        var index = 8
        while index < count &- 8 {
            if bytes[offset &+ index] != names[start &+ index] { return false }
            index &+= 1
        }
        return true
    }
}

/// A place in a reading's bytes.
private struct PlainCursor {
    var offset: Int

    @inline(__always)
    mutating func skipWhitespace(_ bytes: Span<UInt8>) {
        while offset < bytes.count {
            let byte = bytes[offset]
            // One comparison settles it for bytes that are none.
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
                return
            }
            offset &+= 1
        }
    }

    /// Moves behind the byte, if it comes next.
    @inline(__always)
    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset &+= 1
        return true
    }

    /// The inside of the string that comes next, if it is ASCII without escapes; moves behind it.
    mutating func plainString(_ bytes: Span<UInt8>) -> Range<Int>? {
        guard take(UInt8(ascii: "\""), bytes) else { return nil }
        var end = offset
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            let byte = bytes[end]
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
            end &+= 1
        }
        guard end < bytes.count else { return nil }
        defer { offset = end &+ 1 }
        return offset..<end
    }
}
