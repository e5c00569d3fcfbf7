// SPDX-License-Identifier: MIT

/// How many independent rows tell as much as rows that depend on their neighbours.
///
/// Readings of one machine resemble each other, the more so means over its last day; a test that
/// takes them for independent finds drift everywhere. Thinning each machine's rows until they are
/// independent would leave so many; here all rows are used and counted as so many. The number is
/// that with which the empirical distribution would vary as it does between the blocks of rows,
/// taken over nine deciles (categories: over the names).
enum EffectiveSize {
    /// With fewer blocks nothing is known of how they vary.
    private static let blocksMin = 5

    /// The number for ordered values, whose deciles are `edges`.
    static func ofNumbers(_ values: [Double], edges: [Double], blocks: MachineRows) -> Double {
        count(blocks, binCount: edges.count + 1, isOrdered: true) { row in
            let value = values[row]
            guard !value.isNaN else { return nil }
            var bin = 0
            for edge in edges where value > edge { bin += 1 }
            return bin
        }
    }

    /// The number for categories.
    static func ofCategories(_ values: [Double], count: Int, blocks: MachineRows) -> Double {
        Self.count(blocks, binCount: count, isOrdered: false) { row in
            values[row].isNaN ? nil : Int(values[row])
        }
    }

    private static func count(
        _ blocks: MachineRows,
        binCount: Int,
        isOrdered: Bool,
        bin: (Int) -> Int?
    ) -> Double {
        var counts: [[Double]] = []
        for block in 0..<blocks.blockStarts.count - 1 {
            var bins = Array(repeating: 0.0, count: binCount)
            for place in blocks.blockStarts[block]..<blocks.blockStarts[block + 1] {
                if let bin = bin(blocks.order[place]) { bins[bin] += 1 }
            }
            let total = bins.reduce(0, +)
            guard total > 0 else { continue }
            if isOrdered { for index in 1..<binCount { bins[index] += bins[index - 1] } }
            counts.append(bins + [total])
        }
        let rows = counts.reduce(0) { $0 + $1[binCount] }
        guard counts.count >= blocksMin else { return rows }
        var (between, within) = (0.0, 0.0)
        for index in 0..<binCount {
            let share = counts.reduce(0) { $0 + $1[index] } / rows
            within += share * (1 - share) / rows
            for block in counts {
                let difference = (block[index] - share * block[binCount]) / rows
                between += difference * difference
            }
        }
        let number = Double(counts.count)
        guard within > 0 else { return rows }
        return rows / max(1, between * number / (number - 1) / within)
    }
}
