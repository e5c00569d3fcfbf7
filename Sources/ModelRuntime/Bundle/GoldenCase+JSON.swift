// SPDX-License-Identifier: MIT

package import Features
package import JSON

extension GoldenCase {
    /// The number that `golden.json` carries as `format`.
    package static let format = 1

    /// The JSON form of a file of cases.
    package static func json(_ cases: [GoldenCase], schema: Schema) -> JSONValue {
        ["format": .integer(format), "cases": .array(cases.map { $0.json(schema) })]
    }

    /// Reads the cases of `golden.json`; every sensor that a reading does not name is missing.
    ///
    /// - Throws: ``BundleError``.
    package static func read(
        _ bytes: [UInt8],
        transform: FeatureTransform,
        limits: BundleLimits = BundleLimits()
    ) throws(BundleError) -> [GoldenCase] {
        let file = BundleFile.golden
        let json = try BundleFile.parse(bytes, of: file, format: format)
        return try BundleFile.decode(file) { () throws(JSONShapeError) in
            let list = try json.required("cases")
            let views = try list.array
            guard (1...limits.goldenCasesMax).contains(views.count) else {
                throw list.refuse("1 to \(limits.goldenCasesMax) cases")
            }
            var cases: [GoldenCase] = []
            for view in views {
                cases.append(try GoldenCase(decoding: view, transform, limits))
            }
            return cases
        }
    }

    private init(
        decoding json: JSONView,
        _ transform: FeatureTransform,
        _ limits: BundleLimits
    ) throws(JSONShapeError) {
        let before = try json.required("history")
        let views = try before.array
        guard views.count <= limits.goldenHistoryMax else {
            throw before.refuse("up to \(limits.goldenHistoryMax) readings")
        }
        var history: [Reading] = []
        for view in views {
            history.append(
                Reading(
                    timestamp: try view.required("timestamp").timestamp,
                    values: try view.required("values").sensorValues(transform.schema)
                )
            )
        }
        let row = try json.required("features")
        let features = try row.floats
        guard features.count == transform.features.count else {
            throw row.refuse("\(transform.features.count) numbers")
        }
        self.init(
            history: history,
            reading: Reading(
                timestamp: try json.required("timestamp").timestamp,
                values: try json.required("reading").sensorValues(transform.schema)
            ),
            features: features,
            logit: try json.required("logit").float
        )
    }

    private func json(_ schema: Schema) -> JSONValue {
        [
            "history": .array(
                history.map { reading in
                    [
                        "timestamp": .string(Timestamp.text(reading.timestamp)),
                        "values": reading.json(schema),
                    ]
                }
            ),
            "reading": reading.json(schema),
            "timestamp": .string(Timestamp.text(reading.timestamp)),
            // A float's exact value, so that reading it rounds nothing.
            "features": .array(features.map { .number(Double($0)) }),
            "logit": .number(Double(logit)),
        ]
    }
}

extension GoldenCase.Reading {
    fileprivate func json(_ schema: Schema) -> JSONValue {
        var object = JSONObject()
        for (sensor, value) in zip(schema.sensors, values) {
            if value.isNaN {
                object[sensor.name] = .null
            } else if sensor.kind == .category {
                object[sensor.name] = .string(sensor.categories[Int(value)])
            } else {
                object[sensor.name] = .number(value)
            }
        }
        return .object(object)
    }
}

extension JSONView {
    /// The values by sensor that this object has to hold; NaN where one is absent or null.
    fileprivate func sensorValues(_ schema: Schema) throws(JSONShapeError) -> [Double] {
        var values = [Double](repeating: .nan, count: schema.sensors.count)
        for (name, view) in try members {
            guard let index = schema.sensorIndex(name) else {
                throw view.refuse("a sensor of the schema")
            }
            if view.value == .null { continue }
            let sensor = schema.sensors[index]
            if sensor.kind == .category {
                guard let category = sensor.categories.firstIndex(of: try view.string) else {
                    throw view.refuse("a category of \(name)")
                }
                values[index] = Double(category)
            } else {
                values[index] = try view.double
            }
        }
        return values
    }

    /// The number within a float's range that this has to be.
    fileprivate var float: Float {
        get throws(JSONShapeError) {
            let number = Float(try double)
            guard number.isFinite else { throw refuse("a number of float32") }
            return number
        }
    }

    fileprivate var floats: [Float] {
        get throws(JSONShapeError) {
            var numbers: [Float] = []
            for view in try array { numbers.append(try view.float) }
            return numbers
        }
    }
}
