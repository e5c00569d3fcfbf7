// SPDX-License-Identifier: MIT

/// What a comparison of two sides came to.
package struct DriftReport: Sendable {
    /// A column and what it says of drift.
    package struct Feature: Equatable, Sendable {
        /// How it differs.
        package var drift: ColumnDrift
        /// Whether it says nothing of drift: a broken sensor feeds it, a side has no values, or all
        /// values of both sides are one and the same.
        package var isExcluded: Bool
        /// Whether it drifts.
        package var drifts: Bool
    }

    /// The rule that decided.
    package let rule: DriftRule
    /// The columns in their order.
    package private(set) var features: [Feature]
    /// The share of the columns whose plain p-value is below the level.
    package let plainShare: Double
    /// The share of the columns not excluded that drift.
    package let share: Double
    /// Whether broken sensors feed more columns than are left to say whether there is drift.
    package let isMuted: Bool
    /// Whether there is drift.
    package let isDrift: Bool
    /// Whether rows of both sides belong to machines, so that the machines were compared too.
    package let comparesMachines: Bool

    /// Whether the plain rule would call it drift.
    package var isPlainDrift: Bool { plainShare > rule.featureShare }

    /// The faults that were found, by column.
    package var faults: [(column: DriftColumn, fault: SensorFault)] {
        features.flatMap { feature in feature.drift.faults.map { (feature.drift.column, $0) } }
    }

    /// Decides on columns that were compared one by one.
    package init(_ columns: [ColumnDrift], rule: DriftRule) {
        var columns = columns
        let broken = Set(columns.filter { !$0.faults.isEmpty }.flatMap(\.column.sensors))
        let excluded = columns.map { column in
            column.tests == nil || column.isConstant || !column.faults.isEmpty
                || column.column.sensors.contains { broken.contains($0) }
        }
        let own = columns.indices.filter { !excluded[$0] }
        let dependsOnRows = columns.contains { column in
            column.current.effective < Double(column.current.count)
                || column.reference.effective < Double(column.reference.count)
        }
        comparesMachines = Self.compareMachines(&columns, own)
        Self.adjust(&columns, own)
        let drifts = columns.indices.map { index in
            !excluded[index] && rule.drifts(columns[index], rowsDepend: dependsOnRows)
        }
        features = columns.indices.map { index in
            Feature(drift: columns[index], isExcluded: excluded[index], drifts: drifts[index])
        }
        self.rule = rule
        func share(_ count: Int, of all: Int) -> Double {
            all > 0 ? Double(count) / Double(all) : 0
        }
        let tested = columns.compactMap(\.tests)
        plainShare = share(tested.count { $0.pValue < rule.significance }, of: tested.count)
        self.share = share(drifts.count { $0 }, of: own.count)
        let certain = own.count { index in
            (columns[index].tests?.adjustedPValue ?? 1) < rule.certainty && drifts[index]
        }
        let isCertain =
            share(certain, of: own.count) > rule.featureShare
            || own.contains { (columns[$0].tests?.adjustedOwnPValue ?? 1) < rule.certainty }
        // What a few are left to say is said of them, not of the world.
        let muted = columns.indices.count { index in
            columns[index].tests != nil && !columns[index].isConstant && excluded[index]
        }
        isMuted = muted > own.count
        isDrift = self.share > rule.featureShare && (isCertain || !dependsOnRows) && !isMuted
    }

    /// Compares the machines; false where there are too few.
    private static func compareMachines(_ columns: inout [ColumnDrift], _ own: [Int]) -> Bool {
        let tested = own.filter { columns[$0].means != nil }
        let means = tested.compactMap { columns[$0].means }
        defer { for index in columns.indices { columns[index].means = nil } }
        guard let first = means.first,
            min(first.reference.count, first.current.count) >= OwnShift.machinesMin
        else { return false }
        let outcomes = OwnShift.test(
            reference: means.map(\.reference),
            current: means.map(\.current)
        )
        for (index, outcome) in zip(tested, outcomes) {
            guard let outcome, let deviation = columns[index].means?.deviation else { continue }
            columns[index].tests?.ownPValue = outcome.pValue
            columns[index].tests?.ownShift = deviation > 0 ? outcome.shift / deviation : 0
        }
        return true
    }

    private static func adjust(_ columns: inout [ColumnDrift], _ own: [Int]) {
        let adjusted = BenjaminiHochberg.adjusted(
            own.map { columns[$0].tests?.effectivePValue ?? 1 }
        )
        let adjustedOwn = BenjaminiHochberg.adjusted(own.map { columns[$0].tests?.ownPValue ?? 1 })
        for (place, index) in own.enumerated() {
            columns[index].tests?.adjustedPValue = adjusted[place]
            if columns[index].tests?.ownPValue != nil {
                columns[index].tests?.adjustedOwnPValue = adjustedOwn[place]
            }
        }
    }
}

extension DriftRule {
    /// Whether a column drifts.
    func drifts(_ column: ColumnDrift, rowsDepend: Bool) -> Bool {
        guard let tests = column.tests else { return false }
        let marginal = rowsDepend ? tests.effectivePValue : tests.adjustedPValue
        if marginal < significance, tests.distance >= distanceMin { return true }
        guard let pValue = tests.ownPValue, let shift = tests.ownShift else { return false }
        return pValue < significance && abs(shift) >= shiftMin
    }
}
