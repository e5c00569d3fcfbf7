// SPDX-License-Identifier: MIT

internal import Features
internal import ModelRuntime
internal import Platform

/// The records that one event loop, or the batches beside them, has for the log.
///
/// - Note: Thread-safe by its lock, which the log holds for an exchange of two arrays.
final class DecisionBuffer: Sendable {
    private struct State {
        /// Room for a frame's head, then records.
        var words: [UInt64] = [0, 0]
        var recordCount = 0
        /// The numbers of the models whose they are.
        var models: [Int] = []
        /// Records that found no room.
        var droppedCount = 0
    }

    /// What a buffer held.
    struct Content {
        var words: [UInt64]
        var recordCount: Int
        var models: [Int]
        var droppedCount: Int
    }

    private let wordsMax: Int
    private let state = Lock(State())

    init(byteCountMax: Int) { wordsMax = byteCountMax / 8 }

    /// Takes the rows that were scored, or as many as find room.
    ///
    /// - Returns: Whether the buffer is half full or more.
    func add(
        _ rows: ReadingRows,
        _ predictor: borrowing RowPredictor,
        arrival: Int64,
        model: Int,
        trial: Int
    ) -> Bool {
        let sensors = rows.sensorCount
        // One lock for all rows: as they are appended to memory that is there, it is held shortly.
        return state.withLock { state in
            for index in rows.rows.indices {
                if !rows.refused.isEmpty, rows.refused[index] != nil { continue }
                let row = rows.rows[index]
                let count = DecisionRecord.wordCount(sensors: sensors, idByteCount: row.id.count)
                guard state.words.count + count <= wordsMax else {
                    state.droppedCount += 1
                    continue
                }
                let values = index * sensors..<(index + 1) * sensors
                let outcome = predictor.outcomes[index]
                let number = outcome.isFromTrial ? trial : model
                outcome.record(of: row, arrival: arrival, model: number).append(
                    values: rows.values.span.extracting(values),
                    flags: predictor.flags.span.extracting(values),
                    id: rows.ids.span.extracting(row.id),
                    to: &state.words
                )
                state.recordCount += 1
                if !state.models.contains(number) { state.models.append(number) }
            }
            return state.words.count * 2 >= wordsMax
        }
    }

    /// Takes what is in the buffer, which goes on with the memory of `spare`.
    func exchange(for spare: consuming [UInt64]) -> Content {
        var empty = State(words: spare)
        empty.words.removeAll(keepingCapacity: true)
        empty.words.append(contentsOf: repeatElement(0, count: 2))
        let full = state.withLock { state in
            swap(&state, &empty)
            return empty
        }
        return Content(
            words: full.words,
            recordCount: full.recordCount,
            models: full.models,
            droppedCount: full.droppedCount
        )
    }
}

extension RowPredictor.Outcome {
    /// What the log keeps of the prediction.
    fileprivate func record(
        of row: ReadingRows.Row,
        arrival: Int64,
        model: Int
    ) -> DecisionRecord {
        DecisionRecord(
            model: model,
            time: ReadingTime(
                timestamp: timestamp,
                isTimestamped: row.timestamp != nil,
                arrival: arrival
            ),
            admission: admission,
            // A history of its own goes into no machine's record.
            standing: row.history == nil ? standing : RecordStanding(),
            hasHistory: row.history != nil,
            probability: probability,
            prediction: prediction,
            riskLevel: riskLevel == .low ? 0 : riskLevel == .medium ? 1 : 2
        )
    }
}
