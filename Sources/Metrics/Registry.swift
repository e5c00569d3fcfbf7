// SPDX-License-Identifier: MIT

internal import Synchronization

/// All metrics of a process, in the order of their registration.
///
/// Registration happens at start; a name twice, or a bad name, is a mistake of ours and traps.
/// Note on threads: the list is under a mutex, held while it is copied; a page is made without it.
package final class Registry: Sendable {
    /// What a value that is read at scrape time means.
    package enum FunctionKind: String, Sendable {
        /// Goes up and down.
        case gauge
        /// Only grows.
        case counter
    }

    private struct Entry {
        let name: String
        let render: @Sendable (inout [UInt8]) -> Void
    }

    private let entries = Mutex<[Entry]>([])

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
        childCountMax: Int = 64
    ) -> Family<Histogram> {
        register(
            name,
            Family(name, help: help, labelNames: labels, childCountMax: childCountMax) {
                Histogram(bounds: bounds, slots: slots)
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

    /// Registers a value that is read at each scrape, on the thread that makes the page.
    package func function(
        _ name: String,
        help: String,
        kind: FunctionKind = .gauge,
        read: @escaping @Sendable () -> Double
    ) {
        functions(name, help: help, kind: kind, labels: []) { emit in emit([], read()) }
    }

    /// Registers values that are read at each scrape: `read` calls its argument once per sample,
    /// with the label values and the value, never twice with the same ones.
    package func functions(
        _ name: String,
        help: String,
        kind: FunctionKind = .gauge,
        labels: [String],
        read: @escaping @Sendable (_ emit: (_ values: [String], _ value: Double) -> Void) -> Void
    ) {
        precondition(TextFormat.isMetricName(name), "\(name) is no metric name")
        precondition(labels.allSatisfy(TextFormat.isLabelName), "\(labels): a bad name")
        let header = TextFormat.header(name, help, kind.rawValue)
        let nameBytes = Array(name.utf8)
        register(name) { output in
            var samples: [UInt8] = []
            read { values, value in
                TextFormat.appendSeries(nameBytes, TextFormat.labels(labels, values), to: &samples)
                TextFormat.appendValue(value, to: &samples)
            }
            if samples.isEmpty { return }
            output.append(contentsOf: header)
            output.append(contentsOf: samples)
        }
    }

    /// Appends the page: Prometheus' text format, version 0.0.4.
    package func render(into output: inout [UInt8]) {
        for entry in entries.withLock({ $0 }) { entry.render(&output) }
    }

    /// The Content-Type of the page.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private func register<Child>(_ name: String, _ family: Family<Child>) -> Family<Child> {
        register(name) { output in family.render(into: &output) }
        return family
    }

    private func register(_ name: String, render: @escaping @Sendable (inout [UInt8]) -> Void) {
        entries.withLock { entries in
            precondition(!entries.contains { $0.name == name }, "\(name) is registered twice")
            entries.append(Entry(name: name, render: render))
        }
    }
}
