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
    /// What stands before each label's value, and behind the last: the value's space too.
    private let pieces: [[UInt8]]
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
        let starts = labels.enumerated().map { place, label in
            place == 0 ? "\(name){\(label)=\"" : "\",\(label)=\""
        }
        let texts = starts + [labels.isEmpty ? "\(name) " : "\"} "]
        pieces = texts.map { Array($0.utf8) }
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
            precondition(values.count == pieces.count - 1, "one value per label")
            for place in values.indices {
                output.append(contentsOf: pieces[place])
                let text = TextFormat.prefix(of: values[place])
                TextFormat.appendEscaped(text, to: &output, quotes: true)
            }
            output.append(contentsOf: pieces[values.count])
            TextFormat.appendValue(value, to: &output)
        }
        if output.count == samples { output.removeLast(samples - start) }
    }
}
