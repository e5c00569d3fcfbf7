// SPDX-License-Identifier: MIT

internal import JSON

/// What a collector says it has not taken of a request that it answered 200: `partialSuccess` of
/// OTLP 1.0.
package struct OTLPRefusal: Equatable, Sendable {
    /// Spans or records of the log.
    package let count: Int
    /// The collector's reason, at most 200 characters of it.
    package let reason: String

    /// Nil where an answer's body says that all was taken, or nothing that can be read.
    package init?(answer body: [UInt8]) {
        guard let answer = try? JSONValue.parse(body), let partial = answer["partialSuccess"] else {
            return nil
        }
        let value = partial["rejectedSpans"] ?? partial["rejectedLogRecords"]
        // 64-bit numbers are strings in the JSON of protobuf, and numbers are taken too.
        let count: Int? =
            switch value {
            case .string(let text)?: Int(text)
            case .number(let number)?: Int(exactly: number)
            default: nil
            }
        guard let count, count > 0 else { return nil }
        self.count = count
        var reason = "\(count) rejected"
        if case .string(let message)? = partial["errorMessage"], !message.isEmpty {
            reason += ": \(message.prefix(200))"
        }
        self.reason = reason
    }
}
