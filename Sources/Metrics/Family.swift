// SPDX-License-Identifier: MIT

internal import Platform

/// The metrics of one name that differ in the values of their labels.
///
/// Note on threads: the children are under a mutex, held for a look-up or while they are listed
/// for a page. The caller keeps the child that it updates, so updates never come here.
package final class Family<Child: Metric>: Sendable {
    /// What every label value becomes for combinations beyond the limit.
    package static var overflowValue: String { "other" }

    private struct Entry {
        let values: [String]
        let prefixes: [[UInt8]]
        let child: Child
    }

    private let name: [UInt8]
    private let header: MetricHeader
    private let labelNames: [String]
    private let childCountMax: Int
    private let make: @Sendable () -> Child
    private let entries = Lock<[Entry]>([])

    init(
        _ name: String,
        help: String,
        labelNames: [String],
        childCountMax: Int,
        make: @escaping @Sendable () -> Child
    ) {
        precondition(labelNames.allSatisfy(TextFormat.isLabelName), "\(labelNames): a bad name")
        precondition(Set(labelNames).count == labelNames.count, "a label twice")
        precondition(Child.kind != Histogram.kind || !labelNames.contains("le"), "le is taken")
        precondition(childCountMax > 0)
        self.name = Array(name.utf8)
        self.labelNames = labelNames
        self.childCountMax = childCountMax
        self.make = make
        header = MetricHeader(name, help: help, kind: Child.kind)
    }

    /// The metric for these label values, in the order of the label names; made at first use.
    ///
    /// Once there are as many as the limit allows, all new combinations share one more metric
    /// whose label values are ``overflowValue``: nothing is lost and the page stays bounded.
    package func child(_ values: [String] = []) -> Child {
        precondition(values.count == labelNames.count, "one value per label")
        return entries.withLock { entries in
            if let entry = entries.first(where: { $0.values == values }) { return entry.child }
            var kept = values
            if entries.count >= childCountMax {
                kept = labelNames.map { _ in Self.overflowValue }
                if let entry = entries.first(where: { $0.values == kept }) { return entry.child }
            }
            let child = make()
            let prefixes = child.prefixes(name, TextFormat.labels(labelNames, kept))
            entries.append(Entry(values: kept, prefixes: prefixes, child: child))
            return child
        }
    }

    /// Drops the metric for these label values from the page, say those of a retired version.
    package func remove(_ values: [String]) {
        entries.withLock { entries in entries.removeAll { $0.values == values } }
    }

    /// Appends header and samples, or nothing where there are no children.
    func render(_ format: ExpositionFormat, into output: inout [UInt8]) {
        let entries = entries.withLock { $0 }
        if entries.isEmpty { return }
        header.append(format, to: &output)
        for entry in entries { entry.child.render(entry.prefixes, format, into: &output) }
    }
}
