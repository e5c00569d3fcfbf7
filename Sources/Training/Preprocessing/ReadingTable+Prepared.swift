// SPDX-License-Identifier: MIT

package import Features
internal import Platform

/// The form of train.csv and test.csv: measured values, calendar, flags, label and side.
///
/// Columns: `timestamp` (RFC 3339, where rows have a time), `equipment_id` (where they belong to a
/// machine), one per sensor (empty: missing or out of range), `hour,day_of_week,is_weekend` (where
/// rows have a time), `flags` (`sensor:flag` separated by blanks), `failure`, `context`.
extension ReadingTable {
    /// Writes the table; `isOutside` is what ``blank(outside:)`` gave.
    ///
    /// - Throws: ``TrainingError`` where the file cannot be written.
    package func writePrepared(_ path: String, isOutside: [[Bool]]) throws(TrainingError) {
        do throws(FileError) {
            try FileAccess.makeDirectory(FileAccess.parent(of: path))
            var writer = try TableWriter(path, header: preparedHeader)
            for row in 0..<rowCount {
                append(row, flags(row, isOutside), to: &writer)
                try writer.endRow()
            }
            try writer.finish()
        } catch {
            throw .file(error)
        }
    }

    private var preparedHeader: [String] {
        var header = timestamps == nil ? [] : ["timestamp"]
        if entities != nil { header.append("equipment_id") }
        header += schema.sensors.map(\.name)
        if timestamps != nil { header += Feature.CalendarPart.allCases.map(\.rawValue) }
        return header + ["flags", "failure", "context"]
    }

    private func flags(_ row: Int, _ isOutside: [[Bool]]) -> String {
        var text = ""
        for (index, sensor) in schema.sensors.enumerated() where values[index][row].isNaN {
            if !text.isEmpty { text += " " }
            text += "\(sensor.name):\(isOutside[index][row] ? "out_of_range" : "missing")"
        }
        return text
    }

    private func append(_ row: Int, _ flags: String, to writer: inout TableWriter) {
        if let timestamps { writer.append(timestamp: timestamps[row]) }
        if entities != nil { writer.append(entityName(row: row)) }
        for (index, sensor) in schema.sensors.enumerated() {
            let value = values[index][row]
            if sensor.kind == .category {
                writer.append(value.isNaN ? "" : sensor.categories[Int(value)])
            } else {
                writer.append(value)
            }
        }
        if let timestamps, let time = schema.time {
            let local = timestamps[row] + Int64(time.offsetMinutes) * 60_000_000
            for part in Feature.CalendarPart.allCases {
                writer.append(Int(Calendar.value(part, local)))
            }
        }
        writer.append(flags)
        writer.append(Int(labels[row]))
        writer.append(isContext[row] ? 1 : 0)
    }

    /// Reads a table that ``writePrepared(_:isOutside:)`` wrote for this schema.
    ///
    /// - Throws: ``TrainingError`` naming file, row and column.
    package static func loadPrepared(
        _ path: String,
        schema: Schema
    ) throws(TrainingError) -> ReadingTable {
        var prepared = schema
        prepared.file = Schema.FileForm()
        prepared.entityColumn = schema.entityColumn == nil ? nil : "equipment_id"
        prepared.time = schema.time.map { _ in
            Schema.TimeColumn(column: "timestamp", unit: .rfc3339)
        }
        for index in prepared.sensors.indices {
            prepared.sensors[index].column = prepared.sensors[index].name
        }
        prepared.label = .column("failure")
        var table = try load(path, schema: prepared, contextColumn: "context")
        table.schema = schema
        return table
    }
}
