// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

extension OpenAPISchemas {
    /// What `POST /feedback` takes: one event or several.
    func feedback(time: JSONValue) -> JSONValue {
        let event: JSONValue = [
            "type": "object",
            "required": ["equipment_id", "kind", "timestamp"],
            "properties": [
                "equipment_id": Self.text(
                    bytesMax: SpecLimits.equipmentIDBytesMax,
                    isOptional: false,
                    isEmptyAllowed: false
                ),
                "kind": [
                    "enum": .array(FeedbackEvent.Kind.allCases.map { .string($0.rawValue) })
                ],
                "timestamp": time,
                "note": Self.text(
                    bytesMax: PredictionService.noteBytesMax,
                    isOptional: true
                ),
            ],
        ]
        let events: JSONValue = [
            "type": "array", "items": event,
            "maxItems": .integer(model.format.limits.feedbackEventsMax),
        ]
        return ["anyOf": [event, events]]
    }

    /// What it answers.
    var feedbackAnswer: JSONValue {
        let count: JSONValue = ["type": "integer", "minimum": 0]
        return [
            "type": "object",
            "required": ["new", "known", "windows_reset"],
            "properties": ["new": count, "known": count, "windows_reset": count],
        ]
    }
}
