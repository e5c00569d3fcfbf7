// SPDX-License-Identifier: MIT

/// How a page of metrics is written.
///
/// Samples are the same in both; the lines around them differ.
package enum ExpositionFormat: Sendable, CaseIterable {
    /// Prometheus' text format, version 0.0.4.
    case text
    /// OpenMetrics, version 1.0: counters are named without `_total`, and the page has an end.
    case openMetrics

    /// The Content-Type of a page.
    package var contentType: String {
        switch self {
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }
}

/// The two lines before the samples of a metric, in each format.
struct MetricHeader: Sendable {
    private let text: [UInt8]
    private let openMetrics: [UInt8]

    init(_ name: String, help: String, kind: String) {
        precondition(TextFormat.isMetricName(name), "\(name) is no metric name")
        let isCounter = kind == Counter.kind
        precondition(name.hasSuffix("_total") == isCounter, "\(name): _total ends counters")
        text = TextFormat.header(name, help, kind, escapesQuotes: false)
        // OpenMetrics 1.0, MetricFamily: the suffix belongs to the sample, not to the family.
        let family = isCounter ? String(name.dropLast("_total".count)) : name
        openMetrics = TextFormat.header(family, help, kind, escapesQuotes: true)
    }

    func append(_ format: ExpositionFormat, to output: inout [UInt8]) {
        switch format {
        case .text: output.append(contentsOf: text)
        case .openMetrics: output.append(contentsOf: openMetrics)
        }
    }
}
