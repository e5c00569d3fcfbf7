// SPDX-License-Identifier: MIT

package import Features
internal import JSON
internal import Platform

/// What became of predictions as a table to learn from, with the schema that reads it.
///
/// A machine after a maintenance is another one, for its windows began anew: `P1~2` is the second
/// life of `P1`.
package struct OutcomeTable {
    /// The column of the answers.
    package static let labelColumn = "failure"

    private let outcomes: Outcomes
    private let history: DecisionHistory
    /// What the table's columns mean.
    package let schema: Schema
    /// Rows that were written.
    package private(set) var rowCount = 0
    /// Those of them before a failure.
    package private(set) var positiveCount = 0

    /// A table in the form of the newest model's schema.
    ///
    /// - Throws: ``TrainingError`` where that has no machines or no time.
    package init(_ outcomes: Outcomes, _ history: DecisionHistory) throws(TrainingError) {
        guard var schema = history.lastModel?.schema, schema.hasState else {
            throw .unusable("without machines and time no failure belongs to a reading")
        }
        schema.label = .column(Self.labelColumn)
        schema.file = Schema.FileForm()
        if let hours = outcomes.models.last.flatMap(\.horizonHours) { schema.horizonHours = hours }
        self.schema = schema
        self.outcomes = outcomes
        self.history = history
    }

    /// Writes the rows of which it is known what became.
    ///
    /// - Throws: ``TrainingError``.
    package mutating func write(to path: String) throws(TrainingError) {
        guard let entity = schema.entityColumn, let time = schema.time else { return }
        do throws(FileError) {
            try FileAccess.makeDirectory(FileAccess.parent(of: path))
            var table = try TableWriter(
                path,
                header: [entity, time.column] + schema.sensors.map(\.column) + [Self.labelColumn]
            )
            for life in outcomes.lives {
                let name = Self.name(of: life)
                for row in life.rows where !row.source.decision.hasHistory {
                    guard let label = row.label else { continue }
                    table.append(name)
                    append(row.timestamp, time, &table)
                    append(history.values(of: row.source), outcomes.models[row.model], &table)
                    table.append(Int(label))
                    try table.endRow()
                    rowCount += 1
                    positiveCount += Int(label)
                }
            }
            try table.finish()
        } catch {
            throw .file(error)
        }
    }

    private func append(
        _ timestamp: Int64,
        _ time: Schema.TimeColumn,
        _ table: inout TableWriter
    ) {
        switch time.unit {
        case .rfc3339: table.append(timestamp: timestamp)
        case .seconds: table.append(Double(timestamp) / 1e6)
        case .hours, .cycles:
            table.append(Double(timestamp) / Double(Timestamp.microsecondsPerHour))
        }
    }

    private func append(_ values: [Double], _ model: LoggedModel, _ table: inout TableWriter) {
        for sensor in schema.sensors {
            guard let place = model.schema.sensorIndex(sensor.name) else {
                table.append(Double.nan)
                continue
            }
            let value = values[place]
            let names = model.schema.sensors[place].categories
            if names.isEmpty {
                table.append(value)
            } else if let code = Int(exactly: value), names.indices.contains(code) {
                table.append(names[code])
            } else {
                table.append("")
            }
        }
    }

    private static func name(of life: Outcomes.Life) -> String {
        guard life.number > 0 else { return String(decoding: life.machine, as: UTF8.self) }
        let suffix = "~\(life.number + 1)"
        var id = life.machine
        while id.count + suffix.utf8.count > SpecLimits.equipmentIDBytesMax { id.removeLast() }
        return String(decoding: id, as: UTF8.self) + suffix
    }
}
