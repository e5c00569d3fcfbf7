// SPDX-License-Identifier: MIT

internal import JSON

extension ReadingDecoder {
    /// Readings that do not fit, of a batch of so many at most.
    private static let refusedMax = 4
    private static let instances = Array("instances".utf8)

    /// Reads a batch: `{"instances":[...]}` or a bare array.
    ///
    /// With `skipsErrors` a reading that does not fit is noted in its place, else it fails the
    /// batch; bad JSON always does.
    ///
    /// - Returns: False where there are more readings, those of histories too, than `countMax`, or
    ///   with it more than a few that do not fit, each of which costs several others; not all were
    ///   read then.
    mutating func readBatch(
        _ bytes: Span<UInt8>,
        skipsErrors: Bool,
        countMax: Int = .max,
        into rows: inout ReadingRows
    ) throws(ServiceError) -> Bool {
        boundHistory(of: rows, byteCount: bytes.count)
        let token = try next(bytes)
        switch token {
        case .arrayBegin:
            guard try readElements(bytes, "", skipsErrors, countMax, &rows) else { return false }
        case .objectBegin:
            var isFound = false
            let firstKey = unknownKeys.count
            defer { forgetUnknownKeys(after: firstKey) }
            while case .key(let text) = try next(bytes) {
                guard text.equals(Self.instances, in: bytes) else {
                    try insertUnknownKey(text, bytes, RequestPointer(), after: firstKey)
                    try skipValue(of: text, bytes, RequestPointer())
                    continue
                }
                guard !isFound else {
                    throw .malformedJSON(.duplicateKey(offset: text.range.lowerBound - 1))
                }
                isFound = true
                let value = try next(bytes)
                if value == .arrayBegin {
                    let isWhole = try readElements(
                        bytes,
                        "/instances",
                        skipsErrors,
                        countMax,
                        &rows
                    )
                    guard isWhole else { return false }
                } else {
                    note("/instances", "an array of readings is needed, not \(value.words)")
                    try skipRest(of: value, in: "instances", bytes, RequestPointer())
                }
            }
            if !isFound { note("/instances", "is missing") }
        default: note("", "an array or an object with instances is needed, not \(token.words)")
        }
        _ = try next(bytes)  // The end, or it throws.
        try throwProblems()
        return true
    }

    /// Reads lines of one reading each; blank lines are passed over and a line that does not fit,
    /// is too long, or is no JSON, is noted in its place.
    mutating func readLines(_ bytes: Span<UInt8>, into rows: inout ReadingRows) {
        boundHistory(of: rows, byteCount: bytes.count)
        boundProblems(byteCount: bytes.count)
        let lineBytesMax = format.limits.lineBytesMax
        var start = 0
        while start < bytes.count {
            let end = bytes.lineEnd(from: start) ?? bytes.count
            let line = start..<contentEnd(bytes, start..<end)
            // A CR before the line feed is not part of the line, blanks are.
            let hasReturn = end > start && bytes[end - 1] == UInt8(ascii: "\r")
            let isTooLong = end - start - (hasReturn ? 1 : 0) > lineBytesMax
            if line.isEmpty, !isTooLong { rows.blankByteCount += end + 1 - start }
            start = end + 1
            let historyCount = rows.historyTimestamps.count
            guard !isTooLong else {
                _ = rows.appendRow()
                rows.refuseLastRow(.lineTooLong(limit: lineBytesMax), historyCount: historyCount)
                continue
            }
            if line.isEmpty { continue }
            do throws(ServiceError) {
                // With the blanks before it, so that an error's offset counts them.
                try readSingle(bytes.extracting(line), base: line.lowerBound, into: &rows)
            } catch {
                _ = takeRefusal()
                rows.refuseLastRow(error, historyCount: historyCount)
            }
        }
    }

    private mutating func readElements(
        _ bytes: Span<UInt8>,
        _ container: String,
        _ skipsErrors: Bool,
        _ countMax: Int,
        _ rows: inout ReadingRows
    ) throws(ServiceError) -> Bool {
        var pointer = RequestPointer(container: container, index: 0)
        var index = 0
        // Readings of histories that were read, and of them those of readings that fit.
        var historyCount = 0
        var keptCount = rows.historyTimestamps.count
        // Handed on: loops share the format's reference count.
        let format = format
        while try readElement(bytes, pointer, format, into: &rows) {
            historyCount += rows.historyTimestamps.count - keptCount
            if isUnfit {
                if skipsErrors, let error = takeRefusal() {
                    rows.refuseLastRow(error, historyCount: keptCount)
                }
            } else {
                do throws(ServiceError) {
                    try checkShard(of: rows, pointer)
                } catch {
                    guard skipsErrors else { throw error }
                    rows.refuseLastRow(error, historyCount: keptCount)
                }
            }
            index += 1
            pointer.index = index
            keptCount = rows.historyTimestamps.count
            guard rows.rows.count + historyCount <= countMax else { return false }
            if countMax < .max, rows.refused.count > Self.refusedMax { return false }
        }
        return true
    }

    /// Where a line's content ends: before the white space at its end (RFC 8259 §2).
    private func contentEnd(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Int {
        var end = line.upperBound
        while end > line.lowerBound {
            switch bytes[end - 1] {
            case 0x20, 0x09, 0x0D: end -= 1
            default: return end
            }
        }
        return end
    }
}
