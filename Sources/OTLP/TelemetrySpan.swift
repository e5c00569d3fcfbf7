// SPDX-License-Identifier: MIT

/// Work that took a time, for a trace.
package struct TelemetrySpan: Sendable {
    /// What the work is to those around it, with the numbers of OTLP.
    package enum Kind: Int, Sendable {
        case inside = 1
        case server = 2
        case client = 3
    }

    /// Where it stands.
    package let context: TraceContext
    /// What was done.
    package let name: String
    /// What it is to others.
    package let kind: Kind
    /// Nanoseconds since the epoch.
    package let start: Int64
    /// Nanoseconds since the epoch.
    package let end: Int64
    /// Whether it failed.
    package let isError: Bool
    /// What else is known.
    package let attributes: [Attribute]

    /// Describes a span.
    package init(
        _ context: TraceContext,
        name: String,
        kind: Kind,
        start: Int64,
        end: Int64,
        isError: Bool,
        attributes: [Attribute]
    ) {
        self.context = context
        self.name = name
        self.kind = kind
        self.start = start
        self.end = end
        self.isError = isError
        self.attributes = attributes
    }
}

/// Something that happened at a moment: a prediction, or a failure.
package struct TelemetryEvent: Sendable {
    /// Nanoseconds since the epoch.
    package let time: Int64
    /// What happened.
    package let name: String
    /// Whether it is a failure.
    package let isError: Bool
    /// 32 hexadecimal digits; nil where it belongs to no trace.
    package let traceID: String?
    /// The span in which it happened; nil where it belongs to none.
    package let spanID: String?
    /// What else is known.
    package let attributes: [Attribute]

    /// Describes an event.
    package init(
        time: Int64,
        name: String,
        isError: Bool,
        traceID: String? = nil,
        spanID: String? = nil,
        attributes: [Attribute]
    ) {
        self.time = time
        self.name = name
        self.isError = isError
        self.traceID = traceID
        self.spanID = spanID
        self.attributes = attributes
    }

    /// An exception, as OpenTelemetry names its parts.
    package static func exception(
        type: String,
        message: String,
        time: Int64,
        traceID: String?,
        spanID: String?,
        attributes: [Attribute] = []
    ) -> TelemetryEvent {
        TelemetryEvent(
            time: time,
            name: "exception",
            isError: true,
            traceID: traceID,
            spanID: spanID,
            attributes: [
                ("exception.type", .string(type)), ("exception.message", .string(message)),
            ] + attributes
        )
    }
}
