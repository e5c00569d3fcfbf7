// SPDX-License-Identifier: MIT

internal import Metrics

/// The metrics of what goes to a collector.
enum TelemetryMetrics {
    static func register(_ telemetry: Telemetry?, in registry: Registry) {
        registry.function(
            "telemetry_sent_total",
            help: "Spans and events that a collector has taken.",
            kind: .counter
        ) { Double(telemetry?.sentCount ?? 0) }
        registry.function(
            "telemetry_dropped_total",
            help: "Spans and events that found no room or no collector.",
            kind: .counter
        ) { Double(telemetry?.droppedCount ?? 0) }
    }
}
