// SPDX-License-Identifier: MIT

internal import Metrics
internal import ModelRuntime

/// The metrics of the machines as a whole; none of them is ever named.
enum FleetMetrics {
    private typealias Metric = DerivedMetric<Fleet.Counts>

    static func register(_ fleet: Fleet, in registry: Registry) {
        registry.derived(from: { fleet.counts }, counts)
    }

    private static let counts: [Metric] = [
        Metric(
            "equipment_by_risk_level",
            help: "Machines by the risk level of their last reading in order.",
            labels: ["risk_level"]
        ) { counts, emit in
            for (level, count) in zip(RiskLevel.allCases, counts.byRiskLevel) {
                emit([level.rawValue], Double(count))
            }
            emit(["UNKNOWN"], Double(counts.unknown))
        },
        Metric(
            "equipment_silent",
            help: "Machines from which no reading came for the time of --silent-after."
        ) { Double($0.silent) },
    ]
}
