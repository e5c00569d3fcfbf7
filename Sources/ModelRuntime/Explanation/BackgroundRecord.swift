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

    /// The JSON form of a file of records.
    package static func json(_ records: [BackgroundRecord], schema: Schema) -> JSONValue {
        [
            "format": .integer(format),
            "records": .array(
                records.map { record in
                    .object(record.reading.json(after: record.history, schema))
                }
            ),
        ]
    }

    /// Reads the records of `background.json`; a sensor that a reading does not name is missing.
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
            let list = try json.required("records")
            let views = try list.array
            guard (1...countMax).contains(views.count) else {
                throw list.refuse("1 to \(countMax) records")
            }
            var records: [BackgroundRecord] = []
            for view in views {
                records.append(
                    BackgroundRecord(
                        history: try GoldenCase.Reading.history(
                            decoding: view,
                            transform.schema,
                            limits
                        ),
                        reading: try GoldenCase.Reading(decoding: view, transform.schema)
                    )
                )
            }
            return records
        }
    }
}
