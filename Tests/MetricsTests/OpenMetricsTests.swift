// SPDX-License-Identifier: MIT

internal import Dispatch
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

    @Test func showsTheNewestExemplarOfABucket() {
        let registry = Registry()
        let family = registry.histograms(
            "t_seconds",
            help: "T.",
            labels: [],
            bounds: [0.001, 0.01],
            slots: 2,
            keepsExemplars: true
        )
        let latency = family.child()
        for (slot, value, time) in [(0, 0.002, 5), (1, 0.003, 7), (0, 0.01, 6)] {
            latency.observe(value, slot: slot)
            latency.keep(
                Exemplar(traceID: UInt128(slot + 1), value: value, time: Int64(time) * 1_234_567),
                slot: slot
            )
        }
        latency.observe(.infinity)
        #expect(
            page(registry, .openMetrics).hasSuffix(
                #"""
                t_seconds_bucket{le="0.001"} 0
                t_seconds_bucket{le="0.01"} 3 # {trace_id="00000000000000000000000000000002"} \#
                0.003 8.641
                t_seconds_bucket{le="+Inf"} 4
                t_seconds_sum +Inf
                t_seconds_count 4
                # EOF

                """#
            )
        )
        #expect(!page(registry, .text).contains("trace_id"))
    }

    @Test func keepsNoExemplarsUnlessTheyAreWanted() {
        let registry = Registry()
        let plain = registry.histogram("t_seconds", help: "T.", bounds: [1])
        plain.keep(Exemplar(traceID: 1, value: 0.5, time: 0))
        #expect(!page(registry, .openMetrics).contains("trace_id"))
    }

    /// Whoever reads while others write sees one that was written, or none.
    @Test func exemplarsAreNeverMixed() {
        let registry = Registry()
        let family = registry.histograms(
            "t_seconds",
            help: "T.",
            labels: [],
            bounds: [1],
            keepsExemplars: true
        )
        let latency = family.child()
        let strange = Atomic(0)
        let seen = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: 3) { number in
            for round in 1...2000 {
                if number < 2 {
                    let id = UInt128(round) << 64 | UInt128(round)
                    latency.keep(Exemplar(traceID: id, value: 0.5, time: Int64(round) * 1000))
                    continue
                }
                for line in page(registry, .openMetrics).split(separator: "\n") {
                    let mark = "trace_id=\""
                    guard let start = line.firstRange(of: mark)?.upperBound else { continue }
                    seen.add(1, ordering: .relaxed)
                    let id = line[start...].prefix(32)
                    let written = Int(id.prefix(16), radix: 16) ?? 0
                    let end = "\(written / 1000).\(String(written % 1000 + 1000).dropFirst())"
                    if id.prefix(16) != id.suffix(16) || !line.hasSuffix(" 0.5 \(end)") {
                        strange.add(1, ordering: .relaxed)
                    }
                }
            }
        }
        #expect(strange.load(ordering: .relaxed) == 0)
        #expect(seen.load(ordering: .relaxed) > 0)
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
