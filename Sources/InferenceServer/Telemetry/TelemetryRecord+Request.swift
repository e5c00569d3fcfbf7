// SPDX-License-Identifier: MIT

internal import HTTPServer

extension TelemetrySpan {
    /// The span of an answered request, which came at a moment of the monotonic clock; where it
    /// came without a trace, one begins.
    init(
        _ endpoint: Endpoint,
        _ identity: KeptIdentity,
        _ status: Int,
        since received: Int64,
        _ telemetry: Telemetry
    ) {
        self.init(
            traceID: identity.traceID ?? Self.randomDigits(words: 2),
            spanID: identity.spanID ?? Self.randomDigits(words: 1),
            parentSpanID: identity.parentSpanID,
            name: "\(endpoint.method.name) \(endpoint.path)",
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

    /// Random hexadecimal digits, sixteen a word.
    private static func randomDigits(words: Int) -> String {
        (0..<words).map { _ in
            let digits = String(UInt64.random(in: 1 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }
}

extension TelemetryEvent {
    /// The exception that a request ended with.
    init(_ error: ServiceError, _ identity: KeptIdentity, _ telemetry: Telemetry) {
        self.init(
            time: telemetry.now,
            name: "exception",
            isError: true,
            traceID: identity.traceID,
            spanID: identity.spanID,
            attributes: [
                ("exception.type", .string(error.reason)),
                ("exception.message", .string(error.title)),
                ("request_id", .string(identity.requestID)),
            ]
        )
    }
}
