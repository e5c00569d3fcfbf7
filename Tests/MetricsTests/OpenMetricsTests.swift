// SPDX-License-Identifier: MIT

internal import Metrics
internal import Synchronization
internal import Testing

struct OpenMetricsTests {
    private func page(_ registry: Registry, _ format: ExpositionFormat) -> String {
        var bytes: [UInt8] = []
        registry.render(format, into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func namesCountersWithoutTheirSuffixAndEndsThePage() {
        let registry = Registry()
        registry.counter("seen_total", help: "The \"seen\".").add(2)
        let latency = registry.histogram("t_seconds", help: "T.", bounds: [5e-6, 0.5, 10])
        latency.observe(1)
        #expect(
            page(registry, .openMetrics) == #"""
                # HELP seen The \"seen\".
                # TYPE seen counter
                seen_total 2
                # HELP t_seconds T.
                # TYPE t_seconds histogram
                t_seconds_bucket{le="5e-06"} 0
                t_seconds_bucket{le="0.5"} 0
                t_seconds_bucket{le="10.0"} 1
                t_seconds_bucket{le="+Inf"} 1
                t_seconds_sum 1
                t_seconds_count 1
                # EOF

                """#
        )
        #expect(page(registry, .text).hasPrefix("# HELP seen_total The \"seen\".\n"))
        #expect(page(Registry(), .openMetrics) == "# EOF\n")
    }

    @Test func asksASourceOnceForAPage() {
        let calls = Atomic(0)
        let registry = Registry()
        registry.derived(
            from: { calls.add(1, ordering: .relaxed).newValue },
            [
                DerivedMetric("a", help: "A.") { Double($0) },
                DerivedMetric("b_total", help: "B.", kind: .counter) { Double($0) },
                DerivedMetric("c", help: "C.", labels: ["x"]) { source, emit in
                    emit(["1"], Double(source))
                },
                DerivedMetric("d", help: "D.", labels: ["x"]) { _, _ in },
            ]
        )
        let text = page(registry, .text)
        #expect(text.contains("\na 1\n") && text.contains("\nb_total 1\n"))
        #expect(text.hasSuffix("\nc{x=\"1\"} 1\n"))
    }
}
