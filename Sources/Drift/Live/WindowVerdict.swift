// SPDX-License-Identifier: MIT

/// What a window came to.
package struct WindowVerdict: Equatable, Sendable {
    /// What rows of fewer machines say is said of these machines, not of a fleet.
    package static let machinesMin = 5.0
    /// The adjusted p-value that as many features have to pass by as have to drift.
    ///
    /// Of 100 windows of C-MAPSS without drift, at most 1 % of the features passed it, and with
    /// half of the units in another operating mode at least 44 %.
    package static let shareCertainty = 0.03
    /// Or the adjusted p-value of one own shift: in the same windows 0.0008 was the least, and with
    /// a third of the sensors shifted by half a deviation 4e-9 the most.
    package static let ownCertainty = 0.0001

    /// The features in their order.
    package private(set) var features: [LiveDrift]
    /// The score, which has no say.
    package private(set) var score: LiveDrift
    /// The share of the features with a say that drift, or of the sensors where that is larger.
    ///
    /// A sensor drifts where more than half of the features of it alone do: the slope of one that
    /// reads too high by as much as ever is what it was.
    package let share: Double
    /// Whether the window drifts.
    package let drifts: Bool
    /// Whether there were groups enough for own shifts.
    package let comparesMachines: Bool

    /// Compares a window with the reference; `columns` are the features, then the score, and
    /// `faulty` the places of sensors that look broken: what they feed has no say.
    ///
    /// Machines whose sensors have left their ranges together run as they never did: that is drift.
    ///
    /// - Complexity: O(f^2 g + f (g / 4)^3) for f features and g groups.
    package init(
        _ window: FleetSketch,
        reference: FleetReference,
        columns: [LiveColumn],
        faulty: Set<Int>,
        hasLeftRanges: Bool = false,
        rule: DriftRule
    ) {
        precondition(columns.count == window.shape.columnCount && !columns.isEmpty)
        let comparison = WindowComparison(window, reference: reference)
        var outcomes = columns.enumerated().map { comparison.outcome($1, at: $0) }
        for index in outcomes.indices
        where outcomes[index].drift.exclusion == nil
            && !faulty.isDisjoint(with: outcomes[index].drift.column.sensors)
        { outcomes[index].drift.exclusion = .sensorFault }
        let own = outcomes.indices.dropLast().filter { outcomes[$0].drift.exclusion == nil }
        comparesMachines = Self.compareMachines(&outcomes, own)
        var drifts = outcomes.map(\.drift)
        Self.adjust(&drifts, own)
        for index in own { drifts[index].drifts = rule.drifts(drifts[index]) }
        func share(_ count: Int) -> Double {
            own.isEmpty ? 0 : Double(count) / Double(own.count)
        }
        let sensors = SensorShares(drifts, own)
        self.share = max(share(own.count { drifts[$0].drifts }), sensors.drifted)
        // Causes that columns have in common move them together by chance; see `DriftRule`.
        let certain = own.count { index in
            drifts[index].drifts && drifts[index].adjustedPValue < Self.shareCertainty
        }
        let isCertain =
            share(certain) > rule.featureShare
            || own.contains { drifts[$0].isCertain }
        // What a few are left to say is said of them, not of the world.
        let isMuted = drifts.dropLast().count { $0.exclusion == .sensorFault } > own.count
        self.drifts =
            hasLeftRanges || !isMuted && self.share > rule.featureShare && isCertain
            || !isMuted && sensors.certain > rule.featureShare / 3 && sensors.certainCount > 1
        score = drifts.removeLast()
        features = drifts
    }

    /// Compares the groups' means; false where there are too few.
    private static func compareMachines(
        _ outcomes: inout [WindowComparison.Outcome],
        _ own: [Int]
    ) -> Bool {
        guard let first = own.first,
            min(outcomes[first].referenceMeans.count, outcomes[first].windowMeans.count)
                >= OwnShift.machinesMin
        else { return false }
        let results = OwnShift.test(
            reference: own.map { outcomes[$0].referenceMeans },
            current: own.map { outcomes[$0].windowMeans },
            weights: outcomes[first].machines,
            origins: own.map { Set(outcomes[$0].drift.column.sensors) },
            certainty: ownCertainty
        )
        for (index, result) in zip(own, results) {
            guard let result, outcomes[index].deviation > 0 else { continue }
            outcomes[index].drift.ownShift = result.shift / outcomes[index].deviation
            outcomes[index].drift.ownPValue = result.pValue
        }
        return true
    }

    private static func adjust(_ drifts: inout [LiveDrift], _ own: [Int]) {
        let adjusted = BenjaminiHochberg.adjusted(own.map { drifts[$0].pValue })
        let adjustedOwn = BenjaminiHochberg.adjusted(own.map { drifts[$0].ownPValue ?? 1 })
        for (place, index) in own.enumerated() {
            drifts[index].adjustedPValue = adjusted[place]
            if drifts[index].ownPValue != nil {
                drifts[index].adjustedOwnPValue = adjustedOwn[place]
            }
        }
    }
}

/// How many of the sensors have changed, by the features that come of one sensor alone.
private struct SensorShares {
    /// The share of the sensors of which more than half of the features drift.
    let drifted: Double
    /// The share of those that have an own shift beyond doubt, and how many these are.
    ///
    /// They are only a part of those that have shifted: two that go together and shift together
    /// look like other machines. Of FD001's sensors, six of seventeen shifted by half a deviation,
    /// a window showed two to six; of a hundred windows without a shift none showed any.
    let certain: Double
    let certainCount: Int

    init(_ drifts: [LiveDrift], _ own: [Int]) {
        let features = own.filter { drifts[$0].column.sensors.count == 1 }
        let sensors = Dictionary(grouping: features) { drifts[$0].column.sensors[0] }.values
        let total = Double(max(sensors.count, 1))
        let driftedCount = sensors.count { features in
            2 * features.count { drifts[$0].drifts } > features.count
        }
        drifted = Double(driftedCount) / total
        certainCount = sensors.count { features in
            features.contains { drifts[$0].isCertain }
        }
        certain = Double(certainCount) / total
    }
}

extension LiveDrift {
    /// Whether it is shifted by itself beyond doubt.
    fileprivate var isCertain: Bool { (adjustedOwnPValue ?? 1) < WindowVerdict.ownCertainty }
}

extension DriftRule {
    /// Whether a column of a window drifts.
    func drifts(_ column: LiveDrift) -> Bool {
        if column.pValue < significance, column.distance >= distanceMin { return true }
        guard let pValue = column.ownPValue, let shift = column.ownShift else { return false }
        return pValue < significance && abs(shift) >= shiftMin
    }
}
