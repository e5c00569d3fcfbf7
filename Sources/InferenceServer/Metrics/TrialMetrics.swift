// SPDX-License-Identifier: MIT

internal import Metrics
internal import ModelRuntime

/// The metrics of a model that computes beside the one in service; without one there are none.
enum TrialMetrics {
    /// A trial, its two versions, and what was counted of both.
    private struct Source: Sendable {
        let role: Trial.Role
        let version: String
        let other: String
        let comparison: TrialComparison
    }

    private typealias Metric = DerivedMetric<Source?>

    static func register(_ models: ModelStore, in registry: Registry) {
        registry.derived(from: { source(models) }, metrics)
        registry.function(
            "models_quarantined",
            help: "Versions that are not taken because of what they answered."
        ) { Double(models.quarantine.entries.count) }
    }

    private static func source(_ models: ModelStore) -> Source? {
        guard let served = models.current, let trial = served.trial else { return nil }
        let versions = trial.versions(beside: served)
        return Source(
            role: trial.role,
            version: versions.onTrial,
            other: versions.other,
            comparison: trial.counts.comparison
        )
    }

    private static let metrics: [Metric] = [
        Metric(
            "trial_share",
            help: "Share of the machines that the version on trial answers.",
            labels: ["model_version", "other_version", "mode"]
        ) { source, emit in
            guard let source else { return }
            emit([source.version, source.other, source.role.mode], source.role.share)
        },
        Metric(
            "trial_readings_total",
            help: "Readings that both versions answered, by the risk level of each.",
            kind: .counter,
            labels: ["model_version", "risk_level", "other_risk_level"]
        ) { source, emit in
            guard let source else { return }
            for (place, count) in source.comparison.readings.enumerated() {
                let levels = [RiskLevel.allCases[place / 3], RiskLevel.allCases[place % 3]]
                emit([source.version] + levels.map(\.rawValue), Double(count))
            }
        },
        metric("trial_disagreements_total", "Readings of which the predicted classes differ.") {
            Double($0.disagreements)
        },
        metric(
            "trial_probability_difference_total",
            "Sum of the distances between the two probabilities of a reading."
        ) { $0.difference },
        metric(
            "trial_failures_total",
            "Readings to which the version on trial gave no finite answer."
        ) { Double($0.failures) },
    ]

    private static func metric(
        _ name: String,
        _ help: String,
        _ value: @escaping @Sendable (TrialComparison) -> Double
    ) -> Metric {
        Metric(name, help: help, kind: .counter, labels: ["model_version"]) { source, emit in
            guard let source else { return }
            emit([source.version], value(source.comparison))
        }
    }
}
