// SPDX-License-Identifier: MIT

package import JSON

/// What the records of a state file mean: sensors and layout, without the model.
///
/// Two models that describe their state alike share it. The JSON form stands in the file; its
/// digest names the file's folder.
package struct StateDescription: Equatable, Sendable {
    /// Grows with every change of what a record's words mean; see docs/state-file.md.
    package static let format = 1

    /// The sensors, of which name, kind and categories count.
    package let sensors: [Sensor]
    /// The panes and ranges.
    package let layout: StateLayout

    /// The state that a transform keeps.
    package init(_ transform: FeatureTransform) {
        sensors = transform.schema.sensors.map(Self.described)
        layout = transform.layout
    }

    /// Reads the JSON form.
    ///
    /// - Throws: ``JSONShapeError``.
    package init(json: JSONView) throws(JSONShapeError) {
        let format = try json.required("format")
        guard try format.int == Self.format else { throw format.refuse("\(Self.format)") }
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
        let isSane =
            (1...SpecLimits.sensorsMax).contains(sensors.count)
            && (1...SpecLimits.panesMax).contains(layout.paneCount)
            && (1...SpecLimits.paneSecondsMax).contains(layout.paneSeconds)
        guard isSane else { throw json.refuse("sensors and panes within their limits") }
    }

    /// The JSON form; equal descriptions have equal bytes.
    package var json: JSONValue {
        [
            "format": .integer(Self.format),
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
        RecordLayout(sensorCount: sensors.count, layout: layout)
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
