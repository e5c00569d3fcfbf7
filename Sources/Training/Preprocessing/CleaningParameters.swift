// SPDX-License-Identifier: MIT

package import Features
package import JSON

/// What cleaning learns from the training rows: means, clipping bounds and ranges per sensor.
///
/// Its JSON form is `preprocessing.json` beside train.csv.
package struct CleaningParameters: Equatable, Sendable {
    /// What is learnt of one sensor.
    package struct SensorParameters: Equatable, Sendable {
        /// Mean of the measured values in range; 0 where there are none.
        package var mean = 0.0
        /// Their standard deviation with n.
        package var standardDeviation = 0.0
        /// The bounds `mean ± z · standard deviation`; nil where nothing is clipped.
        package var clip: ClosedRange<Double>?
        /// The range outside of which a value is missing: the physical one, or for a gauge without
        /// one that of the training rows, widened by its span on both sides.
        package var range: ClosedRange<Double>?
    }

    /// The schema of the data.
    package var schema: Schema
    /// Whether a missing value takes the machine's last measured one.
    package var forwardFill: Bool
    /// The z-score beyond which values are clipped; nil for no clipping.
    package var zThreshold: Double?
    /// Parameters per sensor.
    package var sensors: [SensorParameters]
    /// The layout of the model that serves, which a later one keeps; nil for one of its own.
    package var layout: StateLayout?

    /// Learns the parameters from the rows that are not `isTest`; ranges that `layout` holds stay.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where a sensor's values are too large to average.
    package init(
        table: ReadingTable,
        isTest: [Bool],
        forwardFill: Bool,
        zThreshold: Double?,
        layout: StateLayout? = nil
    ) throws(TrainingError) {
        schema = table.schema
        self.layout = layout
        self.forwardFill = forwardFill && schema.hasState
        self.zThreshold = zThreshold
        sensors = []
        for (index, column) in table.values.enumerated() {
            var sensor = table.schema.sensors[index]
            let gauge = layout?.gauges.first { $0.sensor == index }
            sensor.range = sensor.range ?? gauge?.range
            var measured: [Double] = []
            for (row, value) in column.enumerated() where !isTest[row] && !value.isNaN {
                if sensor.range?.contains(value) ?? true { measured.append(value) }
            }
            sensors.append(try Self.learn(sensor, measured, zThreshold))
        }
    }

    private static func learn(
        _ sensor: Sensor,
        _ measured: [Double],
        _ zThreshold: Double?
    ) throws(TrainingError) -> SensorParameters {
        var parameters = SensorParameters()
        parameters.range = sensor.range
        guard let lowest = measured.min(), let highest = measured.max() else { return parameters }
        let mean = measured.reduce(0, +) / Double(measured.count)
        let squares = measured.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let span = highest > lowest ? highest - lowest : max(abs(highest), 1)
        guard squares.isFinite, span.isFinite, (abs(highest) + span).isFinite,
            (abs(lowest) + span).isFinite
        else {
            throw .unusable("\(sensor.name): its values, \(lowest) to \(highest), are too large")
        }
        parameters.mean = mean
        parameters.standardDeviation = (squares / Double(measured.count)).squareRoot()
        if sensor.kind == .gauge, sensor.range == nil {
            // A constant sensor still needs a range of some width to be cut into steps.
            parameters.range = lowest - span...highest + span
        }
        if let z = zThreshold, sensor.kind == .gauge, lowest < highest {
            let reach = z * parameters.standardDeviation
            let (lower, upper) = (mean - reach, mean + reach)
            if lower < upper, lower.isFinite, upper.isFinite { parameters.clip = lower...upper }
        }
        return parameters
    }

    /// The parameters of the transform's cleaning stage.
    ///
    /// A gauge that is standardised in regimes is cleaned as such: its mean is 0, and its standard
    /// deviation 1.
    package func cleaning(in regimes: Regimes?) -> [FeatureTransform.Cleaning] {
        var cleaning = sensors.map { FeatureTransform.Cleaning(imputed: $0.mean, clip: $0.clip) }
        for gauge in regimes?.gauges ?? [] {
            let clip = zThreshold.map { min($0, Regimes.limits.upperBound) }.map { -$0...$0 }
            cleaning[gauge.sensor] = FeatureTransform.Cleaning(imputed: 0, clip: clip)
        }
        return cleaning
    }
}

extension CleaningParameters {
    private static let format = 1

    /// Reads `preprocessing.json`.
    ///
    /// - Throws: ``TrainingError``.
    package init(path: String) throws(TrainingError) {
        let json = JSONView(try JSONFile.read(path))
        let schema: Schema
        do throws(SpecError) {
            do throws(JSONShapeError) {
                try json.checkFormat(
                    Self.format,
                    keys: ["schema", "forward_fill", "z_threshold", "sensors", "layout"]
                )
            } catch {
                throw .shape(error)
            }
            schema = try Schema(json: JSONView(json.value["schema"] ?? .null, pointer: "/schema"))
        } catch {
            throw .spec(path: path, error)
        }
        do throws(JSONShapeError) {
            self = try CleaningParameters(decoding: json, schema)
        } catch {
            throw .shape(path: path, error)
        }
    }

    private init(decoding json: JSONView, _ schema: Schema) throws(JSONShapeError) {
        self.schema = schema
        forwardFill = try json.required("forward_fill").bool
        zThreshold = try json.optional("z_threshold")?.double
        if let view = try json.optional("layout") {
            layout = try StateLayout(decoding: view, schema: schema)
        }
        sensors = []
        let list = try json.required("sensors")
        for view in try list.array {
            sensors.append(
                SensorParameters(
                    mean: try view.required("mean").double,
                    standardDeviation: try view.required("standard_deviation").double,
                    clip: try view.optional("clip")?.range,
                    range: try view.optional("range")?.range
                )
            )
        }
        guard sensors.count == schema.sensors.count else {
            throw list.refuse("one entry per sensor")
        }
    }

    /// The content of `preprocessing.json`.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["schema"] = schema.json
        object["forward_fill"] = .bool(forwardFill)
        object["z_threshold"] = zThreshold.map { .number($0) }
        object["layout"] = layout?.json(schema)
        object["sensors"] = .array(
            zip(schema.sensors, sensors).map { sensor, parameters in
                var entry = JSONObject()
                entry["sensor"] = .string(sensor.name)
                entry["mean"] = .number(parameters.mean)
                entry["standard_deviation"] = .number(parameters.standardDeviation)
                entry["clip"] = parameters.clip?.json
                entry["range"] = parameters.range?.json
                return .object(entry)
            }
        )
        return .object(object)
    }
}
