// SPDX-License-Identifier: MIT

package import JSON

extension Schema {
    /// The number that a schema's JSON form carries as `format`.
    package static let format = 1

    private static let keys = [
        "name", "file", "entity", "timestamp", "sensors", "label", "horizon_hours", "excluded",
    ]

    /// Reads the JSON form of docs/feature-spec.md; unknown keys are ignored unless `requires`
    /// names them.
    ///
    /// - Throws: ``SpecError``, also where ``validate()`` finds something.
    package init(json: JSONView) throws(SpecError) {
        do throws(JSONShapeError) {
            self = try Schema(decoding: json)
        } catch {
            throw .shape(error)
        }
        try validate()
    }

    init(decoding json: JSONView) throws(JSONShapeError) {
        let requires = try json.checkFormat(Self.format, keys: Self.keys)
        var sensors: [Sensor] = []
        for sensor in try json.required("sensors").array {
            sensors.append(try Sensor(decoding: sensor))
        }
        self.init(
            name: try json.required("name").string,
            file: try json.optional("file").map(FileForm.init(decoding:)) ?? FileForm(),
            entityColumn: try json.optional("entity")?.string,
            time: try json.optional("timestamp").map(TimeColumn.init(decoding:)),
            sensors: sensors,
            label: try Label(decoding: try json.required("label")),
            horizonHours: try json.optional("horizon_hours")?.double,
            excludedColumns: try json.optional("excluded")?.strings ?? []
        )
        self.requires = requires
    }

    /// The JSON form, with the keys in their documented order.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["requires"] = requires.isEmpty ? nil : .array(requires.map { .string($0) })
        object["name"] = .string(name)
        object["file"] = file.json
        object["entity"] = entityColumn.map { .string($0) }
        object["timestamp"] = time?.json
        object["sensors"] = .array(sensors.map(\.json))
        object["label"] = label.json
        object["horizon_hours"] = horizonHours.map { .number($0) }
        object["excluded"] =
            excludedColumns.isEmpty ? nil : .array(excludedColumns.map { .string($0) })
        return .object(object)
    }
}

extension Schema.FileForm {
    init(decoding json: JSONView) throws(JSONShapeError) {
        var separator = UInt8(ascii: ",")
        if let view = try json.optional("separator") {
            let bytes = Array(try view.string.utf8)
            guard bytes.count == 1 else { throw view.refuse("one ASCII character") }
            separator = bytes[0]
        }
        self.init(separator: separator, columns: try json.optional("columns")?.strings)
    }

    var json: JSONValue {
        var object = JSONObject()
        object["separator"] = .string(String(decoding: [separator], as: UTF8.self))
        object["columns"] = columns.map { .array($0.map { .string($0) }) }
        return .object(object)
    }
}

extension Schema.TimeColumn {
    init(decoding json: JSONView) throws(JSONShapeError) {
        self.init(
            column: try json.required("column").string,
            unit: try json.required("unit").choice(),
            offsetMinutes: try json.optional("utc_offset_minutes")?.int ?? 0
        )
    }

    var json: JSONValue {
        var object = JSONObject()
        object["column"] = .string(column)
        object["unit"] = .string(unit.rawValue)
        object["utc_offset_minutes"] = offsetMinutes == 0 ? nil : .integer(offsetMinutes)
        return .object(object)
    }
}

extension Schema.Label {
    init(decoding json: JSONView) throws(JSONShapeError) {
        if let column = try json.optional("column") {
            self = .column(try column.string)
        } else {
            self = .remainingLife(hoursMax: try json.required("remaining_life_hours_max").double)
        }
    }

    var json: JSONValue {
        switch self {
        case .column(let name): ["column": .string(name)]
        case .remainingLife(let hours): ["remaining_life_hours_max": .number(hours)]
        }
    }
}

extension Sensor {
    init(decoding json: JSONView) throws(JSONShapeError) {
        self.init(
            name: try json.required("name").string,
            column: try json.optional("column")?.string,
            unit: try json.optional("unit")?.string ?? "",
            kind: try json.optional("kind")?.choice() ?? .gauge,
            range: try json.optional("range")?.range,
            isOptional: try json.optional("optional")?.bool ?? false,
            group: try json.optional("group")?.string,
            warn: try json.optional("warn")?.double,
            alarm: try json.optional("alarm")?.double,
            stuckAfter: try json.optional("stuck_after")?.int,
            categories: try json.optional("categories")?.strings ?? []
        )
    }

    var json: JSONValue {
        var object = JSONObject()
        object["name"] = .string(name)
        object["column"] = column == name ? nil : .string(column)
        object["unit"] = unit.isEmpty ? nil : .string(unit)
        object["kind"] = .string(kind.rawValue)
        object["range"] = range?.json
        object["optional"] = isOptional ? true : nil
        object["group"] = group == name ? nil : .string(group)
        object["warn"] = warn.map { .number($0) }
        object["alarm"] = alarm.map { .number($0) }
        object["stuck_after"] = stuckAfter.map { .integer($0) }
        object["categories"] = categories.isEmpty ? nil : .array(categories.map { .string($0) })
        return .object(object)
    }
}

extension JSONView {
    /// The case of an enumeration whose raw value this string has to be.
    func choice<Choice: RawRepresentable & CaseIterable>() throws(JSONShapeError) -> Choice
    where Choice.RawValue == String {
        guard let choice = Choice(rawValue: try string) else {
            throw refuse("one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return choice
    }

    /// The `[lower, upper]`, lower below upper, that this has to be.
    ///
    /// - Throws: ``JSONShapeError``.
    package var range: ClosedRange<Double> {
        get throws(JSONShapeError) {
            let bounds = try doubles
            guard bounds.count == 2, bounds[0] < bounds[1] else {
                throw refuse("[lower, upper] with lower < upper")
            }
            return bounds[0]...bounds[1]
        }
    }
}

extension ClosedRange<Double> {
    /// The range as `[lower, upper]`.
    package var json: JSONValue { [.number(lowerBound), .number(upperBound)] }
}
