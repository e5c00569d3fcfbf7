// SPDX-License-Identifier: MIT

package import Features

/// Feeds the rows of a table one by one through the feature engine, as a plant would send them.
package struct FeatureReplay {
    private let engine: FeatureEngine
    private var records: [[UInt64]]

    /// Prepares empty records for the machines of a table.
    package init(engine: FeatureEngine, table: ReadingTable) {
        self.engine = engine
        records = Array(repeating: [], count: table.entities?.categories.count ?? 0)
    }

    /// Feeds all rows in order; `body` gets the number of each row that is not context, and the
    /// scratch with its features.
    package mutating func run(
        _ table: ReadingTable,
        _ body: (_ row: Int, _ scratch: borrowing FeatureScratch) -> Void
    ) {
        var scratch = engine.makeScratch()
        for row in 0..<table.rowCount {
            for sensor in table.values.indices {
                scratch.values[sensor] = table.values[sensor][row]
            }
            observe(row, table, &scratch)
            guard !table.isContext[row] else { continue }
            engine.finishRow(&scratch)
            body(row, scratch)
        }
    }

    private mutating func observe(
        _ row: Int,
        _ table: ReadingTable,
        _ scratch: inout FeatureScratch
    ) {
        guard let entities = table.entities, let timestamps = table.timestamps else {
            let moment = table.timestamps?[row] ?? 0
            let time = ReadingTime(timestamp: moment, isTimestamped: true, arrival: moment)
            engine.observeAlone(time, scratch: &scratch)
            return
        }
        let machine = Int(entities.codes[row])
        if records[machine].isEmpty {
            records[machine] = Array(repeating: 0, count: engine.records.wordCount)
            var words = records[machine].mutableSpan
            engine.records.reset(&words, at: 0, id: [UInt8]().span)
        }
        let time = ReadingTime(
            timestamp: timestamps[row],
            isTimestamped: true,
            arrival: timestamps[row]
        )
        var words = records[machine].mutableSpan
        _ = engine.observe(time, in: &words, at: 0, scratch: &scratch)
    }
}
