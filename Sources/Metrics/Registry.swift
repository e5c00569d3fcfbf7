// SPDX-License-Identifier: MIT

internal import Platform

/// All metrics of a process, in the order of their registration.
///
/// Registration happens at start; a name twice, or a bad name, is a mistake of ours and traps.
/// Note on threads: the list is under a mutex, held while it is copied; a page is made without it.
package final class Registry: Sendable {
    private struct Entry {
        let names: [String]
        let render: @Sendable (ExpositionFormat, inout [UInt8]) -> Void
    }

    private let entries = Lock<[Entry]>([])

    /// Makes an empty registry.
    package init() {}

    /// Registers counters that differ in label values.
    package func counters(
        _ name: String,
        help: String,
        labels: [String],
        slots: Int = 1,
        childCountMax: Int = 64
    ) -> Family<Counter> {
        register(
            name,
            Family(name, help: help, labelNames: labels, childCountMax: childCountMax) {
                Counter(slots: slots)
            }
        )
    }

    /// Registers gauges that differ in label values.
    package func gauges(
        _ name: String,
        help: String,
        labels: [String],
        slots: Int = 1,
        childCountMax: Int = 64
    ) -> Family<Gauge> {
        register(
            name,
            Family(name, help: help, labelNames: labels, childCountMax: childCountMax) {
                Gauge(slots: slots)
            }
        )
    }

    /// Registers histograms that differ in label values and share their bounds.
    package func histograms(
        _ name: String,
        help: String,
        labels: [String],
        bounds: [Double],
        slots: Int = 1,
        childCountMax: Int = 64,
        keepsExemplars: Bool = false
    ) -> Family<Histogram> {
        register(
            name,
            Family(name, help: help, labelNames: labels, childCountMax: childCountMax) {
                Histogram(bounds: bounds, slots: slots, keepsExemplars: keepsExemplars)
            }
        )
    }

    /// Registers a counter without labels.
    package func counter(_ name: String, help: String, slots: Int = 1) -> Counter {
        counters(name, help: help, labels: [], slots: slots).child()
    }

    /// Registers a gauge without labels.
    package func gauge(_ name: String, help: String, slots: Int = 1) -> Gauge {
        gauges(name, help: help, labels: [], slots: slots).child()
    }

    /// Registers a histogram without labels.
    package func histogram(
        _ name: String,
        help: String,
        bounds: [Double],
        slots: Int = 1
    ) -> Histogram {
        histograms(name, help: help, labels: [], bounds: bounds, slots: slots).child()
    }

    /// Registers metrics whose values are read at each scrape, on the thread that makes the page;
    /// `source` is called once for all of them.
    package func derived<Source: Sendable>(
        from source: @escaping @Sendable () -> Source,
        _ metrics: [DerivedMetric<Source>]
    ) {
        register(metrics.map(\.name)) { format, output in
            let values = source()
            for metric in metrics { metric.render(values, format, into: &output) }
        }
    }

    /// Registers a value that is read at each scrape.
    package func function(
        _ name: String,
        help: String,
        kind: DerivedKind = .gauge,
        read: @escaping @Sendable () -> Double
    ) {
        derived(from: {}, [DerivedMetric(name, help: help, kind: kind) { _ in read() }])
    }

    /// Registers values that are read at each scrape: `read` calls its argument once per sample,
    /// with the label values and the value, never twice with the same ones.
    package func functions(
        _ name: String,
        help: String,
        kind: DerivedKind = .gauge,
        labels: [String],
        read: @escaping @Sendable (_ emit: DerivedMetric<Void>.Emit) -> Void
    ) {
        derived(
            from: {},
            [DerivedMetric(name, help: help, kind: kind, labels: labels) { _, emit in read(emit) }]
        )
    }

    /// Appends the page.
    package func render(_ format: ExpositionFormat = .text, into output: inout [UInt8]) {
        for entry in entries.withLock({ $0 }) { entry.render(format, &output) }
        if format == .openMetrics { output.append(contentsOf: "# EOF\n".utf8) }
    }

    private func register<Child>(_ name: String, _ family: Family<Child>) -> Family<Child> {
        register([name]) { format, output in family.render(format, into: &output) }
        return family
    }

    private func register(
        _ names: [String],
        render: @escaping @Sendable (ExpositionFormat, inout [UInt8]) -> Void
    ) {
        entries.withLock { entries in
            var known = Set(entries.flatMap(\.names))
            for name in names {
                precondition(known.insert(name).inserted, "\(name) is registered twice")
            }
            entries.append(Entry(names: names, render: render))
        }
    }
}
