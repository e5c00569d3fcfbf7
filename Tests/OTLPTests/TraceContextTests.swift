// SPDX-License-Identifier: MIT

import OTLP
import Testing

@Suite struct TraceContextTests {
    private static let traceID = "0af7651916cd43dd8448eb211c80319c"
    private static let spanID = "b7ad6b7169203331"

    @Test func goesOnWithATrace() throws {
        let text = "00-\(Self.traceID)-\(Self.spanID)-01"
        let context = try #require(TraceContext(traceparent: text))
        #expect(context.traceID == Self.traceID)
        #expect(context.parentSpanID == Self.spanID)
        #expect(context.spanID != Self.spanID)
        #expect(context.traceparent == "00-\(Self.traceID)-\(context.spanID)-01")
        let child = context.child()
        #expect(child.traceID == Self.traceID && child.parentSpanID == context.spanID)
        #expect(TraceContext(traceparent: child.traceparent)?.parentSpanID == child.spanID)
    }

    @Test(arguments: [
        "", "00", "00-\(traceID)-\(spanID)", "ff-\(traceID)-\(spanID)-01",
        "00-00000000000000000000000000000000-\(spanID)-01", "00-\(traceID)-0000000000000000-01",
        "00-\(traceID.uppercased())-\(spanID)-01", "00-\(traceID)-\(spanID)-01-", " ",
        "00-\(traceID.dropLast())-\(spanID)0-01",
    ])
    func refusesWhatIsNone(text: String) {
        #expect(TraceContext(traceparent: text) == nil)
    }

    @Test func beginsTracesThatDiffer() {
        let contexts = (0..<100).map { _ in TraceContext() }
        #expect(Set(contexts.map(\.traceID)).count == 100)
        for context in contexts {
            #expect(context.traceID.utf8.count == 32 && context.spanID.utf8.count == 16)
            #expect(context.parentSpanID == nil)
            #expect(TraceContext(traceparent: context.traceparent) != nil)
        }
    }
}
