// SPDX-License-Identifier: MIT

package import JSON

extension FeatureTransform {
    /// The number that a transform's JSON form carries as `format`.
    package static let format = 1

    /// Reads the JSON form of docs/feature-spec.md and validates it; unknown keys are ignored
    /// unless `requires` names them.
    ///
    /// - Throws: ``SpecError``.
    package init(json: JSONView) throws(SpecError) {
        do throws(JSONShapeError) {
            self = try FeatureTransform(decoding: json)
        } catch {
            throw .shape(error)
        }
        try validate()
    }

    private init(decoding json: JSONView) throws(JSONShapeError) {
        try json.checkFormat(
            Self.format,
            keys: [
                "spec", "schema", "layout", "forward_fill", "cleaning", "scaled_clip", "features",
            ]
        )
        let schema = try Schema(decoding: try json.required("schema"))
        var cleaning: [Cleaning] = []
        for view in try json.required("cleaning").array {
            cleaning.append(
                Cleaning(
                    imputed: try view.required("imputed").double,
                    clip: try view.optional("clip")?.range
                )
            )
        }
        var features: [Feature] = []
        var scaling: [Scaling] = []
        for view in try json.required("features").array {
            features.append(try Feature(decoding: view, schema: schema))
            scaling.append(
                Scaling(
                    center: try view.required("center").double,
                    scale: try view.required("scale").double
                )
            )
        }
        self.init(
            schema: schema,
            layout: try StateLayout(decoding: try json.required("layout"), schema: schema),
            specName: try json.required("spec").string,
            forwardFill: try json.required("forward_fill").bool,
            cleaning: cleaning,
            features: features,
            scaling: scaling,
            scaledClip: try json.optional("scaled_clip")?.double
        )
    }

    /// The JSON form, with the keys in their documented order.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["spec"] = .string(specName)
        object["schema"] = schema.json
        object["layout"] = layout.json(schema)
        object["forward_fill"] = .bool(forwardFill)
        object["cleaning"] = .array(
            zip(schema.sensors, cleaning).map { sensor, parameters in
                var entry = JSONObject()
                entry["sensor"] = .string(sensor.name)
                entry["imputed"] = .number(parameters.imputed)
                entry["clip"] = parameters.clip?.json
                return .object(entry)
            }
        )
        object["scaled_clip"] = scaledClip.map { .number($0) }
        object["features"] = .array(
            zip(features, scaling).map { feature, scaling in
                var entry = feature.json(schema)
                entry["center"] = .number(scaling.center)
                entry["scale"] = .number(scaling.scale)
                return .object(entry)
            }
        )
        return .object(object)
    }
}

extension StateLayout {
    /// Reads the JSON form; whether it serves a transform says ``validate(for:)``.
    ///
    /// - Throws: ``JSONShapeError``.
    package init(decoding json: JSONView, schema: Schema) throws(JSONShapeError) {
        var gauges: [Gauge] = []
        for view in try json.required("gauges").array {
            gauges.append(
                Gauge(
                    sensor: try view.required("sensor").sensor(in: schema),
                    range: try view.required("range").range,
                    keepsSquares: try view.required("squares").bool,
                    keepsMaximum: try view.required("maximum").bool,
                    sinceStart: try view.optional("since_start")?.choice()
                )
            )
        }
        self.init(
            paneSeconds: try json.required("pane_seconds").int,
            paneCount: try json.required("panes").int,
            gauges: gauges,
            regimes: try json.optional("regimes").map { view throws(JSONShapeError) in
                try Regimes(decoding: view, schema: schema)
            }
        )
    }

    /// The JSON form; equal layouts have equal bytes.
    package func json(_ schema: Schema) -> JSONValue {
        var object = JSONObject()
        object["pane_seconds"] = .integer(paneSeconds)
        object["panes"] = .integer(paneCount)
        object["gauges"] = .array(
            gauges.map { gauge in
                var entry = JSONObject()
                entry["sensor"] = .string(schema.sensors[gauge.sensor].name)
                entry["range"] = gauge.range.json
                entry["squares"] = .bool(gauge.keepsSquares)
                entry["maximum"] = .bool(gauge.keepsMaximum)
                entry["since_start"] = gauge.sinceStart.map { .string($0.rawValue) }
                return .object(entry)
            }
        )
        object["regimes"] = regimes?.json(schema)
        return .object(object)
    }
}

