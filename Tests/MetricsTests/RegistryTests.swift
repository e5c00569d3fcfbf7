// SPDX-License-Identifier: MIT

internal import Metrics
internal import Testing

struct RegistryTests {
    private func page(_ registry: Registry) -> String {
        var bytes: [UInt8] = []
        registry.render(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func rendersNothingOfNothing() {
        let registry = Registry()
        _ = registry.counters("x_total", help: "X.", labels: ["a"])
        registry.functions("y", help: "Y.", labels: ["a"]) { _ in }
        #expect(page(registry) == "")
    }

    @Test func rendersCountersGaugesAndFunctionsInTheirOrder() {
        let registry = Registry()
        let predictions = registry.counters(
            "predictions_total",
            help: "Predictions.",
            labels: ["model_version", "prediction"]
        )
        predictions.child(["20260301_120000", "1"]).add(3)
        predictions.child(["20260301_120000", "0"]).add()
        registry.gauge("service_health_status", help: "1 is healthy.").set(1)
        registry.function("up_seconds", help: "Up.") { 0.25 }
        registry.functions("seen_total", help: "Seen.", kind: .counter, labels: ["code"]) { emit in
            emit(["200"], 7)
            emit(["404"], 1e16)
        }
        #expect(
            page(registry) == """
                # HELP predictions_total Predictions.
                # TYPE predictions_total counter
                predictions_total{model_version="20260301_120000",prediction="1"} 3
                predictions_total{model_version="20260301_120000",prediction="0"} 1
                # HELP service_health_status 1 is healthy.
                # TYPE service_health_status gauge
                service_health_status 1
                # HELP up_seconds Up.
                # TYPE up_seconds gauge
                up_seconds 0.25
                # HELP seen_total Seen.
                # TYPE seen_total counter
                seen_total{code="200"} 7
                seen_total{code="404"} 1e+16

                """
        )
    }

    @Test func rendersCumulativeBuckets() {
        let registry = Registry()
        let latency = registry.histogram("t_seconds", help: "T.", bounds: [0.125, 0.5, 10])
        for value in [0.125, 0.25, 0.5, 11, -1] { latency.observe(value) }
        latency.observe(.nan)
        #expect(
            page(registry) == """
                # HELP t_seconds T.
                # TYPE t_seconds histogram
                t_seconds_bucket{le="0.125"} 2
                t_seconds_bucket{le="0.5"} 4
                t_seconds_bucket{le="10.0"} 4
                t_seconds_bucket{le="+Inf"} 5
                t_seconds_sum 10.875
                t_seconds_count 5

                """
        )
        #expect(latency.counts == [2, 2, 0, 1])
    }

    @Test func putsOtherLabelsBeforeTheBound() {
        let registry = Registry()
        let family = registry.histograms("c", help: "C.", labels: ["m"], bounds: [1])
        family.child(["a"]).observe(.infinity)
        let text = page(registry)
        #expect(text.contains("c_bucket{m=\"a\",le=\"1.0\"} 0\nc_bucket{m=\"a\",le=\"+Inf\"} 1\n"))
        #expect(text.contains("c_sum{m=\"a\"} +Inf\nc_count{m=\"a\"} 1\n"))
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (.nan, "NaN"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (9_007_199_254_740_991, "9007199254740991"),
            (1e300, "1e+300"), (1e-7, "1e-07"),
        ] as [(Double, String)]
    )
    func spellsValues(_ value: Double, _ spelling: String) {
        let registry = Registry()
        registry.function("v", help: "V.") { value }
        #expect(page(registry).hasSuffix("\nv \(spelling)\n"))
    }

    @Test func escapesLabelValuesAndHelp() {
        let registry = Registry()
        let family = registry.gauges("g", help: "a\\b\n\"c\"", labels: ["x"])
        family.child(["back\\slash \"quote\" line\nfeed é"]).set(1)
        #expect(
            page(registry) == #"""
                # HELP g a\\b\n"c"
                # TYPE g gauge
                g{x="back\\slash \"quote\" line\nfeed é"} 1

                """#
        )
    }

    @Test(arguments: [(128, 128), (129, 128)])
    func cutsLongLabelValues(_ count: Int, _ kept: Int) {
        let registry = Registry()
        let value = String(repeating: "x", count: count)
        registry.gauges("g", help: "G.", labels: ["x"]).child([value]).set(0)
        #expect(page(registry).hasSuffix("g{x=\"\(String(repeating: "x", count: kept))\"} 0\n"))
    }

    @Test func cutsBetweenScalars() {
        let registry = Registry()
        let value = "x" + String(repeating: "é", count: 64)
        registry.gauges("g", help: "G.", labels: ["x"]).child([value]).set(0)
        #expect(page(registry).hasSuffix("g{x=\"x\(String(repeating: "é", count: 63))\"} 0\n"))
    }

    @Test func trapsOnBadRegistrations() async {
        await #expect(processExitsWith: .failure) { _ = Registry().gauge("1x", help: "") }
        await #expect(processExitsWith: .failure) { _ = Registry().gauge("a-b", help: "") }
        await #expect(processExitsWith: .failure) {
            _ = Registry().counters("a_total", help: "", labels: ["__x"])
        }
        await #expect(processExitsWith: .failure) {
            _ = Registry().histograms("a", help: "", labels: ["le"], bounds: [1])
        }
        await #expect(processExitsWith: .failure) {
            let registry = Registry()
            _ = registry.gauge("a", help: "")
            registry.function("a", help: "") { 0 }
        }
        await #expect(processExitsWith: .failure) { _ = Registry().counter("a", help: "") }
        await #expect(processExitsWith: .failure) { _ = Registry().gauge("a_total", help: "") }
        await #expect(processExitsWith: .failure) { _ = Histogram(bounds: [2, 1]) }
        await #expect(processExitsWith: .failure) { _ = Histogram(bounds: [1, .infinity]) }
    }

    @Test func takesNamesWithColonsAndDigits() {
        let registry = Registry()
        _ = registry.gauges("a:b_9", help: "", labels: ["_x9"])
        _ = registry.gauge("_a", help: "")
        #expect(page(registry).contains("_a 0"))
    }
}
