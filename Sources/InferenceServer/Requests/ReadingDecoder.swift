// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

/// Reads readings straight from a body's bytes into flat rows: no tree, no text per key.
///
/// It goes on after a field that does not fit, so that a client learns of all of them at once; bad
/// JSON ends it.
struct ReadingDecoder {
    /// Where a reading's values go.
    private enum Target {
        case row(Int)
        case history(Int, of: Int)
    }

    let format: ReadingFormat
    /// The last moment that a reading may be about, microseconds since the epoch.
    private var latest = Int64.max
    /// What was wrong so far, up to the limit.
    private(set) var problems: [FieldProblem] = []
    /// Where the decoded span starts in the body.
    private(set) var base = 0
    /// The unknown keys of the open objects, outermost first, to tell one that comes twice.
    var unknownKeys: [Range<Int>] = []
    private var reader: JSONReader

    init(format: ReadingFormat) {
        self.format = format
        reader = JSONReader(limits: format.jsonLimits)
    }

    /// Makes ready for the next body, whose readings may be about no moment after `latest`.
    mutating func begin(latest: Int64) {
        self.latest = latest
        base = 0
        reader = JSONReader(limits: format.jsonLimits)
        if !problems.isEmpty { problems = [] }
    }

    /// Reads the one reading that `bytes` hold, which start at `base` in the body.
    mutating func readSingle(
        _ bytes: Span<UInt8>,
        base: Int = 0,
        into rows: inout ReadingRows
    ) throws(ServiceError) {
        self.base = base
        reader = JSONReader(limits: format.jsonLimits)
        let row = rows.appendRow()
        try readReading(try next(bytes), bytes, RequestPointer(), .row(row), &rows)
        _ = try next(bytes)  // The end, or it throws.
        try throwProblems()
    }

    /// Reads the next element of an open array into a new row; false at the array's end.
    mutating func readElement(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        into rows: inout ReadingRows
    ) throws(ServiceError) -> Bool {
        let token = try next(bytes)
        guard token != .arrayEnd else { return false }
        guard rows.rows.count < format.limits.batchRowsMax else {
            throw .tooManyRows(limit: format.limits.batchRowsMax)
        }
        try readReading(token, bytes, pointer, .row(rows.appendRow()), &rows)
        return true
    }

    /// The next token.
    mutating func next(_ bytes: Span<UInt8>) throws(ServiceError) -> JSONToken {
        do {
            return try reader.next(bytes)
        } catch {
            throw .malformedJSON(error)
        }
    }

    /// Skips the value that comes next.
    mutating func skipValue(_ bytes: Span<UInt8>) throws(ServiceError) {
        do {
            try reader.skipValue(bytes)
        } catch {
            throw .malformedJSON(error)
        }
    }

    /// Fails with what was wrong, if anything was.
    mutating func throwProblems() throws(ServiceError) {
        guard problems.isEmpty else { throw .invalidContent(takeProblems()) }
    }

    /// Gives what was wrong and forgets it.
    mutating func takeProblems() -> [FieldProblem] {
        defer { problems = [] }
        return problems
    }

    /// Notes that something does not fit.
    mutating func note(_ pointer: String, _ detail: String) {
        guard problems.count < format.limits.problemsListedMax else { return }
        problems.append(FieldProblem(pointer: pointer, detail: detail))
    }

    private mutating func readReading(
        _ token: JSONToken,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        guard token == .objectBegin else {
            note(pointer.text(), "a reading is an object, not \(token.words)")
            return try skipRest(of: token, bytes)
        }
        var seen = SeenKeys()
        var expected = 0
        let firstUnknown = rows.unknownNames.count
        let firstKey = unknownKeys.count
        defer {
            forgetUnknownKeys(after: firstKey)
            // A row lists its own fields, not those of its history.
            if isHistory(target) {
                rows.unknownNames.removeLast(rows.unknownNames.count - firstUnknown)
            }
        }
        while case .key(let text) = try next(bytes) {
            guard let key = format.key(text, in: bytes, expected: expected),
                !(isHistory(target) && key == .history)
            else {
                try insertUnknownKey(text.range, bytes, pointer, after: firstKey)
                try readUnknown(text, bytes, firstUnknown, target, &rows)
                continue
            }
            guard seen.insert(key) else {
                throw .malformedJSON(.duplicateKey(offset: text.range.lowerBound - 1))
            }
            switch key {
            case .sensor(let sensor):
                expected = sensor + 1
                try readSensor(sensor, bytes, pointer, target, &rows)
            case .equipmentID: try readID(bytes, pointer, target, &rows)
            case .timestamp: try readTimestamp(bytes, pointer, target, &rows)
            case .history: try readHistory(bytes, pointer, target, &rows)
            }
        }
        let unknown = firstUnknown..<rows.unknownNames.count
        if case .row(let row) = target {
            rows.rows[row].unknownNames = unknown
            if format.needsID, !seen.contains(.equipmentID) {
                note(pointer.text("equipment_id"), "is missing")
            }
        }
        let absent = format.requiredSensors(absentFrom: seen)
        let isRejecting = format.limits.unknownFields == .reject && !unknown.isEmpty
        guard !absent.isEmpty || isRejecting else { return }
        let names = unknownTexts(unknown, bytes, rows)
        noteAbsent(absent, names, pointer)
        if isRejecting { noteUnknown(names, seen, pointer) }
    }

