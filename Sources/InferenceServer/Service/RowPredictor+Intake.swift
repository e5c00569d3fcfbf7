// SPDX-License-Identifier: MIT

internal import Features

/// Readings that go into the records of their machines, or into one of their own.
extension RowPredictor {
    /// Takes a reading into its machine's record, unless it comes with a history of its own.
    ///
    /// The store is no property: as an argument it is not counted anew for each row, by loops that
    /// share its count.
    ///
    /// A row for which there is no room is refused in its place.
    mutating func takeIn(
        _ index: Int,
        _ rows: inout ReadingRows,
        _ state: StateStore,
        _ arrival: Int64
    ) -> Admission {
        if !rows.refused.isEmpty, rows.refused[index] != nil { return .inOrder }
        if rows.rows[index].history != nil { return takeAlone(index, rows, arrival) }
        load(rows.values, index)
        do {
            return try state.observe(
                time(of: rows.rows[index], arrival),
                id: rows.ids.span.extracting(rows.rows[index].id),
                engine: engine,
                scratch: &scratch
            )
        } catch {
            switch error {
            case .full(let limit):
                rows.refused[index] = .stateFull(limit: limit)
                return .inOrder
            case .idTooLong: preconditionFailure("the decoder bounds ids")
            }
        }
    }

    /// Takes a reading that belongs to no record, after its history where it has one.
    mutating func takeAlone(
        _ index: Int,
        _ rows: borrowing ReadingRows,
        _ arrival: Int64
    ) -> Admission {
        if !rows.refused.isEmpty, rows.refused[index] != nil { return .inOrder }
        load(rows.values, index)
        let time = time(of: rows.rows[index], arrival)
        if let history = rows.rows[index].history {
            return observe(time, after: history, rows, index)
        }
        engine.observeAlone(time, scratch: &scratch)
        return .inOrder
    }

    private func time(of row: ReadingRows.Row, _ arrival: Int64) -> ReadingTime {
        ReadingTime(
            timestamp: row.timestamp ?? arrival,
            isTimestamped: row.timestamp != nil,
            arrival: arrival
        )
    }

    /// Takes a reading after its history into a record of its own.
    private mutating func observe(
        _ time: ReadingTime,
        after history: Range<Int>,
        _ rows: borrowing ReadingRows,
        _ index: Int
    ) -> Admission {
        var record: [UInt64] = []
        swap(&record, &lone)
        defer { swap(&record, &lone) }
        if record.isEmpty { record = Array(repeating: 0, count: engine.records.wordCount) }
        var words = record.mutableSpan
        engine.records.reset(&words, at: 0, id: [UInt8]().span)
        for place in history {
            load(rows.historyValues, place)
            let timestamp = rows.historyTimestamps[place]
            let past = ReadingTime(
                timestamp: timestamp ?? time.arrival,
                isTimestamped: timestamp != nil,
                arrival: time.arrival
            )
            engine.absorb(past, in: &words, at: 0, scratch: &scratch)
        }
        load(rows.values, index)
        return engine.observe(time, in: &words, at: 0, scratch: &scratch)
    }

    private mutating func load(_ values: borrowing [Double], _ row: Int) {
        let count = scratch.values.count
        for sensor in 0..<count { scratch.values[sensor] = values[row * count + sensor] }
    }
}
