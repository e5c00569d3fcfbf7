// SPDX-License-Identifier: MIT

/// What each group of sensors adds to the log-odds of one prediction.
///
/// The contributions add up to the log-odds of the answer less the mean of those that it has with
/// all sensors lent by a background record.
package struct Explanation: Equatable, Sendable {
    /// How the contributions were found.
    package enum Method: Equatable, Sendable {
        /// From every coalition of the groups.
        case exact(coalitions: Int)
        /// From so many random orders of the groups, half of them the reverse of the others.
        case permutations(Int)

        /// The name in answers.
        package var name: String {
            switch self {
            case .exact: "exact"
            case .permutations: "antithetic_permutations"
            }
        }
    }

    /// How they were found.
    package let method: Method
    /// The Shapley value of each group, in log-odds.
    package let contributions: [Double]
    /// The standard error of each contribution, 0 where it is exact.
    package let standardErrors: [Double]
    /// The log-odds of the answer.
    package let logOdds: Double
    /// The mean of the log-odds with all sensors lent by a background record.
    package let baseLogOdds: Double

    /// Whether every number is finite: a network with weights without measure may say anything.
    package var isFinite: Bool {
        logOdds.isFinite && baseLogOdds.isFinite && contributions.allSatisfy(\.isFinite)
            && standardErrors.allSatisfy(\.isFinite)
    }
}

/// Sensors that an explanation takes together.
package struct ExplanationGroup: Equatable, Sendable {
    /// The group's name, by default that of its only sensor.
    package let name: String
    /// The indices of its sensors in the schema.
    package let sensors: [Int]
}
