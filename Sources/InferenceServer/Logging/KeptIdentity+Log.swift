// SPDX-License-Identifier: MIT

internal import HTTPServer

extension KeptIdentity {
    /// What every line about a request begins with.
    var logFields: [(name: String, value: LogValue)] {
        var fields: [(name: String, value: LogValue)] = [("request_id", .string(requestID))]
        if let traceID { fields.append(("trace_id", .string(traceID))) }
        return fields
    }
}
