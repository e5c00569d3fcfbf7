// SPDX-License-Identifier: MIT

/// In what one model may differ from another.
package enum DifferenceKind: String, CaseIterable, Sendable {
    /// Which sensors there are.
    case sensors
    /// The unit of a sensor: the same number means something else.
    case unit
    /// The physical range of a sensor: other readings count as faults.
    case range
    /// How far ahead a prediction looks.
    case horizon
    /// What a machine's record keeps: its windows begin anew.
    case layout
    /// How many of the same readings are of which risk level.
    case shift
    /// Which features there are.
    case features
    /// The network and how many of them there are.
    case network
    /// Threshold, risk levels or calibration.
    case decision
    /// What the evaluation says.
    case evaluation

    /// Whether clients and machines see it even where the new model is the better one, so that it
    /// has to be meant.
    package var isBreaking: Bool {
        switch self {
        case .sensors, .unit, .range, .horizon, .layout, .shift: true
        case .features, .network, .decision, .evaluation: false
        }
    }
}
