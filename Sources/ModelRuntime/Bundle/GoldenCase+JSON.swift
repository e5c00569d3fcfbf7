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
        let history = try Reading.history(decoding: json, transform.schema, limits)
        let row = try json.required("features")
        let features = try row.floats
        guard features.count == transform.features.count else {
            throw row.refuse("\(transform.features.count) numbers")
        }
        self.init(
            history: history,
            reading: try Reading(decoding: json, transform.schema),
            features: features,
            logit: try json.required("logit").float,
            probability: try json.optional("probability")?.double
        )
    }

    private func json(_ schema: Schema) -> JSONValue {
        var object = reading.json(after: history, schema)
        // A float's exact value, so that reading it rounds nothing.
        object["features"] = .array(features.map { .number(Double($0)) })
        object["logit"] = .number(Double(logit))
        object["probability"] = probability.map { .number($0) }
        return .object(object)
    }
}

/// A reading and its machine's earlier ones, as the members of an object.
extension GoldenCase.Reading {
    /// The members `history`, `reading` and `timestamp` of a reading after others.
    func json(after history: [GoldenCase.Reading], _ schema: Schema) -> JSONObject {
        var object = JSONObject()
        object["history"] = .array(
            history.map { reading in
                [
                    "timestamp": .string(Timestamp.text(reading.timestamp)),
                    "values": reading.json(schema),
                ]
            }
        )
        object["reading"] = json(schema)
        object["timestamp"] = .string(Timestamp.text(timestamp))
        return object
    }

    /// Reads the members `reading` and `timestamp`.
    init(decoding json: JSONView, _ schema: Schema) throws(JSONShapeError) {
        self.init(
            timestamp: try json.required("timestamp").timestamp,
            values: try json.required("reading").sensorValues(schema)
        )
    }

    /// Reads the member `history`.
    static func history(
        decoding json: JSONView,
        _ schema: Schema,
        _ limits: BundleLimits
    ) throws(JSONShapeError) -> [GoldenCase.Reading] {
        let before = try json.required("history")
        let views = try before.array
        guard views.count <= limits.goldenHistoryMax else {
            throw before.refuse("up to \(limits.goldenHistoryMax) readings")
        }
        var history: [GoldenCase.Reading] = []
        for view in views {
            history.append(
                GoldenCase.Reading(
                    timestamp: try view.required("timestamp").timestamp,
                    values: try view.required("values").sensorValues(schema)
                )
            )
        }
        return history
    }

    private func json(_ schema: Schema) -> JSONValue {
        var object = JSONObject()
        for (sensor, value) in zip(schema.sensors, values) {
            object[sensor.name] = sensor.json(of: value)
        }
        return .object(object)
    }
}

extension Sensor {
    /// A value of this sensor in a file: null where it is missing, a category by its name.
    func json(of value: Double) -> JSONValue {
        if value.isNaN { return .null }
        return kind == .category ? .string(categories[Int(value)]) : .number(value)
    }

    /// The value that ``json(of:)`` wrote; nil where it is none of this sensor.
    func value(of json: JSONValue) -> Double? {
        switch (json, kind) {
        case (.null, _): .nan
        case (.string(let name), .category): categories.firstIndex(of: name).map(Double.init)
        case (.number(let number), let kind) where kind != .category: number
        default: nil
        }
    }
}

extension JSONView {
    /// The values by sensor that this object has to hold; NaN where one is absent or null.
    fileprivate func sensorValues(_ schema: Schema) throws(JSONShapeError) -> [Double] {
        var values = [Double](repeating: .nan, count: schema.sensors.count)
        for (name, value) in try object.members {
            guard let index = schema.sensorIndex(name) else {
                throw try required(name).refuse("a sensor of the schema")
            }
            guard let value = schema.sensors[index].value(of: value) else {
                throw try required(name).refuse("a value of \(name)")
            }
            values[index] = value
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
