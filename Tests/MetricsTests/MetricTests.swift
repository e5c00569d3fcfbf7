// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Metrics
internal import Testing

struct MetricTests {
    @Test func addsUpSlots() {
        let counter = Counter(slots: 3)
        counter.add(slot: 0)
        counter.add(5, slot: 2)
        #expect(counter.value == 6)
        let gauge = Gauge(slots: 2)
        gauge.set(2.5, slot: 0)
        gauge.add(-1, slot: 1)
        #expect(gauge.value == 1.5)
        gauge.set(0, slot: 0)
        #expect(gauge.value == -1)
        let histogram = Histogram(bounds: [1, 2], slots: 2)
        histogram.observe(1, slot: 0)
        histogram.observe(2, slot: 1)
        histogram.observe(3, slot: 1)
        #expect(histogram.counts == [1, 1, 1])
        #expect(histogram.sum == 6)
    }

    @Test func losesNoUpdateOfConcurrentWriters() {
        let counter = Counter()
        let gauge = Gauge()
        let histogram = Histogram(bounds: [0.5])
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for _ in 0..<5000 {
                counter.add()
                gauge.add(0.5)
                histogram.observe(1)
            }
        }
        #expect(counter.value == 20_000)
        #expect(gauge.value == 10_000)
        #expect(histogram.counts == [0, 20_000])
        #expect(histogram.sum == 20_000)
    }

    @Test func takesAsManyBoundsAsTheLimit() async {
        let bounds = (1...Histogram.boundCountMax).map(Double.init)
        let histogram = Histogram(bounds: bounds)
        histogram.observe(31)
        histogram.observe(32)
        #expect(histogram.counts.suffix(2) == [1, 1])
        await #expect(processExitsWith: .failure) {
            _ = Histogram(bounds: (0...Histogram.boundCountMax).map(Double.init))
        }
    }
}

struct FamilyTests {
    private func page(_ registry: Registry) -> [Substring] {
        var bytes: [UInt8] = []
        registry.render(into: &bytes)
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").filter {
            !$0.hasPrefix("#")
        }
    }

    @Test func givesOneChildPerLabelValues() {
        let registry = Registry()
        let family = registry.counters("a_total", help: "A.", labels: ["x", "y"])
        family.child(["1", "2"]).add()
        family.child(["1", "2"]).add()
        family.child(["2", "1"]).add()
        #expect(page(registry) == ["a_total{x=\"1\",y=\"2\"} 2", "a_total{x=\"2\",y=\"1\"} 1"])
    }

    @Test func gathersWhatIsBeyondTheLimit() {
        let registry = Registry()
        let family = registry.counters("a_total", help: "A.", labels: ["x"], childCountMax: 2)
        for value in ["1", "2", "3", "4", "2"] { family.child([value]).add() }
        #expect(
            page(registry) == [
                "a_total{x=\"1\"} 1", "a_total{x=\"2\"} 2", "a_total{x=\"other\"} 2",
            ]
        )
    }

    @Test func dropsRetiredChildrenAndTakesNewOnes() {
        let registry = Registry()
        let family = registry.counters("a_total", help: "A.", labels: ["x"], childCountMax: 1)
        family.child(["1"]).add()
        family.remove(["1"])
        family.remove(["never there"])
        #expect(page(registry) == [])
        family.child(["2"]).add()
        #expect(page(registry) == ["a_total{x=\"2\"} 1"])
    }
}
