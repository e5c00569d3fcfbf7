// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import ModelRuntime

/// The schemas of what goes in and comes out, in JSON Schema 2020-12.
///
/// They say what is accepted, no more and no less: a value outside its physical range is taken and
/// flagged, so the range stands beside the type as `x-range`. What JSON Schema has no word for
/// stands there too: `x-max-bytes` is a limit in bytes of UTF-8, where `maxLength` counts
/// characters and so says enough of ASCII alone; a moment with `x-not-ahead` must not lie ahead of
/// the clock.
struct OpenAPISchemas {
    let model: ServedModel

    init(_ model: ServedModel) { self.model = model }

    var all: JSONObject {
        var all = JSONObject()
        all["Reading"] = reading(isPast: false)
        if model.format.hasState { all["PastReading"] = reading(isPast: true) }
        all["Batch"] = batch
        all["Prediction"] = prediction(isElement: false)
        all["BatchPrediction"] = prediction(isElement: true)
        all["BatchAnswer"] = batchAnswer
        all["Problem"] = problem
        all["Health"] = object(["status": string("")], required: ["status"])
        all["ModelInfo"] = modelInfo
        all["Drift"] = drift
        all["Machine"] = machine
        all["Maintenance"] = object(["timestamp": pastTime, "kind": kind])
        all["MaintenanceAnswer"] = object(
            ["equipment_id": string(""), "timestamp": moment, "kind": string("")],
            required: ["equipment_id", "timestamp", "kind"]
        )
        all["Feedback"] = feedback(time: pastMoment)
        all["FeedbackAnswer"] = feedbackAnswer
        return all
    }

    private var sensors: [Sensor] { model.engine.transform.schema.sensors }

    private func reading(isPast: Bool) -> JSONValue {
        var properties = JSONObject()
        var required: [String] = []
        if !isPast {
            properties["equipment_id"] = equipmentID
            if model.format.needsID { required.append("equipment_id") }
        }
        properties["timestamp"] = time
        for sensor in sensors {
            properties[sensor.name] = schema(of: sensor)
            if !sensor.isOptional { required.append(sensor.name) }
        }
        if !isPast, model.format.hasState {
            if model.format.needsHistory { required.append("history") }
            properties["history"] = [
                "type": ["array", "null"],
                "items": reference("PastReading"),
                "maxItems": .integer(model.format.limits.historyRowsMax),
                "description": .string(
                    "Earlier readings of the machine, oldest first; then the answer comes from"
                        + " them alone and nothing is remembered."
                ),
            ]
        }
        return object(properties, required: required)
    }

    private var equipmentID: JSONValue {
        Self.text(
            bytesMax: SpecLimits.equipmentIDBytesMax,
            isOptional: !model.format.needsID,
            isEmptyAllowed: false,
            "The machine."
        )
    }

    /// A text with a limit in bytes of UTF-8.
    static func text(
        bytesMax: Int,
        isOptional: Bool,
        isEmptyAllowed: Bool = true,
        _ what: String = ""
    ) -> JSONValue {
        let limit = "\(isEmptyAllowed ? "At most" : "1 to") \(bytesMax) bytes of UTF-8."
        var schema = JSONObject()
        schema["type"] = isOptional ? ["string", "null"] : "string"
        if !isEmptyAllowed { schema["minLength"] = 1 }
        schema["maxLength"] = .integer(bytesMax)
        schema["x-max-bytes"] = .integer(bytesMax)
        schema["description"] = .string(what.isEmpty ? limit : "\(what) \(limit)")
        return .object(schema)
    }

    private func schema(of sensor: Sensor) -> JSONValue {
        var schema = JSONObject()
        if sensor.kind == .category {
            schema["enum"] = .array(sensor.categories.map(JSONValue.string) + [.null])
        } else {
            schema["type"] = ["number", "null"]
        }
        var words = sensor.unit.isEmpty ? sensor.kind.rawValue : "\(sensor.kind), \(sensor.unit)"
        if let range = sensor.range {
            words += "; outside of \(range.lowerBound) to \(range.upperBound) it counts as missing"
            schema["x-range"] = [.number(range.lowerBound), .number(range.upperBound)]
        }
        if !sensor.unit.isEmpty { schema["x-unit"] = .string(sensor.unit) }
        schema["description"] = .string(words)
        return .object(schema)
    }

    /// A moment as clients may write it.
    private var time: JSONValue {
        [
            "anyOf": .array(momentForms + [["type": "null"]]),
            "description": "RFC 3339, or seconds since 1970; by default the time of arrival.",
        ]
    }

    private var momentForms: [JSONValue] {
        let range = Timestamp.range
        return [
            moment,
            [
                "type": "number",
                "minimum": .integer(Int(range.lowerBound / Timestamp.microsecondsPerSecond)),
                "maximum": .integer(Int(range.upperBound / Timestamp.microsecondsPerSecond)),
            ],
        ]
    }

    /// When something happened.
    private var pastMoment: JSONValue {
        [
            "anyOf": .array(momentForms), "x-not-ahead": true,
            "description": "RFC 3339, or seconds since 1970, not ahead of the server's clock.",
        ]
    }

    private var pastTime: JSONValue {
        [
            "anyOf": .array(momentForms + [["type": "null"]]), "x-not-ahead": true,
            "description":
                "RFC 3339, or seconds since 1970, not ahead of the server's clock; by default now.",
        ]
    }

    private var kind: JSONValue {
        Self.text(bytesMax: PredictionService.kindBytesMax, isOptional: true)
    }

    private var moment: JSONValue { ["type": "string", "format": "date-time"] }

