// SPDX-License-Identifier: MIT

internal import JSON

/// Writes OTLP's JSON encoding (OpenTelemetry Protocol 1.0, proto3 JSON with ids in hexadecimal and
/// 64-bit integers as texts) of what one program sends.
package struct OTLPWriter: Sendable {
    private static let errorStatus = 2
    private static let infoSeverity = 9
    private static let errorSeverity = 17

    /// The path of a POST of spans.
    package static let tracesPath = "/v1/traces"
    /// The path of a POST of events.
    package static let logsPath = "/v1/logs"

    private let resource: JSONValue
    private let scope: JSONValue

    /// Names the service that all records come from, and the program that makes them.
    package init(service: String, program: String, version: String?) {
        var attributes: [Attribute] = [("service.name", .string(service))]
        var scope = JSONObject()
        scope["name"] = .string(program)
        if let version {
            attributes.append(("service.version", .string(version)))
            scope["version"] = .string(version)
        }
        resource = ["attributes": Self.list(attributes)]
        self.scope = .object(scope)
    }

    /// The body of a POST to ``tracesPath``.
    package func traces(_ spans: [TelemetrySpan]) -> [UInt8] {
        document("resourceSpans", "scopeSpans", "spans", spans.map(Self.span))
    }

    /// The body of a POST to ``logsPath``.
    package func logs(_ events: [TelemetryEvent]) -> [UInt8] {
        document("resourceLogs", "scopeLogs", "logRecords", events.map(Self.record))
    }

    private func document(
        _ outer: String,
        _ inner: String,
        _ name: String,
        _ records: [JSONValue]
    ) -> [UInt8] {
        let scoped: JSONValue = ["scope": scope, name: .array(records)]
        let document: JSONValue = [outer: [["resource": resource, inner: [scoped]]]]
        return document.serialized()
    }

    private static func span(_ span: TelemetrySpan) -> JSONValue {
        var object = JSONObject()
        object["traceId"] = .string(span.context.traceID)
        object["spanId"] = .string(span.context.spanID)
        if let parent = span.context.parentSpanID { object["parentSpanId"] = .string(parent) }
        object["name"] = .string(span.name)
        object["kind"] = .integer(span.kind.rawValue)
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

    private static func list(_ attributes: [Attribute]) -> JSONValue {
        .array(
            attributes.map { name, value -> JSONValue in
                ["key": .string(name), "value": .object(content(value))]
            }
        )
    }

    private static func content(_ value: AttributeValue) -> JSONObject {
        var content = JSONObject()
        switch value {
        case .string(let text): content["stringValue"] = .string(text)
        case .integer(let number): content["intValue"] = .string("\(number)")
        case .number(let number): content["doubleValue"] = .number(number)
        case .bool(let flag): content["boolValue"] = .bool(flag)
        }
        return content
    }
}
