// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

/// What stands in one side of a split: rows, failures, and what cleaning does to each sensor.
struct SideReport {
    private struct Counts {
        var missing = 0
        var outOfRange = 0
        var clipped = 0
    }

    private let rows: Int
    private let contextRows: Int
    private let machines: Int
    private let failures: Int
    private var clippedRows = 0
    private var clippedFailures = 0
    private var sensors: [Counts]

    /// Counts over the side's own rows; `isOutside` is what ``ReadingTable/blank(outside:)`` gave.
    init(_ table: ReadingTable, _ isOutside: [[Bool]], _ parameters: CleaningParameters) {
        let own = table.ownRows
        rows = own.count
        contextRows = table.rowCount - own.count
        failures = own.count { table.labels[$0] == 1 }
        var machines: Set<Int32> = []
        if let entities = table.entities { for row in own { machines.insert(entities.codes[row]) } }
        self.machines = machines.count
        sensors = Array(repeating: Counts(), count: table.schema.sensors.count)
        for row in own {
            var isClipped = false
            for sensor in sensors.indices {
                let value = table.values[sensor][row]
                if value.isNaN {
                    if isOutside[sensor][row] {
                        sensors[sensor].outOfRange += 1
                    } else {
                        sensors[sensor].missing += 1
                    }
                } else if let clip = parameters.sensors[sensor].clip, !clip.contains(value) {
                    sensors[sensor].clipped += 1
                    isClipped = true
                }
            }
            if isClipped {
                clippedRows += 1
                clippedFailures += Int(table.labels[row])
            }
        }
    }

    var failureRate: Double { rows == 0 ? 0 : Double(failures) / Double(rows) }

    var summary: String {
        let percent = (failureRate * 10_000).rounded() / 100
        let whose = machines == 0 ? "" : " of \(machines) machines"
        return "\(rows) rows\(whose), \(failures) failures (\(percent) %), "
            + "\(clippedRows) rows clipped, \(clippedFailures) failures among them"
    }

    func json(_ schema: Schema) -> JSONValue {
        var object = JSONObject()
        object["rows"] = .integer(rows)
        object["context_rows"] = .integer(contextRows)
        object["machines"] = .integer(machines)
        object["failures"] = .integer(failures)
        object["failure_rate"] = .number(failureRate)
        object["clipped_rows"] = .integer(clippedRows)
        object["clipped_failures"] = .integer(clippedFailures)
        object["sensors"] = .array(
            zip(schema.sensors, sensors).map { sensor, counts in
                [
                    "sensor": .string(sensor.name),
                    "missing": .integer(counts.missing),
                    "out_of_range": .integer(counts.outOfRange),
                    "clipped": .integer(counts.clipped),
                ]
            }
        )
        return .object(object)
    }
}

extension ReadingTable {
    /// Blanks the values outside their sensor's range.
    ///
    /// - Returns: By sensor, then row, whether the value was blanked.
    package mutating func blank(outside parameters: CleaningParameters) -> [[Bool]] {
        schema.sensors.indices.map { sensor in
            var isOutside = Array(repeating: false, count: rowCount)
            guard let range = parameters.sensors[sensor].range else { return isOutside }
            for row in 0..<rowCount {
                let value = values[sensor][row]
                guard !value.isNaN, !range.contains(value) else { continue }
                isOutside[row] = true
                values[sensor][row] = .nan
            }
            return isOutside
        }
    }
}
