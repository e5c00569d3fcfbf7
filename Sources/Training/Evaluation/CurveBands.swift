// SPDX-License-Identifier: MIT

package import JSON

/// ROC and precision-recall curve of probabilities, and how far they would be others on other
/// machines of the same kind.
///
/// Machines are drawn with replacement, all rows of one together (rows, where they belong to no
/// machine); the bands hold the middle 95 % of what the draws give. Rows of a machine depend on
/// each other, so that drawing rows would give bands far too narrow.
package struct CurveBands: Equatable, Sendable {
    /// A curve's value at a place, and the middle 95 % of the draws.
    package struct Point: Equatable, Sendable {
        /// False positive rate, or recall.
        package var place: Double
        /// True positive rate, or precision.
        package var value: Double
        /// Below it are 2.5 % of the draws.
        package var low: Double
        /// Above it are 2.5 % of the draws.
        package var high: Double
    }

    private static let places = (0...50).map { Double($0) / 50 }
    private static let level = 0.95

    /// True positive rate over false positive rate.
    package private(set) var roc: [Point] = []
    /// Precision over recall.
    package private(set) var precisionRecall: [Point] = []
    /// The middle 95 % of the areas under the ROC curve.
    package private(set) var rocAUC: ClosedRange<Double> = 0...0
    /// The middle 95 % of the average precisions.
    package private(set) var prAUC: ClosedRange<Double> = 0...0
    /// How many draws had both classes.
    package private(set) var draws = 0
    /// What was drawn: the number of machines, or of rows.
    package let units: Int
    private let seed: UInt64

    /// Draws; nil where a class has no row, or there are fewer than two machines.
    ///
    /// - Complexity: O(n log n + draws n).
    package init?(
        probabilities: [Double],
        labels: [UInt8],
        machines: CategoryColumn?,
        draws: Int = 200,
        seed: UInt64 = 1
    ) {
        units = machines?.categories.count ?? labels.count
        self.seed = seed
        guard units > 1, labels.contains(0), labels.contains(1) else { return nil }
        let rows = Rows(probabilities, labels, machines: machines)
        let whole = Curves(rows, weights: Array(repeating: 1, count: units))
        var generator = SeededGenerator(seed: seed)
        var drawn: [Curves] = []
        for _ in 0..<draws {
            var weights = Array(repeating: 0.0, count: units)
            for _ in 0..<units { weights[generator.uniform(below: units)] += 1 }
            if let curves = Curves(rows, weights: weights) { drawn.append(curves) }
        }
        guard let whole, !drawn.isEmpty else { return nil }
        self.draws = drawn.count
        rocAUC = Self.middle(drawn.map(\.rocAUC))
        prAUC = Self.middle(drawn.map(\.prAUC))
        func points(_ curve: (Curves) -> [Double]) -> [Point] {
            Self.places.enumerated().map { index, place in
                let band = Self.middle(drawn.map { curve($0)[index] })
                return Point(
                    place: place,
                    value: curve(whole)[index],
                    low: band.lowerBound,
                    high: band.upperBound
                )
            }
        }
        roc = points(\.roc)
        precisionRecall = points(\.precision)
    }

    private static func middle(_ values: [Double]) -> ClosedRange<Double> {
        let sorted = values.sorted()
        let cut = (1 - level) / 2
        let low = TransformFitter.quantile(cut, ofSorted: sorted)
        return low...max(low, TransformFitter.quantile(1 - cut, ofSorted: sorted))
    }

    /// The part of `evaluation.json`.
    package var json: JSONValue {
        func interval(_ range: ClosedRange<Double>) -> JSONValue {
            [.number(range.lowerBound), .number(range.upperBound)]
        }
        return [
            "level": .number(Self.level), "draws": .integer(draws), "units": .integer(units),
            "seed": .integer(Int(seed)), "roc_auc": interval(rocAUC), "pr_auc": interval(prAUC),
        ]
    }

    /// Rows from the highest probability down.
    struct Rows {
        /// Whether no row of the same probability follows.
        let isLast: [Bool]
        let labels: [UInt8]
        let units: [Int]

        init(_ probabilities: [Double], _ labels: [UInt8], machines: CategoryColumn?) {
            let order = probabilities.indices.sorted { probabilities[$0] > probabilities[$1] }
            isLast = order.indices.map { place in
                place + 1 == order.count
                    || probabilities[order[place]] != probabilities[order[place + 1]]
            }
            self.labels = order.map { labels[$0] }
            units = machines.map { column in order.map { Int(column.codes[$0]) } } ?? order
        }
    }

    /// The curves of one draw at ``places``.
    struct Curves {
        var roc: [Double] = []
        var precision: [Double] = []
        var rocAUC = 0.0
        var prAUC = 0.0

        /// Nil where the draw lacks a class.
        init?(_ rows: Rows, weights: [Double]) {
            var totals = (0.0, 0.0)
            for (label, unit) in zip(rows.labels, rows.units) {
                if label == 1 { totals.1 += weights[unit] } else { totals.0 += weights[unit] }
            }
            guard totals.0 > 0, totals.1 > 0 else { return nil }
            var (wrong, right) = (0.0, 0.0)
            var before = (wrong: 0.0, right: 0.0)
            for place in rows.labels.indices {
                let weight = weights[rows.units[place]]
                if rows.labels[place] == 1 { right += weight } else { wrong += weight }
                guard rows.isLast[place], wrong + right > before.wrong + before.right else {
                    continue
                }
                step(from: before, to: (wrong, right), totals)
                before = (wrong, right)
            }
            while roc.count < CurveBands.places.count { roc.append(1) }
            while precision.count < CurveBands.places.count {
                precision.append(precision.last ?? 0)
            }
        }

        /// One threshold: a straight piece of the ROC curve, a step of the other.
        private mutating func step(
            from before: (wrong: Double, right: Double),
            to now: (wrong: Double, right: Double),
            _ totals: (Double, Double)
        ) {
            let x = (before.wrong / totals.0, now.wrong / totals.0)
            let y = (before.right / totals.1, now.right / totals.1)
            rocAUC += (x.1 - x.0) * (y.0 + y.1) / 2
            let share = now.right / (now.wrong + now.right)
            prAUC += (y.1 - y.0) * share
            let places = CurveBands.places
            while roc.count < places.count, places[roc.count] < x.1 {
                let part = (places[roc.count] - x.0) / (x.1 - x.0)
                roc.append(y.0 + part * (y.1 - y.0))
            }
            while precision.count < places.count, places[precision.count] <= y.1 + 1e-12 {
                precision.append(share)
            }
        }
    }
}
