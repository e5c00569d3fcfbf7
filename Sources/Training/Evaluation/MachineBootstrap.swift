// SPDX-License-Identifier: MIT

/// Draws machines with replacement, as often as there are machines: how much of a figure is chance.
///
/// Rows of one machine are no independent evidence, so whole machines are drawn (the cluster
/// bootstrap of Davison & Hinkley 1997, §3.8). Rows without a machine are drawn one by one.
package struct MachineBootstrap: Sendable {
    private let groups: [Int32]
    private let groupCount: Int
    private let seed: UInt64

    /// Prepares the draws for rows of the given machines.
    package init(entities: CategoryColumn?, rowCount: Int, seed: UInt64 = 1) {
        if let entities {
            precondition(entities.codes.count == rowCount)
            groups = entities.codes
            groupCount = entities.categories.count
        } else {
            groups = (0..<rowCount).map { Int32($0) }
            groupCount = rowCount
        }
        self.seed = seed
    }

    /// How often each row takes part in one round; the same for the same seed and round.
    package func weights(round: Int) -> [Int32] {
        // Machines without a row would be drawn in vain.
        var drawn = Array(repeating: Int32(-1), count: groupCount)
        for group in groups { drawn[Int(group)] = 0 }
        let present = drawn.indices.filter { drawn[$0] == 0 }
        guard !present.isEmpty else { return [] }
        var generator = SeededGenerator(seed: seed, stream: UInt64(round))
        for _ in present { drawn[present[generator.uniform(below: present.count)]] += 1 }
        return groups.map { drawn[Int($0)] }
    }
}

/// Rows in the order of their scores, ready to be weighed many times.
package struct RankedRows: Sendable {
    private let order: [Int32]
    /// Whether a row, in that order, is the last of those with its score.
    private let endsTie: [Bool]
    private let labels: [UInt8]

    /// Sorts rows by falling score.
    ///
    /// - Complexity: O(n log n).
    package init(scores: [Double], labels: [UInt8]) {
        precondition(scores.count == labels.count)
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        self.order = order.map { Int32($0) }
        endsTie = order.indices.map { index in
            index + 1 == order.count || scores[order[index + 1]] != scores[order[index]]
        }
        self.labels = labels
    }

    /// Average precision where each row counts `weights[row]` times, as scikit-learn's
    /// `average_precision_score` with `sample_weight`; nil where no row of class 1 counts.
    ///
    /// - Complexity: O(n).
    package func averagePrecision(weights: [Int32]) -> Double? {
        var (positives, total, before, sum) = (0, 0, 0, 0.0)
        for (index, row) in order.enumerated() {
            let weight = Int(weights[Int(row)])
            total += weight
            if labels[Int(row)] == 1 { positives += weight }
            guard endsTie[index], positives > before else { continue }
            sum += Double(positives - before) * Double(positives) / Double(total)
            before = positives
        }
        return positives == 0 ? nil : sum / Double(positives)
    }
}
