// SPDX-License-Identifier: MIT

internal import Glibc

/// Pearson's test of two rows of counts, without a correction for continuity: SciPy's
/// `chi2_contingency(.., correction=False)`.
package struct ChiSquare: Equatable, Sendable {
    /// The statistic.
    package let statistic: Double
    /// One less than the categories that occur.
    package let degreesOfFreedom: Int

    /// Compares counts per category; a category that neither side has counts for nothing.
    package init(_ first: [Int], _ second: [Int]) {
        precondition(first.count == second.count)
        let totals = (Double(first.reduce(0, +)), Double(second.reduce(0, +)))
        var sum = 0.0
        var present = 0
        for (a, b) in zip(first, second) where a + b > 0 {
            present += 1
            let share = Double(a + b) / (totals.0 + totals.1)
            for (count, total) in [(Double(a), totals.0), (Double(b), totals.1)] where total > 0 {
                let expected = share * total
                sum += (count - expected) * (count - expected) / expected
            }
        }
        statistic = sum
        degreesOfFreedom = max(0, present - 1)
    }

    /// The chance of a statistic as large where both rows have one distribution.
    package var pValue: Double { pValue(designEffect: 1) }

    /// The same where rows depend on each other: they are worth `designEffect` times fewer.
    package func pValue(designEffect: Double) -> Double {
        guard degreesOfFreedom > 0 else { return 1 }
        return Self.upperGamma(Double(degreesOfFreedom) / 2, statistic / designEffect / 2)
    }

    /// The regularised upper incomplete gamma function, for half-integer `a` > 0.
    static func upperGamma(_ a: Double, _ x: Double) -> Double {
        guard x > 0 else { return 1 }
        let scale = exp(a * log(x) - x - logGamma(a))
        if x < a + 1 {
            // The power series of the lower one.
            var (term, sum, divisor) = (1 / a, 1 / a, a)
            while term > sum * 0x1p-56 {
                divisor += 1
                term *= x / divisor
                sum += term
            }
            return max(0, 1 - sum * scale)
        }
        // The continued fraction, by Lentz's method.
        var b = x + 1 - a
        var c = 1 / Double.leastNormalMagnitude
        var d = 1 / b
        var fraction = d
        for i in 1...10_000 {
            let factor = -Double(i) * (Double(i) - a)
            b += 2
            d = 1 / (factor * d + b)
            c = b + factor / c
            let change = c * d
            fraction *= change
            if abs(change - 1) < 0x1p-52 { break }
        }
        return scale * fraction
    }

    /// log of the gamma function: by its recurrence up to 10, from there Stirling's series.
    private static func logGamma(_ a: Double) -> Double {
        var (x, shift) = (a, 0.0)
        while x < 10 {
            shift += log(x)
            x += 1
        }
        let square = 1 / (x * x)
        let series =
            (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680))) / x
        return (x - 0.5) * log(x) - x + 0.5 * log(2 * .pi) + series - shift
    }
}
