// SPDX-License-Identifier: MIT

/// How urgent a prediction is.
package enum RiskLevel: String, CaseIterable, Sendable {
    /// Nothing to do.
    case low = "LOW"
    /// Plan an inspection.
    case medium = "MEDIUM"
    /// Act now.
    case high = "HIGH"
}

/// Where one risk level ends and the next begins.
package struct RiskLevels: Equatable, Sendable {
    /// The least probability that is medium.
    package var medium: Double
    /// The least probability that is high.
    package var high: Double

    /// Describes the borders: LOW < `medium` <= MEDIUM < `high` <= HIGH.
    package init(medium: Double = 0.3, high: Double = 0.7) {
        self.medium = medium
        self.high = high
    }

    /// The level of a probability; a positive prediction is never low.
    package func level(probability: Double, isPositive: Bool) -> RiskLevel {
        if probability >= high { return .high }
        return probability >= medium || isPositive ? .medium : .low
    }
}
