// SPDX-License-Identifier: MIT

internal import Features
internal import Metrics

/// The metrics of the machines' windows.
enum StateMetrics {
    private typealias Metric = DerivedMetric<StateCounts>

    static func register(_ models: ModelStore, _ keeper: StateKeeper, in registry: Registry) {
        registry.derived(from: { models.current?.state?.counts() ?? .none }, counts)
        registry.function("state_machines_max", help: "Machines whose windows may be kept.") {
            Double(models.current?.state?.limits.machinesMax ?? 0)
        }
        registry.function(
            "state_sync_lag_seconds",
            help: "Age of the last moment from which all state is on the disk."
        ) { keeper.syncLagSeconds }
    }

    private static let counts: [Metric] = [
        Metric("state_machines", help: "Machines whose windows are kept.") { Double($0.machines) },
        Metric("state_bytes", help: "Memory or file of all machines' windows.") {
            Double($0.byteCount)
        },
        Metric(
            "state_evictions_total",
            help: "Machines forgotten because they were idle and room was needed.",
            kind: .counter
        ) { Double($0.evictions) },
        Metric(
            "state_torn_total",
            help: "Torn records and panes that were found and dropped.",
            kind: .counter
        ) { Double($0.torn) },
        Metric(
            "state_memory_only",
            help: "Machines kept in memory only because the state's disk is full."
        ) { Double($0.memoryOnly) },
    ]
}
