// SPDX-License-Identifier: MIT

/// What one side's rows say of a column.
package struct ColumnSide: Equatable, Sendable {
    /// Equal readings in a row of one machine.
    package struct Run: Equatable, Sendable {
        /// How many.
        package var length: Int
        /// The machine's place in ``MachineRows``; nil where rows belong to none.
        package var machine: Int?
    }

    /// The number of rows.
    package private(set) var rows = 0
    /// Rows without a value.
    package private(set) var missing = 0
    /// Rows with a value outside the column's range, which count as missing in the tests.
    package private(set) var outOfRange = 0
    /// Rows with a category that the column does not name.
    package private(set) var unseen = 0
    /// How many independent rows the values are worth; see ``EffectiveSize``.
    package private(set) var effective = 0.0
    /// The longest run of equal readings; nil where the order of rows is unknown.
    package private(set) var longestRun: Run?

    /// The values in ascending order; of a category none.
    private(set) var sample = SortedSample(ascending: [])
    /// The rows of each category, the last of all that have no name.
    private(set) var categoryCounts: [Int] = []
    /// The values in the order of rows, NaN where missing or out of range.
    private var values: [Double] = []

    init(_ sample: DriftSample, index: Int, column: DriftColumn) {
        let raw = sample.columns[index]
        rows = raw.count
        missing = raw.count(where: \.isNaN)
        values = raw
        switch column.kind {
        case .number: takeNumbers(sample, column)
        case .category(let names):
            categoryCounts = Array(repeating: 0, count: names.count + 1)
            for value in raw where !value.isNaN { categoryCounts[Int(value)] += 1 }
            unseen = categoryCounts[names.count]
            effective = Double(rows - missing)
            if let machines = sample.machines, rows > missing {
                effective = EffectiveSize.ofCategories(
                    raw,
                    count: names.count + 1,
                    blocks: machines
                )
            }
        }
    }

    private mutating func takeNumbers(_ sample: DriftSample, _ column: DriftColumn) {
        if let range = column.range {
            for row in values.indices where !values[row].isNaN && !range.contains(values[row]) {
                outOfRange += 1
                values[row] = .nan
            }
        }
        if sample.isSorted {
            self.sample = SortedSample(ascending: values.filter { !$0.isNaN })
        } else {
            let isWhole = missing + outOfRange == 0
            self.sample = SortedSample(isWhole ? values : values.filter { !$0.isNaN })
            longestRun = Self.longestRun(values, sample.machines)
        }
        effective = Double(self.sample.values.count)
        if let machines = sample.machines, effective > 0 {
            let edges = self.sample.edges(parts: 10)
            effective = EffectiveSize.ofNumbers(values, edges: edges, blocks: machines)
        }
    }

    /// The number of values that the tests see.
    package var count: Int { rows - missing - outOfRange }

    private static func longestRun(_ values: [Double], _ machines: MachineRows?) -> Run {
        var longest = Run(length: 0)
        func look(_ machine: Int?, _ rows: some Sequence<Int>) {
            var (last, length) = (Double.nan, 0)
            for row in rows where !values[row].isNaN {
                length = values[row] == last ? length + 1 : 1
                last = values[row]
                if length > longest.length { longest = Run(length: length, machine: machine) }
            }
        }
        guard let machines else {
            look(nil, values.indices)
            return longest
        }
        for machine in 0..<machines.count {
            look(machine, machines.order[machines.starts[machine]..<machines.starts[machine + 1]])
        }
        return longest
    }

    /// The mean of each machine's values, clipped to bounds; of a machine without any that of all.
    func machineMeans(_ machines: MachineRows, clip: ClosedRange<Double>) -> [Double] {
        var means: [Double] = []
        var (sum, number) = (0.0, 0)
        for machine in 0..<machines.count {
            var (part, count) = (0.0, 0)
            for place in machines.starts[machine]..<machines.starts[machine + 1] {
                let value = values[machines.order[place]]
                guard !value.isNaN else { continue }
                part += min(max(value, clip.lowerBound), clip.upperBound)
                count += 1
            }
            means.append(count > 0 ? part / Double(count) : .nan)
            sum += part
            number += count
        }
        return means.map { $0.isNaN ? sum / Double(max(number, 1)) : $0 }
    }

    /// Lets go of the rows, which nothing needs any more.
    mutating func dropRows() { values = [] }
}
