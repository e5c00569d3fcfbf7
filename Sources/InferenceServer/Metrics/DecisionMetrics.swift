// SPDX-License-Identifier: MIT

internal import Metrics

/// The metrics of the decision log.
enum DecisionMetrics {
    static func register(_ decisions: DecisionLog?, in registry: Registry) {
        registry.function(
            "decisions_logged_total",
            help: "Predictions that the decision log has taken.",
            kind: .counter
        ) { Double(decisions?.writtenCount ?? 0) }
        registry.function(
            "decisions_dropped_total",
            help: "Predictions that found no room in the decision log.",
            kind: .counter
        ) { Double(decisions?.droppedCount ?? 0) }
        registry.function("decision_log_bytes", help: "Bytes of the decision log's files.") {
            Double(decisions?.byteCount ?? 0)
        }
    }
}
