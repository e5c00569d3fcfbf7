// SPDX-License-Identifier: MIT

internal import Features
internal import Integrity
internal import JSON
internal import ModelRuntime

/// What `/model/info` and `--verify` say of a bundle.
enum ModelInfo {
    /// The text of the object without its end, where the last refusal has its place.
    static func opening(_ bundle: LoadedModel) -> [UInt8] {
        var text = JSONValue.object(object(bundle)).serialized()
        text.removeLast()
        text.append(contentsOf: #","last_refusal":"#.utf8)
        return text
    }

    static func object(_ bundle: LoadedModel) -> JSONObject {
        let manifest = bundle.manifest
        let transform = manifest.transform
        var info = JSONObject()
        info["name"] = .string(manifest.model)
        info["version"] = .string(manifest.version.description)
        info["created"] = .string(Timestamp.text(manifest.createdMicroseconds))
        info["framework"] = .string(manifest.framework)
        info["horizon_hours"] = manifest.horizonHours.map(JSONValue.number) ?? .null
        info["threshold"] = .number(manifest.threshold)
        info["risk_levels"] = [
            "medium": .number(manifest.riskLevels.medium),
            "high": .number(manifest.riskLevels.high),
        ]
        info["alarm"] = manifest.alarm?.json ?? .null
        info["schema"] = [
            "name": .string(transform.schema.name),
            "sensors": .array(transform.schema.sensors.map(sensor)),
        ]
        info["feature_spec"] = .string(transform.specName)
        info["features"] = .array(transform.featureNames.map(JSONValue.string))
        info["window_hours"] = .array(transform.windowHours.map(JSONValue.integer))
        info["layers"] = .array(manifest.layers.map(layer))
        info["members"] = .integer(manifest.memberCount)
        info["calibration"] = manifest.calibration.json ?? ["method": "none"]
        info["explanation"] =
            bundle.explainer.map { explainer in
                [
                    "groups": .array(explainer.groups.map { .string($0.name) }),
                    "background_records": .integer(explainer.backgroundCount),
                ]
            } ?? .null
        info["training_data"] = [
            "sha256": .string(manifest.trainingData.sha256),
            "rows": .integer(manifest.trainingData.rowCount),
        ]
        info["sha256sums_digest"] = .string(bundle.digest.hex)
        info["evaluation"] = .object(manifest.evaluation)
        return info
    }

    private static func sensor(_ sensor: Sensor) -> JSONValue {
        var object = JSONObject()
        object["name"] = .string(sensor.name)
        object["unit"] = .string(sensor.unit)
        object["kind"] = .string(sensor.kind.rawValue)
        object["optional"] = .bool(sensor.isOptional)
        if let range = sensor.range {
            object["range"] = [.number(range.lowerBound), .number(range.upperBound)]
        }
        if !sensor.categories.isEmpty {
            object["categories"] = .array(sensor.categories.map(JSONValue.string))
        }
        return .object(object)
    }

    private static func layer(_ layer: Layer) -> JSONValue {
        [
            "inputs": .integer(layer.inputs),
            "outputs": .integer(layer.outputs),
            "activation": .string(layer.activation.rawValue),
            "batch_normalization": .bool(layer.normalization != nil),
        ]
    }
}
