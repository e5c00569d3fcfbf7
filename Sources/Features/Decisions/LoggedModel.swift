// SPDX-License-Identifier: MIT

internal import JSON

/// What a log says of a model whose predictions it holds.
package struct LoggedModel: Equatable, Sendable {
    /// The model's name.
    package let name: String
    /// Its version.
    package let version: String
    /// The digest of its bundle, in hexadecimal digits.
    package let digest: String
    /// What its readings mean.
    package let schema: Schema
    /// How far it looks ahead, in hours; nil where it does not.
    package let horizonHours: Double?
    /// The probability from which on it says 1.
    package let threshold: Double
    /// When its predictions become an alarm; nil where it has no rule.
    package let alarm: AlarmRule?
    /// The length of a pane, in seconds.
    package let paneSeconds: Int

    /// Describes a model.
    package init(
        name: String,
        version: String,
        digest: String,
        transform: FeatureTransform,
        horizonHours: Double?,
        threshold: Double,
        alarm: AlarmRule?
    ) {
        self.name = name
        self.version = version
        self.digest = digest
        self.horizonHours = horizonHours
        self.threshold = threshold
        self.alarm = alarm
        schema = transform.schema
        paneSeconds = transform.layout.paneSeconds
    }

    /// Reads the JSON form.
    init(_ bytes: [UInt8]) throws {
        let view = JSONView(try JSONValue.parse(bytes))
        name = try view.required("model").string
        version = try view.required("version").string
        digest = try view.required("digest").string
        let horizon = try view.optional("horizon_hours")
        horizonHours = try horizon?.double
        if let fault = SpecLimits.fault(ofHorizonHours: horizonHours) {
            throw (horizon ?? view).refuse(fault)
        }
        threshold = try view.required("threshold").double
        alarm = try view.optional("alarm").flatMap { view in
            AlarmRule(
                raise: try view.required("raise").double,
                clear: try view.required("clear").double,
                needed: try view.required("needed").int,
                of: try view.required("of").int
            )
        }
        let pane = try view.required("pane_seconds")
        paneSeconds = try pane.int
        guard (1...SpecLimits.paneSecondsMax).contains(paneSeconds) else {
            throw pane.refuse("1 to \(SpecLimits.paneSecondsMax)")
        }
        schema = try Schema(json: try view.required("schema"))
    }

    /// The JSON form: these fields, with the schema and the alarm in the form of a manifest.
    var json: JSONValue {
        var object = JSONObject()
        object["model"] = .string(name)
        object["version"] = .string(version)
        object["digest"] = .string(digest)
        object["horizon_hours"] = horizonHours.map { .number($0) }
        object["threshold"] = .number(threshold)
        object["alarm"] = alarm.map { rule in
            [
                "raise": .number(rule.raise), "clear": .number(rule.clear),
                "needed": .integer(rule.needed), "of": .integer(rule.length),
            ]
        }
        object["pane_seconds"] = .integer(paneSeconds)
        object["schema"] = schema.json
        return .object(object)
    }
}
