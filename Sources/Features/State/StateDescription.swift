// SPDX-License-Identifier: MIT

package import JSON

/// What the records of a state file mean: sensors and layout, without the model.
///
/// Two models that describe their state alike share it. The JSON form stands in the file; its
/// digest names the file's folder.
package struct StateDescription: Equatable, Sendable {
    /// Grows with every change of what a record's words mean; see docs/state-file.md.
    package static let format = 3
    private static let formatWithoutAlarm = 1

    /// The sensors, of which name, kind and categories count.
    package let sensors: [Sensor]
    /// The panes and ranges.
    package let layout: StateLayout
    /// Whether records have a place for the machine's alarm; those of the first format had none.
    let keepsAlarm: Bool

    /// The state that a transform keeps.
    package init(_ transform: FeatureTransform) {
        self.init(
            sensors: transform.schema.sensors.map(Self.described),
            layout: transform.layout,
            keepsAlarm: true
        )
    }

    private init(sensors: [Sensor], layout: StateLayout, keepsAlarm: Bool) {
        self.sensors = sensors
        self.layout = layout
        self.keepsAlarm = keepsAlarm
    }

    /// The same state as the first format kept it.
    var withoutAlarm: StateDescription {
        StateDescription(sensors: sensors, layout: layout, keepsAlarm: false)
    }

    /// Reads the JSON form.
    ///
    /// - Throws: ``JSONShapeError``.
    package init(json: JSONView) throws(JSONShapeError) {
        let format = try json.required("format")
        let found = try format.int
        keepsAlarm = found == Self.format
        guard keepsAlarm || found == Self.formatWithoutAlarm else {
            throw format.refuse("\(Self.formatWithoutAlarm) or \(Self.format)")
        }
        var sensors: [Sensor] = []
        for view in try json.required("sensors").array {
            sensors.append(
                Sensor(
                    name: try view.required("name").string,
                    kind: try view.required("kind").choice(),
                    categories: try view.optional("categories")?.strings ?? []
                )
            )
        }
        self.sensors = sensors
        layout = try StateLayout(
            decoding: try json.required("layout"),
            schema: Self.schema(sensors)
        )
        guard (1...SpecLimits.sensorsMax).contains(sensors.count) else {
            throw json.refuse("1 to \(SpecLimits.sensorsMax) sensors")
        }
        // No more gauges than sensors, and no more panes than the limit: that bounds a record.
        do throws(SpecError) {
            try layout.validate(for: Self.schema(sensors))
        } catch {
            throw json.refuse("a layout that records can have: \(error)")
        }
    }

    /// The JSON form; equal descriptions have equal bytes.
    package var json: JSONValue {
        [
            "format": .integer(keepsAlarm ? Self.format : Self.formatWithoutAlarm),
            "sensors": .array(
                sensors.map { sensor in
                    var object = JSONObject()
                    object["name"] = .string(sensor.name)
                    object["kind"] = .string(sensor.kind.rawValue)
                    if !sensor.categories.isEmpty {
                        object["categories"] = .array(sensor.categories.map { .string($0) })
                    }
                    return .object(object)
                }
            ),
            "layout": layout.json(Self.schema(sensors)),
        ]
    }

    /// 32 hexadecimal digits that tell descriptions apart.
    package var digest: String {
        let bytes = json.serialized()
        // Two seeds make 128 bits; nobody gains from a collision, so no cryptographic hash is due.
        return [UInt64(1), 2].map { seed in
            let text = String(hashBytes(bytes.span, seed: seed), radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }.joined()
    }

    /// Where things stand in the records.
    package var records: RecordLayout {
        RecordLayout(sensorCount: sensors.count, layout: layout, keepsAlarm: keepsAlarm)
    }

    private static func described(_ sensor: Sensor) -> Sensor {
        Sensor(name: sensor.name, kind: sensor.kind, categories: sensor.categories)
    }

    /// A schema that has the sensors, for what finds them by name.
    private static func schema(_ sensors: [Sensor]) -> Schema {
        Schema(
            name: "state",
            entityColumn: nil,
            time: nil,
            sensors: sensors,
            label: .column(""),
            horizonHours: nil
        )
    }
}
