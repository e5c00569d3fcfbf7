// SPDX-License-Identifier: MIT

/// When differences between two sides are called drift.
///
/// The plain rule: more than ``featureShare`` of the features have a Kolmogorov-Smirnov (or
/// chi-square) p-value below ``significance``. It takes rows for independent, and at a large number
/// of rows it calls the smallest difference drift. Therefore a feature *drifts* where
///
/// - its p-value, adjusted for the number of features, is below ``significance`` and its distance
///   at least ``distanceMin``; where rows depend on each other, the p-value is that of the
///   effective numbers of rows and not adjusted, for the features depend on each other too; or
/// - it is shifted by more than its companions explain (``OwnShift``), with a p-value below
///   ``significance`` and by at least ``shiftMin`` of the reference's standard deviation.
///
/// More than ``featureShare`` of the features that no broken sensor feeds have to drift. Where rows
/// depend on each other that is not enough: a common cause, as that the machines at hand are a
/// little more worn, moves most features together by chance. So one feature at least has to be
/// shifted by itself with an adjusted p-value below ``certainty``, or more than the share have to
/// have adjusted p-values below it.
package struct DriftRule: Equatable, Sendable {
    /// The p-value below which a feature's difference counts.
    package var significance = 0.05
    /// The share of the features that has to be exceeded.
    package var featureShare = 0.3
    /// The least distance that counts: below it, no plant notices.
    package var distanceMin = 0.1
    /// The least shift that counts, in standard deviations of the reference.
    package var shiftMin = 0.1
    /// The adjusted p-value that makes sure where rows belong to machines.
    package var certainty = 0.001
    /// By how much the share of missing values may rise.
    package var missingShare = 0.05
    /// By how much the share of values out of range, or of unknown categories, may rise.
    package var outsideShare = 0.01
    /// So many equal readings in a row are never a stuck sensor.
    package var runMin = 12

    /// Makes the default rule.
    package init() {}

    /// Whether the numbers are ones that a rule can go by.
    package var isValid: Bool {
        (0...1).contains(significance) && (0..<1).contains(featureShare)
            && (0...1).contains(distanceMin) && shiftMin >= 0 && (0...1).contains(certainty)
    }
}

/// Which of successive windows raise drift: one odd window raises nothing.
package struct DriftState: Equatable, Sendable {
    /// The most windows that a state looks back on.
    package static let lengthMax = 64

    /// Whether drift is raised.
    package private(set) var isRaised = false
    /// Whether each of the last windows drifted, the last in the lowest bit.
    private var drifted: UInt64 = 0

    /// No window has been seen.
    package init() {}

    /// Goes on where another state was: whether drift was raised, and ``lastDrifted``.
    package init(isRaised: Bool, lastDrifted: [Bool]) {
        self.isRaised = isRaised
        for (place, hasDrifted) in lastDrifted.prefix(Self.lengthMax).enumerated()
        where hasDrifted { drifted |= 1 << UInt64(place) }
    }

    /// Whether each of the last windows drifted, the last one first.
    package var lastDrifted: [Bool] {
        (0..<UInt64.bitWidth - drifted.leadingZeroBitCount).map { drifted >> UInt64($0) & 1 == 1 }
    }

    /// Takes the next window; raised by `needed` of the last `length`, ended by none of them.
    package mutating func observe(drifts: Bool, needed: Int = 2, of length: Int = 3) {
        precondition(1 <= needed && needed <= length && length <= Self.lengthMax)
        let mask = UInt64.max >> UInt64(Self.lengthMax - length)
        drifted = (drifted << 1 | (drifts ? 1 : 0)) & mask
        isRaised = isRaised ? drifted != 0 : drifted.nonzeroBitCount >= needed
    }
}
