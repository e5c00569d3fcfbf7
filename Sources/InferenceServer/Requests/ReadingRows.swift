// SPDX-License-Identifier: MIT

/// Readings taken from a request, in flat storage that is used again for the next request.
struct ReadingRows: Sendable {
    /// One reading; its values stand in ``ReadingRows/values``.
    struct Row: Sendable {
        /// The equipment id, unescaped, in ``ReadingRows/ids``.
        var id: Range<Int> = 0..<0
        /// The equipment id as the client wrote it, between the quotes, in the body; nil for none.
        var rawID: Range<Int>?
        /// The timestamp that the client gave, microseconds since the epoch.
        var timestamp: Int64?
        /// The readings of `history`, in ``ReadingRows/historyTimestamps``; nil without the field.
        var history: Range<Int>?
        /// The unknown fields that are listed, in ``ReadingRows/unknownNames``.
        var unknownNames: Range<Int> = 0..<0
        /// How many unknown fields there were, with those that are not listed.
        var unknownCount = 0
    }

    let sensorCount: Int
    /// The readings in order.
    var rows: [Row] = []
    /// Values by row, then sensor; NaN is missing.
    var values: [Double] = []
    /// Equipment ids, one after the other.
    var ids: [UInt8] = []
    /// Names of unknown fields as written, between the quotes, in the body; of a long one its
    /// beginning, behind which no quote stands.
    var unknownNames: [Range<Int>] = []
    /// Timestamps of history readings.
    var historyTimestamps: [Int64?] = []
    /// Values of history readings, as ``values``.
    var historyValues: [Double] = []
    /// Errors that stand in place of rows, by the row's index.
    var refused: [Int: ServiceError] = [:]
    /// Bytes of blank lines between those that are rows.
    var blankByteCount = 0
    /// What the first of them is refused for.
    var firstRefusal: ServiceError? {
        refused.isEmpty ? nil : refused.min { $0.key < $1.key }?.value
    }

    init(sensorCount: Int) {
        self.sensorCount = sensorCount
    }

    /// Forgets everything but the memory, and that too where it has become large.
    mutating func reset() {
        let keeps =
            values.capacity <= 1 << 16 && historyValues.capacity <= 1 << 16
            && ids.capacity <= 1 << 20
        rows.removeAll(keepingCapacity: keeps)
        values.removeAll(keepingCapacity: keeps)
        ids.removeAll(keepingCapacity: keeps)
        if !unknownNames.isEmpty { unknownNames.removeAll(keepingCapacity: keeps) }
        if !historyTimestamps.isEmpty { historyTimestamps.removeAll(keepingCapacity: keeps) }
        if !historyValues.isEmpty { historyValues.removeAll(keepingCapacity: keeps) }
        if !refused.isEmpty { refused = [:] }
        blankByteCount = 0
    }

    /// Appends a row with all values missing and returns its index.
    mutating func appendRow() -> Int {
        rows.append(Row())
        for _ in 0..<sensorCount { values.append(.nan) }
        return rows.count - 1
    }

    /// Takes back the row that was appended last, which has no history and no unknown fields.
    mutating func removeLastRow() {
        guard let row = rows.popLast() else { return }
        values.removeLast(sensorCount)
        ids.removeLast(row.id.count)
    }

    /// Lets an error stand in place of the row that was appended last, and takes back the readings
    /// of its history: before it there were so many.
    mutating func refuseLastRow(_ error: ServiceError, historyCount: Int) {
        let row = rows.count - 1
        refused[row] = error
        let added = historyTimestamps.count - historyCount
        guard added > 0 else { return }
        historyTimestamps.removeLast(added)
        historyValues.removeLast(added * sensorCount)
        rows[row].history = nil
    }

    /// Bytes that a history reading takes.
    var historyStride: Int {
        MemoryLayout<Int64?>.stride + sensorCount * MemoryLayout<Double>.stride
    }

    /// Appends a history reading with all values missing and returns its index.
    mutating func appendHistory() -> Int {
        historyTimestamps.append(nil)
        for _ in 0..<sensorCount { historyValues.append(.nan) }
        return historyTimestamps.count - 1
    }
}
