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
        var reader = BackgroundReader(bytes, schema: transform.schema, limits: limits)
        return try reader.read()
    }
}
