// SPDX-License-Identifier: MIT

/// What happened in a request, for a trace.
struct TelemetrySpan: Sendable {
    /// 32 hexadecimal digits.
    let traceID: String
    /// 16 hexadecimal digits.
    let spanID: String
    /// The caller's span; nil for the first of a trace.
    let parentSpanID: String?
    let name: String
    /// Nanoseconds since the epoch.
    let start: Int64
    let end: Int64
    let isError: Bool
    let attributes: [(name: String, value: LogValue)]
}

/// Something that happened at a moment: a prediction, or a failure.
struct TelemetryEvent: Sendable {
    /// Nanoseconds since the epoch.
    let time: Int64
    let name: String
    let isError: Bool
    var traceID: String?
    var spanID: String?
    let attributes: [(name: String, value: LogValue)]
}

/// Spans and events that wait to be sent.
struct TelemetryBatch: Sendable {
    var spans: [TelemetrySpan] = []
    var events: [TelemetryEvent] = []

    var count: Int { spans.count + events.count }
}
