// SPDX-License-Identifier: MIT

internal import Glibc

/// Whether machines differ in a feature by more than their other features lead one to expect.
///
/// Features of one fleet share causes: of twenty machines that happen to be more worn than the
/// others every sensor reads otherwise, and all tests of single features fail together. So each
/// feature's mean per machine is regressed on the means of those features that go with it, at most
/// a quarter as many as there are machines, and on the side that the machine is on (an analysis of
/// covariance); the side's share is tested by Student's t. Machines are independent, so the test
/// holds its level whatever the rows within them do.
enum OwnShift {
    /// With fewer machines on a side there is no test.
    static let machinesMin = 8
    /// The adjusted p-value below which an origin explains no others, once one surely has shifted.
    ///
    /// Of five that are left out one may be innocent, which costs little, while one that is left in
    /// hides others.
    private static let suspicion = 0.2
    /// Added to the diagonal: features that are one and the same leave an equation without answer.
    private static let ridge = 1e-3

    /// What remains of a difference.
    struct Outcome: Equatable, Sendable {
        /// The difference that the other features do not explain, in the unit of the means.
        var shift: Double
        /// The chance of one as large between machines of one fleet.
        var pValue: Double
    }

    /// Tests each feature; nil for one that does not vary.
    ///
    /// `reference` and `current` are means by feature, then machine, all finite. Of features of one
    /// origin, such as a sensor, none explains another: their shifts are one and the same. Where
    /// the means are those of groups, `weights` say of how many machines each.
    ///
    /// What has shifted explains nothing either: of two sensors that go together, a shift of the
    /// one looks like one of both, and a shift of both like none. So with a `certainty` the origin
    /// whose shift is surest is taken out of the companions and the others are tested again, as
    /// long as the first of these has an adjusted p-value below it and the next below
    /// ``suspicion``.
    ///
    /// - Complexity: O(f^2 m + f (m / 4)^3) for f features and m machines, times the origins that
    ///   have shifted.
    static func test(
        reference: [[Double]],
        current: [[Double]],
        weights: (reference: [Double], current: [Double])? = nil,
        origins: [Set<Int>] = [],
        certainty: Double? = nil
    ) -> [Outcome?] {
        guard let first = reference.first, let second = current.first,
            min(first.count, second.count) >= machinesMin
        else { return reference.map { _ in nil } }
        let weights =
            weights
            ?? (first.map { _ in 1 }, second.map { _ in 1 })
        let sizes = (weights.reference.reduce(0, +), weights.current.reduce(0, +))
        var centered: [[Double]] = []
        var differences: [Double] = []
        var scales: [Double] = []
        for (a, b) in zip(reference, current) {
            let means = (
                dot(a, weights.reference) / sizes.0, dot(b, weights.current) / sizes.1
            )
            let deviations =
                zip(a, weights.reference).map { ($0 - means.0) * $1.squareRoot() }
                + zip(b, weights.current).map { ($0 - means.1) * $1.squareRoot() }
            let scale = deviations.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let isVarying = scale > 1e-9 * max(abs(means.0), abs(means.1), 1e-300)
            scales.append(isVarying ? scale : 0)
            centered.append(isVarying ? deviations.map { $0 / scale } : [])
            differences.append(isVarying ? (means.1 - means.0) / scale : 0)
        }
        let varying = scales.indices.filter { scales[$0] > 0 }
        let machines = first.count + second.count
        let companions = min(varying.count - 1, (machines - 2) / 4)
        func outcomes(without shifted: Set<Int>) -> [Outcome?] {
            var outcomes: [Outcome?] = scales.map { _ in nil }
            for feature in varying {
                let strangers =
                    origins.isEmpty
                    ? varying
                    : varying.filter {
                        origins[$0].isDisjoint(with: origins[feature])
                            && origins[$0].isDisjoint(with: shifted)
                    }
                let others = strongest(companions, of: strangers, with: feature, centered)
                let freedom = Double(machines - 2 - others.count)
                let outcome = outcome(feature, others, centered, differences, sizes, freedom)
                outcomes[feature] = Outcome(
                    shift: outcome.shift * scales[feature],
                    pValue: outcome.pValue
                )
            }
            return outcomes
        }
        var shifted: Set<Int> = []
        var latest = outcomes(without: shifted)
        while let certainty,
            let next = surest(latest, origins, shifted, shifted.isEmpty ? certainty : suspicion)
        {
            shifted.formUnion(next)
            latest = outcomes(without: shifted)
        }
        return latest
    }