    private func isHistory(_ target: Target) -> Bool {
        if case .history = target { true } else { false }
    }

    private mutating func readSensor(
        _ sensor: Int,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        let value: Double
        switch token {
        case .null: return
        case .number(let range) where !format.isCategory[sensor]:
            let parsed = JSONNumber.parse(bytes, range) ?? .nan
            guard parsed.isFinite else {
                let name = format.fields[sensor].name
                return note(pointer.text(name), "the number exceeds the range of a double")
            }
            value = parsed
        case .string(let text) where format.isCategory[sensor]:
            let field = format.fields[sensor]
            guard let index = field.categories.firstIndex(where: { text.equals($0, in: bytes) })
            else { return note(pointer.text(field.name), oneOf(field)) }
            value = Double(index)
        default:
            let field = format.fields[sensor]
            let wanted = format.isCategory[sensor] ? oneOf(field) : "a number or null is needed"
            note(pointer.text(field.name), "\(wanted), not \(token.words)")
            return try skipRest(of: token, bytes)
        }
        switch target {
        case .row(let row): rows.values[row * rows.sensorCount + sensor] = value
        case .history(let index, _): rows.historyValues[index * rows.sensorCount + sensor] = value
        }
    }

    private func oneOf(_ field: ReadingFormat.Field) -> String {
        let names = field.categories.prefix(16).map { String(decoding: $0, as: UTF8.self) }
        return "one of \(names.joined(separator: ", ")) or null is needed"
    }

    private mutating func readID(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        if token == .null, !format.needsID { return }
        guard case .string(let text) = token else {
            note(pointer.text("equipment_id"), "a string is needed, not \(token.words)")
            return try skipRest(of: token, bytes)
        }
        // A history reading belongs to the machine of the request.
        guard case .row(let row) = target else { return }
        let start = rows.ids.count
        text.append(to: &rows.ids, from: bytes)
        let count = rows.ids.count - start
        guard (1...SpecLimits.equipmentIDBytesMax).contains(count) else {
            let limit = SpecLimits.equipmentIDBytesMax
            return note(pointer.text("equipment_id"), "has \(count) bytes; 1 to \(limit) are taken")
        }
        rows.rows[row].id = start..<start + count
        rows.rows[row].rawID = text.range.lowerBound + base..<text.range.upperBound + base
    }

    private mutating func readTimestamp(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        var timestamp: Int64?
        switch token {
        case .null: return
        case .string(let text):
            // No escape is needed in a timestamp: a text that has one is none.
            timestamp = Timestamp.parse(bytes, text.range, naiveOffsetMinutes: format.offsetMinutes)
        case .number(let range):
            timestamp = JSONNumber.parse(bytes, range).flatMap(Timestamp.microseconds(ofSeconds:))
        default:
            note(pointer.text("timestamp"), "RFC 3339 or seconds are needed, not \(token.words)")
            return try skipRest(of: token, bytes)
        }
        guard let timestamp else {
            return note(
                pointer.text("timestamp"),
                "neither RFC 3339 such as 2024-01-15T10:30:00Z nor seconds since the epoch"
            )
        }
        guard timestamp <= latest else {
            return note(pointer.text("timestamp"), "lies too far ahead of the server's clock")
        }
        switch target {
        case .row(let row): rows.rows[row].timestamp = timestamp
        case .history(let index, _): rows.historyTimestamps[index] = timestamp
        }
    }

    private mutating func readHistory(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        guard case .row(let row) = target, token != .null else { return }
        guard token == .arrayBegin else {
            note(pointer.text("history"), "an array of readings is needed, not \(token.words)")
            return try skipRest(of: token, bytes)
        }
        let start = rows.historyTimestamps.count
        while true {
            let element = try next(bytes)
            if element == .arrayEnd { break }
            let index = rows.appendHistory()
            guard index - start < format.limits.historyRowsMax else {
                throw .tooManyRows(limit: format.limits.historyRowsMax)
            }
            var place = pointer
            place.historyIndex = index - start
            try readReading(element, bytes, place, .history(index, of: row), &rows)
        }
        rows.rows[row].history = start..<rows.historyTimestamps.count
    }

    private mutating func readUnknown(
        _ text: JSONText,
        _ bytes: Span<UInt8>,
        _ first: Int,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        if case .row(let row) = target { rows.rows[row].unknownCount += 1 }
        if rows.unknownNames.count - first < format.limits.unknownFieldsListedMax,
            text.range.count <= format.limits.unknownNameBytesMax
        {
            rows.unknownNames.append(text.range.lowerBound + base..<text.range.upperBound + base)
        }
        try skipValue(bytes)
    }

    /// Skips what is left of the value that began with the token.
    mutating func skipRest(of token: JSONToken, _ bytes: Span<UInt8>) throws(ServiceError) {
        guard token == .objectBegin || token == .arrayBegin else { return }
        let outer = reader.depth - 1
        while reader.depth > outer { _ = try next(bytes) }
    }
}
