// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import OTLP

/// An answered request that is traced: its span, and what becomes spans when it is sent.
struct TelemetryRequest: Sendable {
    let span: TelemetrySpan
    /// When the request came, on the monotonic clock.
    let received: Int64
    let stages: StageTrace

    /// All spans of it, its own first.
    var spans: [TelemetrySpan] { [span] + stages.spans(under: span, since: received) }
}

extension TelemetrySpan {
    /// The span of an answered request, which came at a moment of the monotonic clock.
    init(
        _ endpoint: Endpoint,
        _ identity: KeptIdentity,
        _ status: Int,
        since received: Int64,
        _ telemetry: Telemetry
    ) {
        guard let traceID = identity.traceID, let spanID = identity.spanID else {
            preconditionFailure("a request that is traced has a place in a trace")
        }
        self.init(
            TraceContext(traceID: traceID, spanID: spanID, parentSpanID: identity.parentSpanID),
            name: "\(endpoint.method.name) \(endpoint.path)",
            kind: .server,
            start: telemetry.time(ofMonotonic: received),
            end: telemetry.now,
            isError: status >= 500,
            attributes: [
                ("http.request.method", .string(endpoint.method.name)),
                ("http.route", .string(endpoint.path)),
                ("http.response.status_code", .integer(status)),
                ("request_id", .string(identity.requestID)),
            ]
        )
    }
}

extension TelemetryEvent {
    /// The exception that a request ended with.
    init(_ error: ServiceError, _ identity: KeptIdentity, _ telemetry: Telemetry) {
        self = .exception(
            type: error.reason,
            message: error.title,
            time: telemetry.now,
            traceID: identity.traceID,
            spanID: identity.spanID,
            attributes: [("request_id", .string(identity.requestID))]
        )
    }
}

extension RequestIdentity {
    /// The ids as texts; for a request that is traced and came without a trace, one begins.
    func kept(
        _ bytes: Span<UInt8>,
        _ maker: borrowing RequestIDMaker,
        _ trace: StageTrace?
    ) -> KeptIdentity {
        var kept = kept(bytes, maker)
        if trace != nil { kept.beginTrace() }
        return kept
    }
}

extension KeptIdentity {
    /// Begins a trace, where the request came without one.
    mutating func beginTrace() {
        guard traceparent == nil else { return }
        let context = TraceContext()
        begun = (context.traceID, context.spanID)
    }
}
