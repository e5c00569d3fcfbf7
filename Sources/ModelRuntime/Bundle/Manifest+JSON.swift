// SPDX-License-Identifier: MIT

internal import Features
internal import Integrity
package import JSON

extension Manifest {
    private enum Key: String {
        case format
        case requires
        case model
        case version
        case created
        case framework
        case transform
        case layers
        case members
        case calibration
        case horizonHours = "horizon_hours"
        case threshold
        case riskLevels = "risk_levels"
        case alarm
        case trainingData = "training_data"
        case evaluation
    }

    /// Keys that whoever would pass them over would misread the model, required where they are.
    static let impliedKeys = [Key.members.rawValue, Key.calibration.rawValue]

    /// Reads and validates a manifest; unknown keys are ignored unless `requires` names them.
    ///
    /// - Throws: ``BundleError``.
    package init(_ bytes: [UInt8]) throws(BundleError) {
        let file = BundleFile.manifest
        let json = try BundleFile.parse(bytes, of: file, format: Self.format)
        let requires = try BundleFile.decode(file) { () throws(JSONShapeError) in
            try json.optional(Key.requires.rawValue)?.strings ?? []
        }
        for key in requires where Key(rawValue: key) == nil {
            throw .requirement(key)
        }
        let view = try BundleFile.decode(file) { () throws(JSONShapeError) in
            try json.required(Key.transform.rawValue)
        }
        let transform: FeatureTransform
        do throws(SpecError) {
            transform = try FeatureTransform(json: view)
        } catch {
            throw .transform(error)
        }
        self = try BundleFile.decode(file) { () throws(JSONShapeError) in
            try Manifest(decoding: json, requires, transform)
        }
        try validate()
    }

    private init(
        decoding json: JSONView,
        _ requires: [String],
        _ transform: FeatureTransform
    ) throws(JSONShapeError) {
        let versionView = try json.required(Key.version.rawValue)
        guard let version = BundleVersion(try versionView.string) else {
            throw versionView.refuse("YYYYMMDD_HHMMSS")
        }
        var layers: [Layer] = []
        for view in try json.required(Key.layers.rawValue).array {
            layers.append(try Layer(decoding: view))
        }
        self.init(
            requires: requires,
            model: try json.required(Key.model.rawValue).string,
            version: version,
            createdMicroseconds: try json.required(Key.created.rawValue).timestamp,
            framework: try json.required(Key.framework.rawValue).string,
            transform: transform,
            layers: layers,
            memberCount: try json.optional(Key.members.rawValue)?.int ?? 1,
            calibration: try json.optional(Key.calibration.rawValue)
                .map(Calibrator.init(decoding:)) ?? .identity,
            horizonHours: try json.optional(Key.horizonHours.rawValue)?.double,
            threshold: try json.required(Key.threshold.rawValue).double,
            riskLevels: try RiskLevels(decoding: try json.required(Key.riskLevels.rawValue)),
            alarm: try json.optional(Key.alarm.rawValue).map(AlarmRule.init(decoding:)),
            trainingData: try TrainingData(decoding: try json.required(Key.trainingData.rawValue)),
            evaluation: try json.required(Key.evaluation.rawValue).object
        )
    }

    /// The JSON form, with the keys in their documented order.
    package var json: JSONValue {
        var object = JSONObject()
        func set(_ key: Key, _ value: JSONValue?) { object[key.rawValue] = value }
        set(.format, .integer(Self.format))
        let implied = zip(Self.impliedKeys, [memberCount > 1, calibration != .identity])
            .filter(\.1).map(\.0)
        set(.requires, .array((requires + implied).map { .string($0) }))
        set(.model, .string(model))
        set(.version, .string(version.description))
        set(.created, .string(Timestamp.text(createdMicroseconds)))
        set(.framework, .string(framework))
        set(.horizonHours, horizonHours.map { .number($0) })
        set(.threshold, .number(threshold))
        set(.riskLevels, ["medium": .number(riskLevels.medium), "high": .number(riskLevels.high)])
        set(.alarm, alarm?.json)
        set(.layers, .array(layers.map(\.json)))
        if memberCount > 1 { set(.members, .integer(memberCount)) }
        set(.calibration, calibration.json)
        set(.transform, transform.json)
        set(
            .trainingData,
            ["sha256": .string(trainingData.sha256), "rows": .integer(trainingData.rowCount)]
        )
        set(.evaluation, .object(evaluation))
        return .object(object)
    }
}

extension RiskLevels {
    fileprivate init(decoding json: JSONView) throws(JSONShapeError) {
        self.init(
            medium: try json.required("medium").double,
            high: try json.required("high").double
        )
    }
}

extension Manifest.TrainingData {
    fileprivate init(decoding json: JSONView) throws(JSONShapeError) {
        let digest = try json.required("sha256")
        guard Digest(hex: try digest.string) != nil else {
            throw digest.refuse("64 hexadecimal digits")
        }
        self.init(sha256: try digest.string, rowCount: try json.required("rows").int)
    }
}

extension Layer {
    /// Reads an element of the manifest's `layers`.
    ///
    /// - Throws: `JSONShapeError`.
    package init(decoding json: JSONView) throws(JSONShapeError) {
        let function = try json.required("activation")
        guard let activation = Activation(rawValue: try function.string) else {
            throw function.refuse(
                "one of \(Activation.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        self.init(
            inputs: try json.required("inputs").int,
            outputs: try json.required("outputs").int,
            activation: activation,
            normalization: try json.optional("normalization").map(Normalization.init(decoding:))
        )
    }

    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["inputs"] = .integer(inputs)
        object["outputs"] = .integer(outputs)
        object["activation"] = .string(activation.rawValue)
        object["normalization"] = normalization.map { normalization in
            [
                "epsilon": .number(normalization.epsilon),
                "position": .string(normalization.position.key),
            ]
        }
        return .object(object)
    }
}

extension Layer.Normalization {
    fileprivate init(decoding json: JSONView) throws(JSONShapeError) {
        let place = try json.required("position")
        let key = try place.string
        guard let position = Position.allCases.first(where: { $0.key == key }) else {
            throw place.refuse(
                "one of \(Position.allCases.map(\.key).joined(separator: ", "))"
            )
        }
        self.init(epsilon: try json.required("epsilon").double, position: position)
    }
}

extension Layer.Normalization.Position {
    fileprivate var key: String {
        switch self {
        case .beforeActivation: "before_activation"
        case .afterActivation: "after_activation"
        }
    }
}