extension Feature {
    init(decoding json: JSONView, schema: Schema) throws(JSONShapeError) {
        func sensor() throws(JSONShapeError) -> Int {
            try json.required("sensor").sensor(in: schema)
        }
        func pair() throws(JSONShapeError) -> (Int, Int) {
            let view = try json.required("sensors")
            let sensors = try view.array
            guard sensors.count == 2 else { throw view.refuse("two names") }
            return (try sensors[0].sensor(in: schema), try sensors[1].sensor(in: schema))
        }
        let kind = try json.required("kind")
        switch try kind.string {
        case "raw": self = .raw(sensor: try sensor())
        case "category":
            let index = try sensor()
            let view = try json.required("category")
            guard let category = schema.sensors[index].categories.firstIndex(of: try view.string)
            else { throw view.refuse("a category of \(schema.sensors[index].name)") }
            self = .category(sensor: index, index: category)
        case "calendar": self = .calendar(try json.required("part").choice())
        case "window":
            self = .window(
                try json.required("statistic").choice(),
                sensor: try sensor(),
                hours: try json.required("hours").int
            )
        case "product":
            let (a, b) = try pair()
            self = .product(a, b)
        case "ratio":
            let (a, b) = try pair()
            self = .ratio(a, b)
        case "difference":
            let (a, b) = try pair()
            self = .difference(a, b)
        case "power":
            self = .power(sensor: try sensor(), exponent: try json.required("exponent").int)
        case "since_start":
            self = .sinceStart(try json.required("statistic").choice(), sensor: try sensor())
        case "window_fill": self = .windowFill(hours: try json.required("hours").int)
        case "rate": self = .rate(sensor: try sensor())
        case "deviation":
            self = .deviation(sensor: try sensor(), hours: try json.required("hours").int)
        case "health": self = .health(sensor: try sensor())
        case "health_composite": self = .healthComposite
        default: throw kind.refuse("a known kind of feature")
        }
    }

    func json(_ schema: Schema) -> JSONObject {
        func sensor(_ index: Int) -> JSONValue { .string(schema.sensors[index].name) }
        var object = JSONObject()
        object["name"] = .string(name(in: schema))
        let (kind, members): (JSONValue, [(String, JSONValue)]) =
            switch self {
            case .raw(let index): ("raw", [("sensor", sensor(index))])
            case .category(let index, let category):
                (
                    "category",
                    [
                        ("sensor", sensor(index)),
                        ("category", .string(schema.sensors[index].categories[category])),
                    ]
                )
            case .calendar(let part): ("calendar", [("part", .string(part.rawValue))])
            case .window(let statistic, let index, let hours):
                (
                    "window",
                    [
                        ("statistic", .string(statistic.rawValue)),
                        ("sensor", sensor(index)),
                        ("hours", .integer(hours)),
                    ]
                )
            case .product(let a, let b): ("product", [("sensors", [sensor(a), sensor(b)])])
            case .ratio(let a, let b): ("ratio", [("sensors", [sensor(a), sensor(b)])])
            case .difference(let a, let b): ("difference", [("sensors", [sensor(a), sensor(b)])])
            case .power(let index, let exponent):
                ("power", [("sensor", sensor(index)), ("exponent", .integer(exponent))])
            case .sinceStart(let statistic, let index):
                (
                    "since_start",
                    [("statistic", .string(statistic.rawValue)), ("sensor", sensor(index))]
                )
            case .windowFill(let hours): ("window_fill", [("hours", .integer(hours))])
            case .rate(let index): ("rate", [("sensor", sensor(index))])
            case .deviation(let index, let hours):
                ("deviation", [("sensor", sensor(index)), ("hours", .integer(hours))])
            case .health(let index): ("health", [("sensor", sensor(index))])
            case .healthComposite: ("health_composite", [])
            }
        object["kind"] = kind
        for (key, value) in members { object[key] = value }
        return object
    }
}

extension JSONView {
    /// The index of the sensor whose name this string has to be.
    func sensor(in schema: Schema) throws(JSONShapeError) -> Int {
        guard let index = schema.sensorIndex(try string) else {
            throw refuse("a sensor of the schema")
        }
        return index
    }
}
