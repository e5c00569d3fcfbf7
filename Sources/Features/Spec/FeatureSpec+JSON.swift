// SPDX-License-Identifier: MIT

package import JSON

extension FeatureSpec {
    /// The number that a spec's JSON form carries as `format`.
    package static let format = 1

    /// Reads the JSON form of docs/feature-spec.md; unknown keys are ignored unless `requires`
    /// names them, unknown kinds never.
    ///
    /// - Throws: ``JSONShapeError``.
    package init(json: JSONView) throws(JSONShapeError) {
        try json.checkFormat(
            Self.format,
            keys: ["name", "pane_seconds", "scaled_clip", "regimes", "cold_start", "features"]
        )
        var elements: [Element] = []
        for element in try json.required("features").array {
            elements.append(try Element(decoding: element))
        }
        self.init(
            name: try json.required("name").string,
            paneSeconds: try json.optional("pane_seconds")?.int ?? 3600,
            elements: elements,
            scaledClip: try json.optional("scaled_clip")?.double,
            regimes: try json.optional("regimes").map(RegimeRule.init(decoding:)),
            coldStart: try json.optional("cold_start").map(Self.share) ?? 0
        )
    }

    private static func share(_ json: JSONView) throws(JSONShapeError) -> Double {
        let share = try json.double
        guard (0...1).contains(share) else { throw json.refuse("a share from 0 to 1") }
        return share
    }

    /// The JSON form, with the keys in their documented order.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["name"] = .string(name)
        object["pane_seconds"] = .integer(paneSeconds)
        object["scaled_clip"] = scaledClip.map { .number($0) }
        object["regimes"] = regimes?.json
        object["cold_start"] = coldStart == 0 ? nil : .number(coldStart)
        object["features"] = .array(elements.map(\.json))
        return .object(object)
    }
}

extension FeatureSpec.RegimeRule {
    init(decoding json: JSONView) throws(JSONShapeError) {
        self.init()
        countMax = try json.optional("count_max")?.int ?? countMax
        gauges = try json.selection(default: .gauges)
        guard let share = try json.optional("explained") else { return }
        explained = try share.double
        guard explained > 0, explained < 1 else { throw share.refuse("a share between 0 and 1") }
    }

    var json: JSONValue {
        [
            "count_max": .integer(countMax), "explained": .number(explained),
            "sensors": gauges.json,
        ]
    }
}

extension FeatureSpec.Element {
    init(decoding json: JSONView) throws(JSONShapeError) {
        let kind = try json.required("kind")
        switch try kind.string {
        case "raw": self = .raw(try json.selection(default: .all))
        case "calendar": self = .calendar
        case "window":
            var statistics: [FeatureSpec.Statistic] = []
            for statistic in try json.required("statistics").array {
                statistics.append(try statistic.choice())
            }
            self = .window(
                statistics,
                hours: try json.required("hours").ints,
                try json.selection(default: .gauges)
            )
        case "product":
            let (a, b) = try json.pair()
            self = .product(a, b)
        case "ratio":
            let (a, b) = try json.pair()
            self = .ratio(a, b)
        case "difference":
            let (a, b) = try json.pair()
            self = .difference(a, b)
        case "power":
            self = .power(
                try json.required("sensor").string,
                exponent: try json.required("exponent").int
            )
        case "since_start":
            var statistics: [FeatureSpec.SinceStartStatistic] = []
            for statistic in try json.required("statistics").array {
                statistics.append(try statistic.choice())
            }
            self = .sinceStart(statistics, try json.selection(default: .gauges))
        case "window_fill": self = .windowFill(hours: try json.required("hours").ints)
        case "rate": self = .rate(try json.selection(default: .gauges))
        case "deviation":
            self = .deviation(
                hours: try json.required("hours").int,
                try json.selection(default: .gauges)
            )
        case "health": self = .health
        case "health_composite": self = .healthComposite
        default:
            throw kind.refuse(
                "raw, calendar, window, since_start, window_fill, product, ratio, difference,"
                    + " power, rate, deviation, health or health_composite"
            )
        }
    }

    var json: JSONValue {
        switch self {
        case .raw(let selection): ["kind": "raw", "sensors": selection.json]
        case .calendar: ["kind": "calendar"]
        case .window(let statistics, let hours, let selection):
            [
                "kind": "window",
                "statistics": .array(statistics.map { .string($0.rawValue) }),
                "hours": .array(hours.map { .integer($0) }),
                "sensors": selection.json,
            ]
        case .product(let a, let b): ["kind": "product", "sensors": [.string(a), .string(b)]]
        case .ratio(let a, let b): ["kind": "ratio", "sensors": [.string(a), .string(b)]]
        case .difference(let a, let b):
            ["kind": "difference", "sensors": [.string(a), .string(b)]]
        case .power(let name, let exponent):
            ["kind": "power", "sensor": .string(name), "exponent": .integer(exponent)]
        case .sinceStart(let statistics, let selection):
            [
                "kind": "since_start",
                "statistics": .array(statistics.map { .string($0.rawValue) }),
                "sensors": selection.json,
            ]
        case .windowFill(let hours):
            ["kind": "window_fill", "hours": .array(hours.map { .integer($0) })]
        case .rate(let selection): ["kind": "rate", "sensors": selection.json]
        case .deviation(let hours, let selection):
            ["kind": "deviation", "hours": .integer(hours), "sensors": selection.json]
        case .health: ["kind": "health"]
        case .healthComposite: ["kind": "health_composite"]
        }
    }
}

extension FeatureSpec.Selection {
    var json: JSONValue {
        switch self {
        case .all: "all"
        case .gauges: "gauges"
        case .named(let names): .array(names.map { .string($0) })
        }
    }
}

extension JSONView {
    /// The member `sensors`: "all", "gauges" or a list of names.
    fileprivate func selection(
        default selection: FeatureSpec.Selection
    ) throws(JSONShapeError) -> FeatureSpec.Selection {
        guard let view = try optional("sensors") else { return selection }
        switch view.value {
        case "all": return .all
        case "gauges": return .gauges
        case .array: return .named(try view.strings)
        default: throw view.refuse("\"all\", \"gauges\" or a list of names")
        }
    }

    /// The member `sensors` as two names.
    fileprivate func pair() throws(JSONShapeError) -> (String, String) {
        let view = try required("sensors")
        let names = try view.strings
        guard names.count == 2 else { throw view.refuse("two names") }
        return (names[0], names[1])
    }
}
