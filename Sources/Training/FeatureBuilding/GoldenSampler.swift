// SPDX-License-Identifier: MIT

package import Features
package import ModelRuntime

/// Picks readings with their history from training data, for the self-test of a bundle.
package enum GoldenSampler {
    private static let casesPerLabel = 4
    private static let historyMax = 48

    /// Up to four readings with a failure ahead and four without, spread evenly over the rows, each
    /// with up to 48 readings of its machine before it.
    package static func cases(from table: ReadingTable, engine: FeatureEngine) -> [GoldenCase] {
        var cases: [GoldenCase] = []
        for label: UInt8 in [0, 1] {
            let rows = table.ownRows.filter { table.labels[$0] == label }
            let count = min(casesPerLabel, rows.count)
            for index in 0..<count {
                // The middle of each of `count` equal parts.
                let row = rows[rows.count * (2 * index + 1) / (2 * count)]
                cases.append(goldenCase(row, table, engine))
            }
        }
        return cases
    }

    private static func goldenCase(
        _ row: Int,
        _ table: ReadingTable,
        _ engine: FeatureEngine
    ) -> GoldenCase {
        var rows = [row]
        if let entities = table.entities, table.timestamps != nil {
            var earlier = row - 1
            while earlier >= 0, rows.count <= historyMax {
                if entities.codes[earlier] == entities.codes[row] { rows.append(earlier) }
                earlier -= 1
            }
        }
        rows.reverse()
        let isHistory = rows.indices.map { $0 < rows.count - 1 }
        let part = table.rows(rows, isContext: isHistory)
        let replay = FeatureReplay(engine: engine, table: part)
        let features = replay.scaledRows()
        let readings = rows.map(table.reading)
        return GoldenCase(
            history: Array(readings.dropLast()),
            reading: readings[readings.count - 1],
            features: features,
            logit: 0
        )
    }
}
