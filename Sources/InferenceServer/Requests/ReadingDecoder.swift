// SPDX-License-Identifier: MIT

internal import JSON

/// Reads readings straight from a body's bytes into flat rows: no tree, no text per key.
///
/// It goes on after a field that does not fit, so that a client learns of all of them at once; bad
/// JSON ends it.
struct ReadingDecoder {
    /// Where a reading's values go.
    enum Target {
        case row(Int)
        case history(Int, of: Int)
    }

    /// A key that the schema does not know.
    struct UnknownKey {
        let text: JSONText
        /// Equal for equal texts, however they are spelled.
        let fingerprint: Int
    }

    /// A step from a reading into a value that is skipped.
    enum PathStep {
        /// An unknown field.
        case key(JSONText)
        /// A known field, whose value is of the wrong kind.
        case field(String)
        case index(Int)
    }

    let format: ReadingFormat
    /// The last moment that a reading may be about, microseconds since the epoch.
    private(set) var latest = Int64.max
    /// The most readings of all histories of a request.
    private(set) var historyMax = 0
    /// What is wrong with the reading, or the batch that it fails, as far as it is listed.
    private var problems: [FieldProblem] = []
    /// Whether anything is wrong, listed or not.
    private(set) var isUnfit = false
    /// Whether more is wrong than is listed.
    private var isCut = false
    /// How many more problems this request's answer may list.
    private var listedLeft = 0
    /// The names that clients probably meant.
    var suggestions = Suggestions()
    /// Where the decoded span starts in the body.
    private(set) var base = 0
    /// The unknown keys of the open objects, outermost first, to tell one that comes twice.
    var unknownKeys: [UnknownKey] = []
    /// The way from the reading to the value that is being skipped.
    var path: [PathStep] = []
    private var reader: JSONReader

    init(format: ReadingFormat) {
        self.format = format
        reader = JSONReader(limits: format.jsonLimits)
    }

    /// Makes ready for the next body, which arrived at that moment.
    mutating func begin(arrival: Int64) {
        latest = format.latest(arrival: arrival)
        base = 0
        historyMax = format.limits.historyRowsMax
        reader = JSONReader(limits: format.jsonLimits)
        if isUnfit { _ = takeRefusal() }
        listedLeft = max(ServiceLimits.batchProblemsListedMax, format.limits.problemsListedMax)
        suggestions = Suggestions()
    }

    /// Lets as many problems be listed as so many bytes of lines are worth: a listed one takes a
    /// hundred, and lines of three bytes have six each.
    mutating func boundProblems(byteCount: Int) {
        let worth = max(format.limits.problemsListedMax, byteCount / 64)
        listedLeft = min(listedLeft, worth)
    }

    /// Lets the histories of a batch of so many bytes take as much memory, or as one reading's may:
    /// an empty object of three bytes takes a hundred and more.
    mutating func boundHistory(of rows: borrowing ReadingRows, byteCount: Int) {
        historyMax = max(format.limits.historyRowsMax, byteCount / rows.historyStride)
    }

    /// Reads the one reading that `bytes` hold, which start at `base` in the body.
    mutating func readSingle(
        _ bytes: Span<UInt8>,
        base: Int = 0,
        into rows: inout ReadingRows
    ) throws(ServiceError) {
        self.base = base
        if try readPlain(bytes, base: base, into: &rows) { return }
        reader = JSONReader(limits: format.jsonLimits)
        let row = rows.appendRow()
        try readReading(try next(bytes), bytes, RequestPointer(), .row(row), &rows)
        _ = try next(bytes)  // The end, or it throws.
        try throwProblems()
        try checkShard(of: rows, RequestPointer())
    }

    /// Reads the one reading that `bytes` hold where it is plain; otherwise nothing changes.
    ///
    /// - Throws: ``ServiceError`` where the machine is not kept here; the row is there then.
    func readPlain(
        _ bytes: Span<UInt8>,
        base: Int = 0,
        into rows: inout ReadingRows
    ) throws(ServiceError) -> Bool {
        let end = format.appendPlainReading(bytes, at: 0, base: base, latest: latest, to: &rows)
        guard let end else { return false }
        guard end == bytes.count else {
            rows.removeLastRow()
            return false
        }
        try checkShard(of: rows, RequestPointer())
        return true
    }

