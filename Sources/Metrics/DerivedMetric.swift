// SPDX-License-Identifier: MIT

/// What a value that is read at scrape time means.
package enum DerivedKind: String, Sendable {
    /// Goes up and down.
    case gauge
    /// Only grows.
    case counter
}

/// A metric whose values are found in a source when a page is made.
package struct DerivedMetric<Source: Sendable>: Sendable {
    /// Writes one sample: the values of the labels, in their order, and the value.
    package typealias Emit = (_ labels: [String], _ value: Double) -> Void

    let name: String
    private let header: MetricHeader
    private let nameBytes: [UInt8]
    private let labels: [String]
    private let read: @Sendable (Source, Emit) -> Void

    /// Describes a metric with labels; `read` emits each combination of label values once at most.
    package init(
        _ name: String,
        help: String,
        kind: DerivedKind = .gauge,
        labels: [String],
        read: @escaping @Sendable (Source, Emit) -> Void
    ) {
        precondition(labels.allSatisfy(TextFormat.isLabelName), "\(labels): a bad name")
        self.name = name
        header = MetricHeader(name, help: help, kind: kind.rawValue)
        nameBytes = Array(name.utf8)
        self.labels = labels
        self.read = read
    }

    /// Describes a metric without labels.
    package init(
        _ name: String,
        help: String,
        kind: DerivedKind = .gauge,
        value: @escaping @Sendable (Source) -> Double
    ) {
        self.init(name, help: help, kind: kind, labels: []) { source, emit in
            emit([], value(source))
        }
    }

    /// Appends header and samples, or nothing where there are no samples.
    func render(_ source: Source, _ format: ExpositionFormat, into output: inout [UInt8]) {
        let start = output.count
        header.append(format, to: &output)
        let samples = output.count
        read(source) { values, value in
            TextFormat.appendSeries(nameBytes, TextFormat.labels(labels, values), to: &output)
            TextFormat.appendValue(value, to: &output)
        }
        if output.count == samples { output.removeLast(samples - start) }
    }
}
