// SPDX-License-Identifier: MIT

package import Features
package import JSON

/// A training reading with its machine's readings before: what a sensor shows where a coalition
/// lacks it.
package struct BackgroundRecord: Sendable {
    /// The number that `background.json` carries as `format`.
    package static let format = 1
    /// The most records of a bundle.
    package static let countMax = 32

    /// The machine's readings before, in the order of their arrival.
    package var history: [GoldenCase.Reading]
    /// The reading.
    package var reading: GoldenCase.Reading

    /// Describes a record.
    package init(history: [GoldenCase.Reading], reading: GoldenCase.Reading) {
        self.history = history
        self.reading = reading
    }

    /// What the engine notes of the reading after its history.
    package func observed(by engine: FeatureEngine) -> ObservedReading {
        var scratch = engine.makeScratch()
        GoldenCase.Reading.observe(history + [reading], engine: engine, scratch: &scratch)
        return scratch.observed
    }

    /// The JSON form of a file of records: columns by sensor, since names for each value would
    /// cost more at every start than the values.
    package static func json(_ records: [BackgroundRecord], schema: Schema) -> JSONValue {
        [
            "format": .integer(format),
            "sensors": .array(schema.sensors.map { .string($0.name) }),
            "records": .array(records.map { $0.json(schema) }),
        ]
    }

    private func json(_ schema: Schema) -> JSONValue {
        let readings = history + [reading]
        return [
            "timestamps": .array(readings.map { .string(Timestamp.text($0.timestamp)) }),
            "values": .array(
                readings.map { reading in
                    .array(zip(schema.sensors, reading.values).map { $0.json(of: $1) })
                }
            ),
        ]
    }

    /// Reads the records of `background.json`.
    ///
    /// - Throws: ``BundleError``.
    package static func read(
        _ bytes: [UInt8],
        transform: FeatureTransform,
        limits: BundleLimits = BundleLimits()
    ) throws(BundleError) -> [BackgroundRecord] {
        let file = BundleFile.background
        let json = try BundleFile.parse(bytes, of: file, format: format)
        return try BundleFile.decode(file) { () throws(JSONShapeError) in
            let names = try json.required("sensors")
            guard try names.strings == transform.schema.sensors.map(\.name) else {
                throw names.refuse("the schema's sensors in their order")
            }
            let list = try json.required("records")
            let views = try list.array
            guard (1...countMax).contains(views.count) else {
                throw list.refuse("1 to \(countMax) records")
            }
            var records: [BackgroundRecord] = []
            for view in views {
                records.append(try BackgroundRecord(view, transform.schema, limits))
            }
            return records
        }
    }

    private init(
        _ json: JSONView,
        _ schema: Schema,
        _ limits: BundleLimits
    ) throws(JSONShapeError) {
        let moments = try json.required("timestamps")
        let times = try moments.array
        guard (1...limits.goldenHistoryMax + 1).contains(times.count) else {
            throw moments.refuse("1 to \(limits.goldenHistoryMax + 1) timestamps")
        }
        let rows = try json.required("values")
        let views = try rows.array
        guard views.count == times.count else { throw rows.refuse("a row for each timestamp") }
        var readings: [GoldenCase.Reading] = []
        for (time, view) in zip(times, views) {
            readings.append(
                GoldenCase.Reading(timestamp: try time.timestamp, values: try view.row(schema))
            )
        }
        reading = readings.removeLast()
        history = readings
    }
}

extension JSONView {
    /// The values of a reading that this array has to hold, one for each sensor.
    fileprivate func row(_ schema: Schema) throws(JSONShapeError) -> [Double] {
        guard case .array(let cells) = value, cells.count == schema.sensors.count else {
            throw refuse("\(schema.sensors.count) values")
        }
        var values: [Double] = []
        values.reserveCapacity(cells.count)
        for (sensor, cell) in zip(schema.sensors, cells) {
            guard let number = sensor.value(of: cell) else {
                throw refuse("a value of \(sensor.name) or null in its place")
            }
            values.append(number)
        }
        return values
    }
}