    /// Reads the next element of an open array into a new row; false at the array's end.
    mutating func readElement(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ format: ReadingFormat,
        into rows: inout ReadingRows
    ) throws(ServiceError) -> Bool {
        guard let start = try nextElement(bytes) else { return false }
        guard rows.rows.count < format.limits.batchRowsMax else {
            throw .tooManyRows(limit: format.limits.batchRowsMax)
        }
        let end = format.appendPlainReading(
            bytes,
            at: start,
            base: base,
            latest: latest,
            to: &rows
        )
        if let end {
            reader.didReadValue(upTo: end)
        } else {
            try readReading(try next(bytes), bytes, pointer, .row(rows.appendRow()), &rows)
        }
        return true
    }

    private mutating func nextElement(_ bytes: Span<UInt8>) throws(ServiceError) -> Int? {
        do {
            return try reader.nextElement(bytes)
        } catch {
            throw .malformedJSON(error)
        }
    }

    /// The next token.
    mutating func next(_ bytes: Span<UInt8>) throws(ServiceError) -> JSONToken {
        do {
            return try reader.next(bytes)
        } catch {
            throw .malformedJSON(error)
        }
    }

    /// Passes the next elements of an open array, up to one with something in it or to the end.
    mutating func skipLeaves(
        _ bytes: Span<UInt8>
    ) throws(ServiceError) -> (count: Int, isEnd: Bool) {
        do {
            return try reader.skipLeaves(bytes)
        } catch {
            throw .malformedJSON(error)
        }
    }

    /// Fails with what was wrong, if anything was.
    mutating func throwProblems() throws(ServiceError) {
        if let error = takeRefusal() { throw error }
    }

    /// Gives what was wrong, if anything was, and forgets it.
    mutating func takeRefusal() -> ServiceError? {
        guard isUnfit else { return nil }
        defer {
            isUnfit = false
            isCut = false
            problems = []
        }
        return problems.isEmpty ? .unlistedContent : .invalidContent(problems, isCut: isCut)
    }

    /// Whether one more problem would be listed; without that no text of it need be made.
    var listsProblems: Bool {
        listedLeft > 0 && problems.count < format.limits.problemsListedMax
    }

    /// Notes that something does not fit; its texts are made only where they are listed.
    mutating func note(_ pointer: @autoclosure () -> String, _ detail: @autoclosure () -> String) {
        guard listsProblems else { return noteUnlisted() }
        isUnfit = true
        listedLeft -= 1
        problems.append(FieldProblem(pointer: pointer(), detail: detail()))
    }

    /// Notes that something does not fit which is not listed.
    mutating func noteUnlisted() {
        isUnfit = true
        isCut = true
    }

    mutating func readReading(
        _ token: JSONToken,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        guard token == .objectBegin else {
            note(pointer.text(), "a reading is an object, not \(token.words)")
            return try skipRest(of: token, bytes, pointer)
        }
        var seen = SeenKeys()
        var expected = 0
        var unknownCount = 0
        let firstUnknown = rows.unknownNames.count
        let firstKey = unknownKeys.count
        defer { forgetUnknownKeys(after: firstKey) }
        while case .key(let text) = try next(bytes) {
            guard let key = format.key(text, in: bytes, expected: expected),
                !(isHistory(target) && key == .history)
            else {
                unknownCount += 1
                try insertUnknownKey(text, bytes, pointer, after: firstKey)
                try readUnknown(text, bytes, pointer, firstUnknown, target, &rows)
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
        if case .row(let row) = target {
            rows.rows[row].unknownNames = firstUnknown..<rows.unknownNames.count
            if format.needsID, !seen.contains(.equipmentID) {
                note(pointer.text("equipment_id"), "is missing")
            }
            if format.needsHistory, rows.rows[row].history == nil {
                note(pointer.text("history"), "is missing")
            }
        }
        let isRejecting = format.limits.unknownFields == .reject && unknownCount > 0
        guard isRejecting || format.needsMore(than: seen) else { return }
        // A row of three bytes may lack hundreds of sensors.
        guard listsProblems else { return noteUnlisted() }
        let absent = format.requiredSensors(absentFrom: seen)
        let names = unknownNames(after: firstKey, bytes)
        noteAbsent(absent, names, pointer)
        if isRejecting { noteUnknown(names, count: unknownCount, seen, pointer) }
    }

    private func isHistory(_ target: Target) -> Bool {
        if case .history = target { true } else { false }
    }

    private mutating func readUnknown(
        _ text: JSONText,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ first: Int,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        // A row lists its own fields, not those of its history.
        if case .row(let row) = target {
            rows.rows[row].unknownCount += 1
            if rows.unknownNames.count - first < format.limits.unknownFieldsListedMax {
                let limit = format.limits.unknownNameBytesMax
                let name = text.beginning(byteCountMax: limit, in: bytes)
                rows.unknownNames.append(name.lowerBound + base..<name.upperBound + base)
            }
        }
        try skipValue(of: text, bytes, pointer)
    }
}
