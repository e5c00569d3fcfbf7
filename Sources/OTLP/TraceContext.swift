// SPDX-License-Identifier: MIT

/// A span's place in its trace, as W3C Trace Context has it.
package struct TraceContext: Sendable, Equatable {
    /// 32 hexadecimal digits.
    package let traceID: String
    /// 16 hexadecimal digits.
    package let spanID: String
    /// The span above; nil for the first of a trace.
    package let parentSpanID: String?

    /// Names the place.
    package init(traceID: String, spanID: String, parentSpanID: String?) {
        self.traceID = traceID
        self.spanID = spanID
        self.parentSpanID = parentSpanID
    }

    /// Begins a trace.
    package init() {
        self.init(
            traceID: Self.randomDigits(words: 2),
            spanID: Self.randomDigits(words: 1),
            parentSpanID: nil
        )
    }

    /// Goes on with the trace of a `traceparent`; nil where the text is none.
    package init?(traceparent: String) {
        // W3C Trace Context §3.2: `<2 hex>-<32 hex>-<16 hex>-<2 hex>`, version ff is none and ids
        // of zeros are none.
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [2, 32, 16, 2], parts[0] != "ff",
            parts.allSatisfy({ $0.utf8.allSatisfy(Self.isLowerHex) }),
            !parts[1].utf8.allSatisfy({ $0 == UInt8(ascii: "0") }),
            !parts[2].utf8.allSatisfy({ $0 == UInt8(ascii: "0") })
        else { return nil }
        self.init(
            traceID: String(parts[1]),
            spanID: Self.randomDigits(words: 1),
            parentSpanID: String(parts[2])
        )
    }

    /// What a request carries so that its server goes on with the trace, which is sampled.
    package var traceparent: String { "00-\(traceID)-\(spanID)-01" }

    /// A place under this one.
    package func child() -> TraceContext {
        TraceContext(
            traceID: traceID,
            spanID: Self.randomDigits(words: 1),
            parentSpanID: spanID
        )
    }

    /// Random hexadecimal digits, sixteen a word.
    package static func randomDigits(words: Int) -> String {
        (0..<words).map { _ in
            let digits = String(UInt64.random(in: 1 ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }.joined()
    }

    private static func isLowerHex(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || byte &- UInt8(ascii: "a") < 6
    }
}
