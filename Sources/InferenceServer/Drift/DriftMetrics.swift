// SPDX-License-Identifier: MIT

internal import Drift
internal import Metrics

/// The metrics of drift and of the sensors; none before the first window has ended.
enum DriftMetrics {
    private typealias Metric = DerivedMetric<DriftStanding>

    /// Features with series of their own; `/drift` has all.
    private static let featureCountMax = 256

    static func register(_ monitor: DriftMonitor, in registry: Registry) {
        // The monitor reads these metrics: what they hold of it must not keep it.
        registry.derived(from: { [weak monitor] in monitor?.standing ?? DriftStanding() }, all)
    }

    private static let all: [Metric] = [
        Metric(
            "drift_raised",
            help: "1 while drift is raised, else 0."
        ) { $0.state == .drift ? 1 : 0 },
        Metric(
            "drift_windows_compared",
            help: "Windows compared with the reference since the model came into service."
        ) { Double($0.windowCount) },
        Metric(
            "drift_window_end_timestamp_seconds",
            help: "When the last window ended, seconds since the epoch; 0 before the first."
        ) { Double($0.window?.end ?? 0) / 1e6 },
        Metric(
            "drift_window_readings",
            help: "Readings of the last window."
        ) { Double($0.window?.counts.readings ?? 0) },
        Metric(
            "drift_feature_share_ratio",
            help: "Share of the features with a say that drifted in the last window."
        ) { $0.verdict?.share ?? 0 },
        Metric(
            "drift_score_distance_ratio",
            help: "Kolmogorov-Smirnov distance of the scores from those of the training rows."
        ) { $0.verdict?.score.distance ?? 0 },
        feature(
            "drift_feature_distance_ratio",
            "Kolmogorov-Smirnov distance of a feature from the reference, in the last window."
        ) { $0.distance },
        feature(
            "drift_feature_stability_index",
            "Population stability index of a feature, in the last window."
        ) { $0.stabilityIndex },
        feature(
            "drift_feature_drifted",
            "1 where a feature drifted in the last window, else 0."
        ) { $0.drifts ? 1 : 0 },
        Metric(
            "sensor_quality_ratio",
            help: "Share of a sensor's values in the last window in which something was noticed.",
            labels: ["sensor", "flag"]
        ) { standing, emit in
            for sensor in standing.sensors {
                emit([sensor.name, "missing"], sensor.missing)
                emit([sensor.name, "out_of_range"], sensor.outOfRange)
                emit([sensor.name, "stuck"], sensor.stuck)
            }
        },
        Metric(
            "sensor_fault",
            help: "1 where a sensor counted as broken in the last window, else 0.",
            labels: ["sensor", "kind"]
        ) { standing, emit in
            for sensor in standing.sensors {
                for kind in [SensorFault.Kind.missing, .outOfRange, .stuck] {
                    emit([sensor.name, kind.rawValue], sensor.faults.contains(kind) ? 1 : 0)
                }
            }
        },
    ]

    private static func feature(
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (LiveDrift) -> Double
    ) -> Metric {
        Metric(name, help: help, labels: ["feature"]) { standing, emit in
            for feature in standing.verdict?.features.prefix(featureCountMax) ?? [] {
                emit([feature.column.name], value(feature))
            }
        }
    }
}
