// SPDX-License-Identifier: MIT

package import Features

/// A data set in memory as its schema describes it: one reading per row, in the file's order.
package struct ReadingTable: Sendable {
    /// What the columns mean.
    package var schema: Schema
    /// The machine of each row; nil where rows belong to none.
    package var entities: CategoryColumn?
    /// The moment of each row, microseconds since the epoch; nil where rows have no time.
    package var timestamps: [Int64]?
    /// The readings by sensor, then row: NaN is missing, a category is the index of its name.
    package var values: [[Double]]
    /// The answers, 0 or 1.
    package var labels: [UInt8]
    /// Rows that windows see but training and scoring do not.
    package var isContext: [Bool]

    /// Puts the columns together.
    package init(
        schema: Schema,
        entities: CategoryColumn?,
        timestamps: [Int64]?,
        values: [[Double]],
        labels: [UInt8],
        isContext: [Bool]? = nil
    ) {
        self.schema = schema
        self.entities = entities
        self.timestamps = timestamps
        self.values = values
        self.labels = labels
        self.isContext = isContext ?? Array(repeating: false, count: labels.count)
    }

    /// The number of rows.
    package var rowCount: Int { labels.count }

    /// The rows that training and scoring see.
    package var ownRows: [Int] { labels.indices.filter { !isContext[$0] } }

    /// The machine's name in a row, its number where rows belong to no machine.
    package func entityName(row: Int) -> String {
        guard let entities else { return "\(row + 1)" }
        return entities.categories[Int(entities.codes[row])]
    }

    /// A part of the rows, in the given order.
    package func rows(_ rows: [Int], isContext flags: [Bool]) -> ReadingTable {
        ReadingTable(
            schema: schema,
            entities: entities.map { column in
                CategoryColumn(
                    categories: column.categories,
                    codes: rows.map { column.codes[$0] }
                )
            },
            timestamps: timestamps.map { column in rows.map { column[$0] } },
            values: values.map { column in rows.map { column[$0] } },
            labels: rows.map { labels[$0] },
            isContext: flags
        )
    }
}
