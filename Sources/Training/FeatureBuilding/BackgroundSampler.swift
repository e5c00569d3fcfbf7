// SPDX-License-Identifier: MIT

package import Features
package import ModelRuntime

/// Picks the training readings that explanations compare with.
package enum BackgroundSampler {
    /// The fixed seed: the same rows give the same background.
    private static let seed: UInt64 = 1
    private static let historyMax = 512

    /// Up to 32 readings without a failure ahead, one at random from each of as many equal parts of
    /// those rows, each with what its machine's record held.
    ///
    /// So an explanation says what sets a reading apart from normal operation.
    package static func records(
        from table: ReadingTable,
        transform: FeatureTransform
    ) -> [BackgroundRecord] {
        let rows = table.ownRows.filter { table.labels[$0] == 0 }
        let count = min(BackgroundRecord.countMax, rows.count)
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { part in
            let first = part * rows.count / count
            let end = (part + 1) * rows.count / count
            return record(rows[first + generator.uniform(below: end - first)], table, transform)
        }
    }

    private static func record(
        _ row: Int,
        _ table: ReadingTable,
        _ transform: FeatureTransform
    ) -> BackgroundRecord {
        var history: [GoldenCase.Reading] = []
        if let entities = table.entities, let timestamps = table.timestamps {
            // One horizon more than the windows need: silent sensors are filled from before.
            let oldest = timestamps[row] - 2 * transform.layout.horizonMicroseconds
            var earlier = row - 1
            while earlier >= 0, history.count < historyMax {
                if entities.codes[earlier] == entities.codes[row] {
                    guard timestamps[earlier] >= oldest else { break }
                    history.append(table.reading(earlier))
                }
                earlier -= 1
            }
            history.reverse()
        }
        return BackgroundRecord(history: history, reading: table.reading(row))
    }
}

extension ReadingTable {
    /// A row as bundles keep readings.
    func reading(_ row: Int) -> GoldenCase.Reading {
        GoldenCase.Reading(timestamp: timestamps?[row] ?? 0, values: values.map { $0[row] })
    }
}
