// SPDX-License-Identifier: MIT

internal import JSON

/// Writes OTLP's JSON encoding (OpenTelemetry Protocol 1.0, proto3 JSON with ids in hexadecimal and
/// 64-bit integers as texts).
enum OTLPWriter {
    private static let serverKind = 2
    private static let errorStatus = 2
    private static let infoSeverity = 9
    private static let errorSeverity = 17

    /// The body of a POST to `/v1/traces`.
    static func traces(_ spans: [TelemetrySpan], resource: JSONValue) -> [UInt8] {
        document("resourceSpans", "scopeSpans", "spans", resource, spans.map(span))
    }

    /// The body of a POST to `/v1/logs`.
    static func logs(_ events: [TelemetryEvent], resource: JSONValue) -> [UInt8] {
        document("resourceLogs", "scopeLogs", "logRecords", resource, events.map(record))
    }

    /// What the records come from.
    static func resource(_ attributes: [(name: String, value: LogValue)]) -> JSONValue {
        ["attributes": list(attributes)]
    }

    private static func document(
        _ outer: String,
        _ inner: String,
        _ name: String,
        _ resource: JSONValue,
        _ records: [JSONValue]
    ) -> [UInt8] {
        let scope: JSONValue = [
            "scope": [
                "name": "inference-server", "version": .string(InferenceServerCommand.version),
            ],
            name: .array(records),
        ]
        let document: JSONValue = [outer: [["resource": resource, inner: [scope]]]]
        return document.serialized()
    }

    private static func span(_ span: TelemetrySpan) -> JSONValue {
        var object = JSONObject()
        object["traceId"] = .string(span.traceID)
        object["spanId"] = .string(span.spanID)
        if let parent = span.parentSpanID { object["parentSpanId"] = .string(parent) }
        object["name"] = .string(span.name)
        object["kind"] = .integer(serverKind)
        object["startTimeUnixNano"] = .string("\(span.start)")
        object["endTimeUnixNano"] = .string("\(span.end)")
        object["attributes"] = list(span.attributes)
        if span.isError { object["status"] = ["code": .integer(errorStatus)] }
        return .object(object)
    }

    private static func record(_ event: TelemetryEvent) -> JSONValue {
        var object = JSONObject()
        object["timeUnixNano"] = .string("\(event.time)")
        object["observedTimeUnixNano"] = .string("\(event.time)")
        object["severityNumber"] = .integer(event.isError ? errorSeverity : infoSeverity)
        object["body"] = ["stringValue": .string(event.name)]
        object["attributes"] = list(event.attributes)
        if let traceID = event.traceID { object["traceId"] = .string(traceID) }
        if let spanID = event.spanID { object["spanId"] = .string(spanID) }
        return .object(object)
    }

    private static func list(_ attributes: [(name: String, value: LogValue)]) -> JSONValue {
        .array(
            attributes.map { (name, value) -> JSONValue in
                var content = JSONObject()
                switch value {
                case .string(let text): content["stringValue"] = .string(text)
                case .integer(let number): content["intValue"] = .string("\(number)")
                case .number(let number): content["doubleValue"] = .number(number)
                case .bool(let flag): content["boolValue"] = .bool(flag)
                }
                return ["key": .string(name), "value": .object(content)]
            }
        )
    }
}
