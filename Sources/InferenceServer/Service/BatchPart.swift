// SPDX-License-Identifier: MIT

internal import Platform

/// Rows of a batch that one thread scores, in the order of the batch.
///
/// All rows of a machine are in one part, so that its readings keep their order; parts have no
/// shard of the state in common, so that they never wait for each other.
struct BatchPart: Sendable {
    private(set) var rows: ReadingRows
    /// Where each row stands in the batch.
    private(set) var places: [Int] = []

    /// Makes a part without rows of a batch.
    init(of batch: ReadingRows) {
        rows = batch
        rows.rows = []
        rows.values = []
        rows.refused = [:]
    }

    /// Takes a row of the batch over.
    mutating func take(_ place: Int, of batch: borrowing ReadingRows) {
        let first = place * batch.sensorCount
        for sensor in 0..<batch.sensorCount { rows.values.append(batch.values[first + sensor]) }
        if !batch.refused.isEmpty { rows.refused[places.count] = batch.refused[place] }
        rows.rows.append(batch.rows[place])
        places.append(place)
    }
}

/// The encoded predictions of a part, one after the other.
struct PartAnswer: Sendable {
    var bytes: [UInt8] = []
    /// Where each prediction ends.
    var ends: [Int] = []

    /// Appends the predictions of all parts in the order of the batch, a comma between them.
    static func join(
        _ answers: [PartAnswer],
        of parts: [BatchPart],
        to output: inout [UInt8]
    ) {
        var owners = [Int](repeating: 0, count: parts.reduce(0) { $0 + $1.places.count })
        for (number, part) in parts.enumerated() {
            for place in part.places { owners[place] = number }
        }
        output.reserveCapacity(
            output.count + owners.count + answers.reduce(512) { $0 + $1.bytes.count }
        )
        var next = [Int](repeating: 0, count: parts.count)
        var start = next
        for (place, owner) in owners.enumerated() {
            if place > 0 { output.append(UInt8(ascii: ",")) }
            let range = start[owner]..<answers[owner].ends[next[owner]]
            let bytes = answers[owner].bytes
            output.append(copying: bytes.span.extracting(range))
            next[owner] += 1
            start[owner] = range.upperBound
        }
    }
}