    private var batch: JSONValue {
        let readings: JSONValue = [
            "type": "array",
            "items": reference("Reading"),
            "maxItems": .integer(model.format.limits.batchRowsMax),
        ]
        return ["anyOf": [object(["instances": readings], required: ["instances"]), readings]]
    }

    private func prediction(isElement: Bool) -> JSONValue {
        let share: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]
        var properties = JSONObject()
        properties["equipment_id"] = ["type": ["string", "null"]]
        properties["prediction"] = ["type": "integer", "enum": [0, 1]]
        properties["probability"] = share
        properties["risk_level"] = ["enum": .array(RiskLevel.allCases.map { .string($0.rawValue) })]
        properties["timestamp"] = moment
        var required = properties.members.map { $0.key }
        if isElement {
            properties["model_version"] = string("Where another version answered than the batch's")
        } else {
            properties["model_version"] = string("")
            properties["inference_time_ms"] = ["type": "number", "minimum": 0]
            properties["horizon_hours"] = ["type": ["number", "null"]]
            required = properties.members.map { $0.key } + ["quality"]
            let contributions: JSONValue = [
                "type": ["object", "null"], "additionalProperties": ["type": "number"],
                "description": "With explain=true: what each group adds to the log-odds.",
            ]
            properties["contributions"] = contributions
            properties["explanation"] = ["type": "object"]
        }
        properties["window_fill"] = ["type": "object", "additionalProperties": share]
        properties["quality"] = [
            "type": "object", "additionalProperties": ["type": "array", "items": string("")],
        ]
        return object(properties, required: required)
    }

    private var batchAnswer: JSONValue {
        let refused = object(["error": ["type": "object"]], required: ["error"])
        return object(
            [
                "predictions": [
                    "type": "array",
                    "items": ["anyOf": [reference("BatchPrediction"), refused]],
                ],
                "count": ["type": "integer", "minimum": 0],
                "model_version": string(""),
                "horizon_hours": ["type": ["number", "null"]],
                "inference_time_ms": ["type": "number", "minimum": 0],
            ],
            required: ["predictions", "count", "model_version", "inference_time_ms"]
        )
    }

    private var problem: JSONValue {
        let error = object(
            ["pointer": string("JSON pointer, RFC 6901"), "detail": string("")],
            required: ["pointer", "detail"]
        )
        return object(
            [
                "title": string(""),
                "status": ["type": "integer", "minimum": 400, "maximum": 599],
                "detail": string(""),
                "instance": string("The path of the request"),
                "request_id": string("The X-Request-ID of the answer"),
                "errors": ["type": "array", "items": error],
            ],
            required: ["title", "status", "detail", "request_id"]
        )
    }

    private var modelInfo: JSONValue {
        object(
            [
                "name": string(""), "version": string(""), "framework": string(""),
                "created": moment, "threshold": ["type": "number"],
                "schema": ["type": "object"], "layers": ["type": "array"],
                "features": ["type": "array", "items": string("")],
                "last_refusal": ["type": ["object", "null"]],
                "challenger": ["type": ["object", "null"]],
                "probation": ["type": ["object", "null"]],
                "quarantine": ["type": "array", "items": ["type": "object"]],
            ],
            required: [
                "name", "version", "threshold", "schema", "layers", "features", "last_refusal",
                "challenger", "probation", "quarantine",
            ]
        )
    }

    private var drift: JSONValue {
        let share: JSONValue = ["type": "number", "minimum": 0, "maximum": 1]
        let names: JSONValue = ["type": "array", "items": string("")]
        let fault = object(
            ["sensor": string(""), "kind": string("")],
            required: ["sensor", "kind"]
        )
        return object(
            [
                "format": ["type": "integer", "enum": [1]],
                "model": string(""), "model_version": string(""),
                "state": [
                    "enum": .array(DriftStanding.State.allCases.map { .string($0.rawValue) })
                ],
                "drifted_share": share, "drifted_features": names,
                "window": ["type": ["object", "null"]],
                "gathering": ["type": "object"], "windows": ["type": "object"],
                "rule": ["type": "object"],
                "sensor_faults": ["type": "array", "items": fault],
                "sensors": ["type": "array", "items": ["type": "object"]],
                "features": ["type": "array", "items": ["type": "object"]],
                "score": ["type": ["object", "null"]],
            ],
            required: [
                "format", "model", "model_version", "state", "drifted_share", "drifted_features",
                "window", "gathering", "windows", "rule", "sensor_faults", "sensors", "features",
                "score",
            ]
        )
    }

    private var machine: JSONValue {
        let optional: JSONValue = ["type": ["string", "null"], "format": "date-time"]
        return object(
            [
                "equipment_id": string(""), "readings": ["type": "integer", "minimum": 0],
                "last_timestamp": optional, "last_arrival": optional, "first_pane": optional,
                "windows": ["type": "object"],
            ],
            required: ["equipment_id", "readings", "last_timestamp", "last_arrival", "windows"]
        )
    }

    private func string(_ what: String) -> JSONValue {
        what.isEmpty ? ["type": "string"] : ["type": "string", "description": .string(what)]
    }

    private func object(_ properties: JSONObject, required: [String] = []) -> JSONValue {
        var schema = JSONObject()
        schema["type"] = "object"
        schema["properties"] = .object(properties)
        if !required.isEmpty { schema["required"] = .array(required.map(JSONValue.string)) }
        return .object(schema)
    }

    private func object(_ properties: JSONValue, required: [String] = []) -> JSONValue {
        guard case .object(let members) = properties else { return properties }
        return object(members, required: required)
    }

    private func reference(_ schema: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(schema)")]
    }
}
