// SPDX-License-Identifier: MIT

internal import Drift

/// What is known of drift and of the sensors, for `/drift` and the metrics.
struct DriftStanding: Sendable {
    /// Whether the world is as it was when the model learned.
    enum State: String, CaseIterable, Sendable {
        /// No window has been compared yet.
        case warming
        case stable
        case drift
    }

    /// A window that has ended.
    struct Window: Sendable {
        /// Microseconds since the epoch.
        var start: Int64
        var end: Int64
        var counts: ReadingCounts
        /// Readings that were compared.
        var comparedCount: Int
        /// Machines that sent them, about.
        var machineCount: Int
    }

    /// The model whose readings are compared; nil where none is.
    var model: ServedModel?
    var state = State.warming
    /// Windows that were compared since the model came into service.
    var windowCount = 0
    /// The last window that had readings enough.
    var window: Window?
    /// What it came to; nil where it had rows of too few machines.
    var verdict: WindowVerdict?
    /// The sensors in that window.
    var sensors: [SensorQuality] = []
    /// When the window that is gathered began, microseconds since the epoch.
    var gatheredSince: Int64 = 0
    /// Readings in it by now.
    var gatheredCount = 0

    /// The names of the features that drift.
    var driftedFeatures: [String] {
        verdict?.features.filter(\.drifts).map(\.column.name) ?? []
    }
}
