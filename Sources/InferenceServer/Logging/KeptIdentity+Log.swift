// SPDX-License-Identifier: MIT

internal import HTTPServer

extension KeptIdentity {
    /// What every line about a request begins with.
    var logFields: [(name: String, value: LogValue)] {
        var fields: [(name: String, value: LogValue)] = [("request_id", .string(requestID))]
        // W3C Trace Context §3.2: version, trace id, parent id and flags, with hyphens between.
        if let traceparent, traceparent.utf8.count == 55 {
            fields.append(("trace_id", .string(String(traceparent.dropFirst(3).prefix(32)))))
        }
        return fields
    }
}
