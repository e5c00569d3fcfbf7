// SPDX-License-Identifier: MIT

/// A window's sketch against a reference, of which each stratum weighs as much as in the window:
/// machines are compared with those of their age.
///
/// How much machines differ is seen between the reference's groups: it makes an intraclass
/// correlation of its rows, and with it each side's rows are worth fewer independent ones.
struct WindowComparison {
    private let reference: FleetReference
    private let window: FleetSketch
    /// The share of the window's rows in each stratum.
    private let weights: [Double]
    /// By group, the same of the group's rows; nil for a group without enough rows.
    private let groupWeights: [[Double]?]

    init(_ window: FleetSketch, reference: FleetReference) {
        precondition(window.shape == reference.shape)
        self.window = window
        self.reference = reference
        let strata = window.shape.stratumCount
        let groups = 0..<SketchShape.groupCount
        let total = window.rowCount
        weights = (0..<strata).map { stratum in
            let count = groups.reduce(0) { $0 + Int(window.rows[$1 * strata + stratum]) }
            return Double(count) / Double(max(total, 1))
        }
        // The mean of a few rows tells of them, not of their machines.
        let least = max(1, total / (4 * max(1, window.groupCount)))
        groupWeights = groups.map { group in
            let count = window.rowCount(group: group)
            guard count >= least else { return nil }
            return (0..<strata).map { Double(window.rows[group * strata + $0]) / Double(count) }
        }
    }

    /// What a column came to, and its mean rank by group on both sides, as it deviates from what
    /// is expected of each group.
    struct Outcome {
        var drift: LiveDrift
        var referenceMeans: [Double]
        var windowMeans: [Double]
        /// How many machines are in each group, by its share of the rows.
        var machines: (reference: [Double], current: [Double])
        /// The standard deviation of the expected ranks.
        var deviation: Double
    }

    /// Compares a column.
    ///
    /// - Complexity: O(strata x groups x bins).
    func outcome(_ column: LiveColumn, at index: Int) -> Outcome {
        let strata = reference.strata.map { Self.cumulative(sum($0, column: index)) }
        let expected = mix(strata, by: weights)
        let current = Self.cumulative(sum(window, column: index))
        let distance = zip(expected, current).reduce(0) { max($0, abs($1.0 - $1.1)) }
        let ranks = Self.ranks(expected)
        var windowMeans: [Double] = []
        var windowMachines: [Double] = []
        for group in 0..<SketchShape.groupCount {
            guard let own = groupWeights[group] else { continue }
            let actual = Self.cumulative(cells(window, group: group, column: index))
            windowMeans.append(
                Self.mean(ranks, actual) - Self.mean(ranks, mix(strata, by: own))
            )
            let share = Double(window.rowCount(group: group)) / Double(window.rowCount)
            windowMachines.append(share * max(window.machineCount, 1))
        }
        let referenceSide = referenceSide(index, strata, ranks)
        let sizes = sizes(referenceSide.effectiveSize(expected, rows: referenceRows))
        let drift = LiveDrift(
            column: column,
            exclusion: Self.exclusion(column, expected, current),
            distance: distance,
            stabilityIndex: stability(expected, index),
            pValue: KolmogorovSmirnov.pValue(distance: distance, counts: sizes),
            expected: Self.shares(expected),
            observed: Self.shares(current)
        )
        return Outcome(
            drift: drift,
            referenceMeans: referenceSide.means,
            windowMeans: windowMeans,
            machines: (
                referenceSide.weights.map { $0 * max(reference.machineCount, 1) }, windowMachines
            ),
            deviation: Self.deviation(ranks, expected)
        )
    }

    /// The reference's rows, counted as few as their weights leave of them.
    private var referenceRows: Double {
        var sum = 0.0
        for (weight, sketch) in zip(weights, reference.strata) where weight > 0 {
            sum += weight * weight / Double(max(sketch.rowCount, 1))
        }
        return sum > 0 ? 1 / sum : 0
    }

    /// The effective numbers of rows of the window and of the reference, which has so many.
    private func sizes(_ size: Double) -> (Double, Double) {
        let perMachine = referenceRows / max(reference.machineCount, 1)
        let correlation = max(0, (referenceRows / size - 1) / max(perMachine - 1, 1))
        let rows = Double(window.rowCount)
        let perMachineNow = max(1, rows / max(window.machineCount, 1))
        return (rows / (1 + (perMachineNow - 1) * correlation), size)
    }

