// SPDX-License-Identifier: MIT

/// What speaks for a broken sensor, as opposed to a changed world.
package struct SensorFault: Equatable, Sendable {
    /// What is wrong.
    package enum Kind: String, Equatable, Sendable {
        /// One reading repeats for longer than it ever did.
        case stuck
        /// Values are missing more often than they were.
        case missing
        /// Values are outside the range more often than they were.
        case outOfRange = "out_of_range"
        /// Names that the reference does not have.
        case unseenCategory = "unseen_category"
    }

    /// What is wrong.
    package var kind: Kind
    /// The machine's place among the current machines; nil where it concerns all.
    package var machine: Int?
    /// The rows that show it.
    package var rows: Int
}

extension DriftRule {
    /// The faults that a column's rows show.
    func faults(
        _ column: DriftColumn,
        reference: ColumnSide,
        current: ColumnSide
    ) -> [SensorFault] {
        guard current.rows > 0, reference.rows > 0 else { return [] }
        func rises(_ part: KeyPath<ColumnSide, Int>, by share: Double) -> Bool {
            let before = Double(reference[keyPath: part]) / Double(reference.rows)
            return Double(current[keyPath: part]) / Double(current.rows) > before + share
        }
        var faults: [SensorFault] = []
        if let run = current.longestRun, let limit = runMax(column, reference, current),
            run.length > limit
        {
            faults.append(SensorFault(kind: .stuck, machine: run.machine, rows: run.length))
        }
        if rises(\.missing, by: missingShare) {
            faults.append(SensorFault(kind: .missing, machine: nil, rows: current.missing))
        }
        if rises(\.outOfRange, by: outsideShare) {
            faults.append(SensorFault(kind: .outOfRange, machine: nil, rows: current.outOfRange))
        }
        if rises(\.unseen, by: outsideShare) {
            faults.append(SensorFault(kind: .unseenCategory, machine: nil, rows: current.unseen))
        }
        return faults
    }

    /// The longest run of equal readings that is nothing unusual; nil where nobody can say.
    private func runMax(
        _ column: DriftColumn,
        _ reference: ColumnSide,
        _ current: ColumnSide
    ) -> Int? {
        if let known = reference.longestRun?.length {
            return column.stuckAfter.map { max($0 - 1, known) } ?? max(runMin, 2 * known)
        }
        // A sorted sample shows no runs, but whether equal values are rare. How long a sensor of a
        // fleet that is in order may stick it does not show either: so a run has to be a part of
        // all rows as large as values out of range.
        let least = Int(outsideShare * Double(current.rows))
        if let limit = column.stuckAfter { return max(limit - 1, least) }
        return reference.sample.tieShare < 0.1 ? max(2 * runMin, least) : nil
    }
}