    /// The origins of the feature that is shifted most surely of those not known to be, where its
    /// adjusted p-value is below a level.
    private static func surest(
        _ outcomes: [Outcome?],
        _ origins: [Set<Int>],
        _ shifted: Set<Int>,
        _ level: Double
    ) -> Set<Int>? {
        let others = outcomes.indices.filter { index in
            outcomes[index] != nil && !origins[index].isEmpty
                && origins[index].isDisjoint(with: shifted)
        }
        let chances = others.map { outcomes[$0]?.pValue ?? 1 }
        // Adjusted ones are often equal where these are not.
        guard let place = chances.indices.min(by: { chances[$0] < chances[$1] }),
            BenjaminiHochberg.adjusted(chances)[place] < level
        else { return nil }
        return origins[others[place]]
    }

    /// The features whose means go most closely with those of one.
    private static func strongest(
        _ count: Int,
        of features: [Int],
        with feature: Int,
        _ centered: [[Double]]
    ) -> [Int] {
        let others = features.filter { $0 != feature }
        let strengths = others.map { abs(dot(centered[$0], centered[feature])) }
        let order = strengths.indices.sorted { (-strengths[$0], $0) < (-strengths[$1], $1) }
        return order.prefix(count).map { others[$0] }
    }

    private static func outcome(
        _ feature: Int,
        _ others: [Int],
        _ centered: [[Double]],
        _ differences: [Double],
        _ sizes: (Double, Double),
        _ freedom: Double
    ) -> Outcome {
        let matrix = others.map { a in
            others.map { b in dot(centered[a], centered[b]) + (a == b ? ridge : 0) }
        }
        let correlations = others.map { dot(centered[$0], centered[feature]) }
        let shifts = others.map { differences[$0] }
        let (weights, spread) = solve(matrix, correlations, shifts)
        let residual = max(ridge, 1 - dot(weights, correlations))
        let shift = differences[feature] - dot(weights, shifts)
        let variance = 1 / sizes.0 + 1 / sizes.1 + dot(shifts, spread)
        let square = shift * shift * freedom / (residual * variance)
        // Student's t as a normal deviate (D. Wallace, 1959).
        let z =
            (8 * freedom + 1) / (8 * freedom + 3)
            * (freedom * log1p(square / freedom)).squareRoot()
        return Outcome(shift: shift, pValue: erfc(z / 2.0.squareRoot()))
    }

    /// Solves two systems with one positive definite matrix, by Cholesky's method.
    private static func solve(
        _ matrix: [[Double]],
        _ first: [Double],
        _ second: [Double]
    ) -> ([Double], [Double]) {
        var lower = matrix
        for i in matrix.indices {
            for j in 0...i {
                var sum = lower[i][j]
                for k in 0..<j { sum -= lower[i][k] * lower[j][k] }
                lower[i][j] = i == j ? max(sum, 1e-12).squareRoot() : sum / lower[j][j]
            }
        }
        func substitute(_ right: [Double]) -> [Double] {
            var x = right
            for i in x.indices {
                for k in 0..<i { x[i] -= lower[i][k] * x[k] }
                x[i] /= lower[i][i]
            }
            for i in x.indices.reversed() {
                for k in i + 1..<x.count { x[i] -= lower[k][i] * x[k] }
                x[i] /= lower[i][i]
            }
            return x
        }
        return (substitute(first), substitute(second))
    }

    private static func dot(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += a[index] * b[index] }
        return sum
    }
}