    /// The groups of the reference as they would be at the ages of the window.
    private func referenceSide(
        _ column: Int,
        _ strata: [[Double]],
        _ ranks: [Double]
    ) -> Side {
        var side = Side()
        for group in 0..<SketchShape.groupCount {
            var residual = Array(repeating: 0.0, count: SketchShape.binCount)
            var (mean, weight) = (0.0, 0.0)
            for (stratum, sketch) in reference.strata.enumerated() where weights[stratum] > 0 {
                let rows = sketch.rowCount(group: group)
                guard rows > 0 else { continue }
                let own = Self.cumulative(cells(sketch, group: group, column: column))
                for bin in residual.indices {
                    residual[bin] += weights[stratum] * (own[bin] - strata[stratum][bin])
                }
                mean +=
                    weights[stratum] * (Self.mean(ranks, own) - Self.mean(ranks, strata[stratum]))
                weight += weights[stratum] * Double(rows) / Double(max(sketch.rowCount, 1))
            }
            if weight > 0 { side.add(residual, weight: weight, mean: mean) }
        }
        return side
    }

    /// What has no say whatever the tests are.
    private static func exclusion(
        _ column: LiveColumn,
        _ expected: [Double],
        _ current: [Double]
    ) -> LiveColumn.Exclusion? {
        if !column.isMeasured { return .notMeasured }
        let isConstant = zip(shares(expected), shares(current)).contains { min($0, $1) > 0.99 }
        return isConstant ? .constant : nil
    }

    private func stability(_ expected: [Double], _ column: Int) -> Double {
        let rows = Double(reference.strata.reduce(0) { $0 + $1.rowCount })
        let shares = Self.shares(expected).map { Int(($0 * rows).rounded()) }
        let counts = sum(window, column: column).map { Int($0) }
        return PopulationStability.index(reference: shares, current: counts)
    }

    private func cells(_ sketch: FleetSketch, group: Int, column: Int) -> [Double] {
        let first = (group * sketch.shape.columnCount + column) * SketchShape.binCount
        return (first..<first + SketchShape.binCount).map { Double(sketch.counts[$0]) }
    }

    private func sum(_ sketch: FleetSketch, column: Int) -> [Double] {
        var sum = Array(repeating: 0.0, count: SketchShape.binCount)
        for group in 0..<SketchShape.groupCount {
            let cells = cells(sketch, group: group, column: column)
            for bin in sum.indices { sum[bin] += cells[bin] }
        }
        return sum
    }

    private func mix(_ strata: [[Double]], by weights: [Double]) -> [Double] {
        var mixed = Array(repeating: 0.0, count: SketchShape.binCount)
        for (stratum, weight) in weights.enumerated() where weight > 0 {
            for bin in mixed.indices { mixed[bin] += weight * strata[stratum][bin] }
        }
        return mixed
    }
}

extension WindowComparison {
    /// The groups of one side.
    private struct Side {
        var residuals: [[Double]] = []
        var weights: [Double] = []
        var means: [Double] = []

        mutating func add(_ residual: [Double], weight: Double, mean: Double) {
            residuals.append(residual)
            weights.append(weight)
            means.append(mean)
        }

        /// The number of rows with which the distribution would vary as it does between groups.
        func effectiveSize(_ expected: [Double], rows: Double) -> Double {
            let number = Double(weights.count)
            guard number > 1 else { return 1 }
            let total = weights.reduce(0, +)
            var (within, between) = (0.0, 0.0)
            for bin in expected.indices {
                let center = zip(weights, residuals).reduce(0) { $0 + $1.0 * $1.1[bin] } / total
                for (weight, residual) in zip(weights, residuals) {
                    let part = weight / total * (residual[bin] - center)
                    between += part * part
                }
                within += expected[bin] * (1 - expected[bin])
            }
            guard between > 0 else { return rows }
            return min(rows, max(1, within / (between * number / (number - 1))))
        }
    }

    /// Shares up to the end of each bin; of nothing, zeros.
    private static func cumulative(_ cells: [Double]) -> [Double] {
        let total = max(cells.reduce(0, +), 1)
        var sum = 0.0
        return cells.map { cell in
            sum += cell
            return sum / total
        }
    }

    private static func shares(_ cumulative: [Double]) -> [Double] {
        zip(cumulative, [0] + cumulative.dropLast()).map { $0 - $1 }
    }

    /// Where a value of each bin stands among those expected, 0 to 1.
    private static func ranks(_ expected: [Double]) -> [Double] {
        zip(expected, [0] + expected.dropLast()).map { ($0 + $1) / 2 }
    }

    private static func mean(_ ranks: [Double], _ cumulative: [Double]) -> Double {
        zip(ranks, shares(cumulative)).reduce(0) { $0 + $1.0 * $1.1 }
    }

    private static func deviation(_ ranks: [Double], _ expected: [Double]) -> Double {
        let square = zip(ranks, shares(expected)).reduce(0) { $0 + $1.0 * $1.0 * $1.1 }
        let mean = mean(ranks, expected)
        return max(0, square - mean * mean).squareRoot()
    }
}
