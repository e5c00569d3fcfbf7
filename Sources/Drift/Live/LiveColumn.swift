// SPDX-License-Identifier: MIT

/// A column of a sketch and what it may say.
package struct LiveColumn: Equatable, Sendable {
    /// What a column says nothing of drift for.
    package enum Exclusion: String, Equatable, Sendable {
        /// It says when a row is or how old a machine is, and not what was measured.
        case notMeasured = "not_measured"
        /// A sensor that feeds it looks broken.
        case sensorFault = "sensor_fault"
        /// It has nearly always one and the same value.
        case constant
    }

    /// Its name.
    package var name: String
    /// The places of the sensors that it is computed from.
    package var sensors: [Int]
    /// Whether it says something of what was measured.
    package var isMeasured: Bool

    /// Describes a column.
    package init(name: String, sensors: [Int], isMeasured: Bool) {
        self.name = name
        self.sensors = sensors
        self.isMeasured = isMeasured
    }
}

/// How a column of a window differs from what the reference lets expect of machines of that age.
package struct LiveDrift: Equatable, Sendable {
    /// What was compared.
    package var column: LiveColumn
    /// Why it has no say; nil where it has.
    package var exclusion: LiveColumn.Exclusion?
    /// Whether it drifts.
    package var drifts = false
    /// The largest difference of the distributions at the borders of the bins (Kolmogorov-Smirnov).
    package var distance: Double
    /// The population stability index over the bins.
    package var stabilityIndex: Double
    /// Of the distance, with the effective numbers of rows.
    package var pValue: Double
    /// That adjusted for the number of features.
    package var adjustedPValue = 1.0
    /// The shift that other features do not explain, in standard deviations of the expected ranks;
    /// nil where too few groups of machines have rows.
    package var ownShift: Double?
    /// Its p-value.
    package var ownPValue: Double?
    /// That adjusted for the number of features.
    package var adjustedOwnPValue: Double?
    /// The share of the rows that is expected in each bin.
    package var expected: [Double]
    /// The share of the rows that is there.
    package var observed: [Double]

    /// How far the rows stand above the middle of those expected, by rank: from -0.5, all below
    /// them, to 0.5; 0 where they are as likely above as below.
    package var rankShift: Double {
        var (below, mean) = (0.0, 0.0)
        for (expected, observed) in zip(expected, observed) {
            mean += observed * (below + expected / 2)
            below += expected
        }
        return mean - 0.5
    }
}
