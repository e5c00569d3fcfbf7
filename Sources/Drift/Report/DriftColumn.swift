// SPDX-License-Identifier: MIT

/// What a column of readings or features holds.
package struct DriftColumn: Equatable, Sendable {
    /// What its values are.
    package enum Kind: Equatable, Sendable {
        /// Numbers.
        case number
        /// Indices into these names; one index more stands for all other names.
        case category([String])
    }

    /// Its name.
    package var name: String
    /// What its values are.
    package var kind: Kind
    /// The sensors that it is computed from: where one is broken, the column says nothing of drift.
    package var sensors: [String]
    /// Values outside are counted and taken for missing; nil where nobody gave a range.
    package var range: ClosedRange<Double>?
    /// So many equal readings in a row are a stuck sensor; nil where nobody said.
    package var stuckAfter: Int?

    /// Describes a column that is measured by one sensor of its own name.
    package init(_ name: String, kind: Kind = .number) {
        self.name = name
        self.kind = kind
        sensors = [name]
    }
}

/// One side of a comparison: the rows of the reference, or of now.
package struct DriftSample: Sendable {
    /// The values by column, then row: NaN is missing, a category is its index.
    package var columns: [[Double]]
    /// The machines' rows; nil where rows belong to none or nobody knows which.
    package var machines: MachineRows?
    /// Whether each column is in ascending order: a sample, as a bundle keeps it.
    package var isSorted: Bool

    /// Puts the columns together, all of one length.
    package init(columns: [[Double]], machines: MachineRows? = nil, isSorted: Bool = false) {
        precondition(columns.allSatisfy { $0.count == columns.first?.count })
        precondition(machines == nil || !isSorted, "sorted columns have no rows")
        self.columns = columns
        self.machines = machines
        self.isSorted = isSorted
    }

    /// The number of rows.
    package var rowCount: Int { columns.first?.count ?? 0 }
}

/// The rows of a table machine by machine, each machine's in the order of the table.
package struct MachineRows: Equatable, Sendable {
    /// Fewer machines than this are cut into parts to see how rows depend on their neighbours.
    private static let blocksWanted = 20

    /// The rows' numbers.
    let order: [Int]
    /// Where in ``order`` each machine begins, and where the last one ends.
    let starts: [Int]
    /// The same of the blocks: machines, or where these are few, parts of them.
    let blockStarts: [Int]

    /// Sorts rows by the codes of their machines.
    package init(codes: [Int32]) {
        order = codes.indices.sorted { (codes[$0], $0) < (codes[$1], $1) }
        var starts: [Int] = []
        for (place, row) in order.enumerated()
        where place == 0 || codes[row] != codes[order[place - 1]] { starts.append(place) }
        let parts = max(1, Self.blocksWanted / max(1, starts.count))
        starts.append(order.count)
        self.starts = starts
        var blocks: [Int] = []
        for machine in 0..<starts.count - 1 {
            let (first, count) = (starts[machine], starts[machine + 1] - starts[machine])
            let cuts = min(parts, count)
            for part in 0..<cuts { blocks.append(first + part * count / cuts) }
        }
        blockStarts = blocks + [order.count]
    }

    /// The number of machines.
    package var count: Int { starts.count - 1 }
}
