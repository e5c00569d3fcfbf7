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
        case horizonHours = "horizon_hours"
        case threshold
        case riskLevels = "risk_levels"
        case trainingData = "training_data"
        case evaluation
        /// Part of the format, absent for the identity, which is all that is known here.
        case calibration
    }

    /// Reads and validates a manifest; unknown keys are ignored unless `requires` names them.
    ///
    /// - Throws: ``BundleError``.
    package init(_ bytes: [UInt8]) throws(BundleError) {
        let file = BundleFile.manifest
        let json = try BundleFile.parse(bytes, of: file, format: Self.format)
        let requires = try BundleFile.decode(file) { () throws(JSONShapeError) in
            try json.optional(Key.requires.rawValue)?.strings ?? []
        }
        for key in requires where Key(rawValue: key) == nil || key == Key.calibration.rawValue {
            throw .requirement(key)
        }
        let parts = try BundleFile.decode(file) { () throws(JSONShapeError) in
            if let calibration = try json.optional(Key.calibration.rawValue) {
                throw calibration.refuse("nothing")
            }
            return (
                transform: try json.required(Key.transform.rawValue),
                rest: try Manifest.Rest(json)
            )
        }
        let transform: FeatureTransform
        do throws(SpecError) {
            transform = try FeatureTransform(json: parts.transform)
        } catch {
            throw .transform(error)
        }
        self.init(
            requires: requires,
            model: parts.rest.model,
            version: parts.rest.version,
            createdMicroseconds: parts.rest.created,
            framework: parts.rest.framework,
            transform: transform,
            layers: parts.rest.layers,
            horizonHours: parts.rest.horizonHours,
            threshold: parts.rest.threshold,
            riskLevels: parts.rest.riskLevels,
            trainingData: parts.rest.trainingData,
            evaluation: parts.rest.evaluation
        )
        try validate()
    }

    /// The JSON form, with the keys in their documented order.
    package var json: JSONValue {
        var object = JSONObject()
        func set(_ key: Key, _ value: JSONValue?) { object[key.rawValue] = value }
        set(.format, .integer(Self.format))
        set(.requires, .array(requires.map { .string($0) }))
        set(.model, .string(model))
        set(.version, .string(version.description))
        set(.created, .string(Timestamp.text(createdMicroseconds)))
        set(.framework, .string(framework))
        set(.horizonHours, horizonHours.map { .number($0) })
        set(.threshold, .number(threshold))
        set(.riskLevels, ["medium": .number(riskLevels.medium), "high": .number(riskLevels.high)])
        set(.layers, .array(layers.map(\.json)))
        set(.transform, transform.json)
        set(
            .trainingData,
            ["sha256": .string(trainingData.sha256), "rows": .integer(trainingData.rowCount)]
        )
        set(.evaluation, .object(evaluation))
        return .object(object)
    }

    /// All but the keys that have errors of their own.
    private struct Rest {
        let model: String
        let version: BundleVersion
        let created: Int64
        let framework: String
        let layers: [Layer]
        let horizonHours: Double?
        let threshold: Double
        let riskLevels: RiskLevels
        let trainingData: TrainingData
        let evaluation: JSONObject

        init(_ json: JSONView) throws(JSONShapeError) {
            model = try json.required(Key.model.rawValue).string
            let versionView = try json.required(Key.version.rawValue)
            guard let version = BundleVersion(try versionView.string) else {
                throw versionView.refuse("YYYYMMDD_HHMMSS")
            }
            self.version = version
            created = try json.required(Key.created.rawValue).timestamp
            framework = try json.required(Key.framework.rawValue).string
            var layers: [Layer] = []
            for view in try json.required(Key.layers.rawValue).array {
                layers.append(try Layer(decoding: view))
            }
            self.layers = layers
            horizonHours = try json.optional(Key.horizonHours.rawValue)?.double
            threshold = try json.required(Key.threshold.rawValue).double
            let levels = try json.required(Key.riskLevels.rawValue)
            riskLevels = RiskLevels(
                medium: try levels.required("medium").double,
                high: try levels.required("high").double
            )
            let data = try json.required(Key.trainingData.rawValue)
            let digest = try data.required("sha256")
            guard Digest(hex: try digest.string) != nil else {
                throw digest.refuse("64 hexadecimal digits")
            }
            trainingData = TrainingData(
                sha256: try digest.string,
                rowCount: try data.required("rows").int
            )
            evaluation = try json.required(Key.evaluation.rawValue).object
        }
    }
}

extension Layer {
    fileprivate init(decoding json: JSONView) throws(JSONShapeError) {
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
