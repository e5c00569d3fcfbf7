// SPDX-License-Identifier: MIT

internal import Drift
internal import Metrics
internal import ModelRuntime

/// What two models said of the same readings.
///
/// - Note: Thread-safe: counters with a share for each event loop.
final class TrialCounts: Sendable {
    /// By the risk level of the model on trial, then of the other.
    private let readings: [Counter]
    private let disagreements: Counter
    private let failures: Counter
    private let difference: Gauge

    init(slots: Int) {
        readings = (0..<9).map { _ in Counter(slots: slots) }
        disagreements = Counter(slots: slots)
        failures = Counter(slots: slots)
        difference = Gauge(slots: slots)
    }

    /// Notes a reading of which both gave a finite answer.
    func add(_ trial: ServedModel.Decision, _ other: ServedModel.Decision, slot: Int) {
        readings[3 * trial.riskLevel.place + other.riskLevel.place].add(slot: slot)
        if trial.prediction != other.prediction { disagreements.add(slot: slot) }
        difference.add(abs(trial.probability - other.probability), slot: slot)
    }

    /// Notes a reading of which the model on trial gave no finite answer.
    func addFailure(slot: Int) { failures.add(slot: slot) }

    /// Takes over what was counted before.
    func add(_ earlier: TrialComparison) {
        for (counter, count) in zip(readings, earlier.readings) { counter.add(UInt64(count)) }
        disagreements.add(UInt64(earlier.disagreements))
        failures.add(UInt64(earlier.failures))
        difference.add(earlier.difference)
    }

    /// What has been counted so far.
    var comparison: TrialComparison {
        TrialComparison(
            readings: readings.map { Int($0.value) },
            disagreements: Int(disagreements.value),
            failures: Int(failures.value),
            difference: difference.value
        )
    }
}

/// How the answers of a model on trial compare with those of the other, reading by reading.
struct TrialComparison: Sendable, Equatable {
    /// By the risk level of the model on trial, then of the other.
    let readings: [Int]
    /// Readings of which the predicted classes differ.
    let disagreements: Int
    /// Readings of which the model on trial gave no finite answer.
    let failures: Int
    /// The sum of the differences between their probabilities.
    let difference: Double

    /// Readings that both answered.
    var count: Int { readings.reduce(0, +) }

    /// How far the model on trial has moved the distribution of risk levels: the population
    /// stability index against the other model, on the same readings.
    ///
    /// Risk levels are what people act on, and each model has its own bounds for them. A better
    /// calibration that moves a million readings from 0.010 to 0.005 changes none of them, where a
    /// Kolmogorov-Smirnov distance of probabilities would be near 1. The readings being the same,
    /// a change of the world moves both models.
    var shift: Double {
        func sums(_ place: (Int, Int) -> Int) -> [Int] {
            (0..<3).map { level in (0..<3).reduce(0) { $0 + readings[place(level, $1)] } }
        }
        return PopulationStability.index(
            reference: sums { 3 * $1 + $0 },
            current: sums { 3 * $0 + $1 }
        )
    }
}

extension RiskLevel {
    /// 0 for low, 1 for medium, 2 for high.
    var place: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        }
    }
}
