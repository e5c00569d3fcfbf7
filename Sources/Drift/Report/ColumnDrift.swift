// SPDX-License-Identifier: MIT

/// How a column differs between the reference and now.
package struct ColumnDrift: Equatable, Sendable {
    /// What was compared.
    package let column: DriftColumn
    /// The reference.
    package let reference: ColumnSide
    /// Now.
    package let current: ColumnSide
    /// What speaks for a broken sensor.
    package let faults: [SensorFault]
    /// The tests; nil where a side has no values.
    package internal(set) var tests: Tests?
    /// Both sides over the same parts, for a plot.
    package let histogram: Histogram

    /// What the tests say.
    package struct Tests: Equatable, Sendable {
        /// The largest difference of the distributions; of categories, half the sum of differences.
        package var distance: Double
        /// The area between the distributions, in the column's unit; nil of categories.
        package var wasserstein: Double?
        /// The population stability index, over deciles of the reference or over categories.
        package var stabilityIndex: Double
        /// Of Kolmogorov-Smirnov, or chi-square of categories, all rows taken for independent.
        package var pValue: Double
        /// The same with the effective numbers of rows.
        package var effectivePValue: Double
        /// That adjusted for the number of features.
        package var adjustedPValue = 1.0
        /// Of the shift that other features do not explain; nil where it was not tested.
        package var ownPValue: Double?
        /// That adjusted for the number of features.
        package var adjustedOwnPValue: Double?
        /// That shift, in standard deviations of the reference.
        package var ownShift: Double?
    }

    /// Shares of the values over parts.
    package struct Histogram: Equatable, Sendable {
        /// Borders of the parts, one more than there are; of categories none.
        package var borders: [Double] = []
        /// The reference's rows in each part.
        package var reference: [Int] = []
        /// The current rows in each part.
        package var current: [Int] = []
    }

    /// Each machine's clipped mean, and the deviation of all values; for ``OwnShift``.
    struct MachineMeans: Equatable, Sendable {
        var reference: [Double]
        var current: [Double]
        var deviation: Double
    }

    var means: MachineMeans?

    /// Whether all values of both sides are one and the same.
    var isConstant: Bool {
        guard column.kind == .number else { return false }
        let ends = [reference.sample.values, current.sample.values].flatMap { [$0.first, $0.last] }
        return Set(ends).count <= 1
    }

    /// Compares one column.
    ///
    /// - Complexity: O(n), and that of an exact p-value where both sides are small.
    package init(
        _ column: DriftColumn,
        index: Int,
        reference: DriftSample,
        current: DriftSample,
        rule: DriftRule
    ) {
        var before = ColumnSide(reference, index: index, column: column)
        var now = ColumnSide(current, index: index, column: column)
        faults = rule.faults(column, reference: before, current: now)
        if column.kind == .number {
            tests = before.count > 0 && now.count > 0 ? Self.numbers(before, now) : nil
            histogram = Self.histogram(before.sample, now.sample)
            if let a = reference.machines, let b = current.machines, tests != nil {
                means = Self.means(before, a, now, b)
            }
        } else {
            tests = before.count > 0 && now.count > 0 ? Self.categories(before, now) : nil
            histogram = Histogram(
                reference: before.categoryCounts,
                current: now.categoryCounts
            )
        }
        before.dropRows()
        now.dropRows()
        self.column = column
        self.reference = before
        self.current = now
    }

    private static func numbers(_ before: ColumnSide, _ now: ColumnSide) -> Tests {
        let distance = SampleDistance(sorted: before.sample.values, sorted: now.sample.values)
        let edges = before.sample.edges(parts: 10)
        let pValue = KolmogorovSmirnov.pValue(distance)
        let isWhole =
            before.effective == Double(before.count) && now.effective == Double(now.count)
        return Tests(
            distance: distance.distance,
            wasserstein: distance.wasserstein,
            stabilityIndex: PopulationStability.index(
                reference: before.sample.counts(edges: edges),
                current: now.sample.counts(edges: edges)
            ),
            pValue: pValue,
            effectivePValue: isWhole
                ? pValue
                : KolmogorovSmirnov.pValue(
                    distance: distance.distance,
                    counts: (before.effective, now.effective)
                )
        )
    }

    private static func categories(_ before: ColumnSide, _ now: ColumnSide) -> Tests {
        let (a, b) = (before.categoryCounts, now.categoryCounts)
        let (m, n) = (Double(before.count), Double(now.count))
        let test = ChiSquare(a, b)
        // How many times fewer rows the two sides are worth, each by its part in the variance.
        let whole = 1 / m + 1 / n
        let effect = (1 / before.effective + 1 / now.effective) / whole
        return Tests(
            distance: zip(a, b).reduce(0) { $0 + abs(Double($1.0) / m - Double($1.1) / n) } / 2,
            wasserstein: nil,
            stabilityIndex: PopulationStability.index(reference: a, current: b),
            pValue: test.pValue,
            effectivePValue: test.pValue(designEffect: max(1, effect))
        )
    }

    private static func means(
        _ before: ColumnSide,
        _ a: MachineRows,
        _ now: ColumnSide,
        _ b: MachineRows
    ) -> MachineMeans? {
        // Between ends whose difference overflows a quantile is no number.
        guard let low = before.sample.quantile(0.01), let high = before.sample.quantile(0.99),
            low <= high
        else { return nil }
        let count = Double(before.sample.values.count)
        let mean = before.sample.values.reduce(0) { $0 + $1 / count }
        let square = before.sample.values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / count }
        return MachineMeans(
            reference: before.machineMeans(a, clip: low...high),
            current: now.machineMeans(b, clip: low...high),
            deviation: square.squareRoot()
        )
    }

    /// Twenty-four equal parts between what nearly all values of both sides lie within.
    private static func histogram(_ before: SortedSample, _ now: SortedSample) -> Histogram {
        let ends = [before, now].flatMap { [$0.quantile(0.005), $0.quantile(0.995)] }
            .compactMap(\.self)
        // Beyond the limit the parts' middles would overflow.
        guard ends.allSatisfy({ $0.magnitude <= 1e300 }), let low = ends.min(),
            let high = ends.max(), low < high
        else { return Histogram() }
        let borders = (0...24).map { low + (high - low) * Double($0) / 24 }
        let inner = Array(borders[1..<24])
        return Histogram(
            borders: borders,
            reference: before.counts(edges: inner),
            current: now.counts(edges: inner)
        )
    }
}
