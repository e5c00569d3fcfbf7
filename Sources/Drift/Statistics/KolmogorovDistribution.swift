// SPDX-License-Identifier: MIT

internal import Glibc

/// The distribution of the two-sided one-sample Kolmogorov-Smirnov distance.
///
/// Which way of computing it is taken where follows R. Simard and P. L'Ecuyer, "Computing the
/// two-sided Kolmogorov-Smirnov distribution", Journal of Statistical Software 39 (2011), with
/// SciPy's borders; against SciPy it is right to 1e-9 of the value or better.
package enum KolmogorovDistribution {
    /// Up to so many values the exact ways are short.
    private static let smallCountMax = 140
    /// The matrix would be large beyond this.
    private static let matrixCountMax = 100_000

    /// The chance that the distance from `count` values to their distribution is `x` or more.
    package static func survival(_ x: Double, count n: Int) -> Double {
        precondition(n > 0, "no values")
        let size = Double(n)
        let t = size * x
        if x >= 1 { return 0 }
        if t <= 0.5 { return 1 }
        if t <= 1 { return 1 - smallest(2 * t - 1, n) }
        if t >= size - 1 { return 2 * pow(1 - x, size) }
        let square = t * x
        if square >= 370 { return 0 }
        if n <= smallCountMax {
            if x >= 0.5 || square > 4 { return clipped(2 * smirnov(x, n)) }
            return clipped(1 - cumulativeByMatrix(x, n))
        }
        // Beyond 2.2 both tails together are what either of them gives, to all digits.
        if x >= 0.5 || square >= 2.2 { return clipped(2 * smirnov(x, n)) }
        if n <= matrixCountMax, size * pow(x, 1.5) <= 1.4 {
            return clipped(1 - cumulativeByMatrix(x, n))
        }
        return clipped(1 - cumulativeBySeries(x, n))
    }

    private static func clipped(_ chance: Double) -> Double { min(max(chance, 0), 1) }

    /// n! (w / n)^n: the chance of the least distances, with w = 2 n x - 1.
    private static func smallest(_ w: Double, _ n: Int) -> Double {
        let size = Double(n)
        // log n! by Stirling, whose error is what is added.
        let logs = 0.5 * log(2 * .pi * size) - size + stirlingError(n)
        return exp(logs + size * log(w))
    }

    /// The chance of a one-sided distance of `x` or more (Smirnov):
    /// x sum over v <= n (1 - x) of C(n, v) (x + v / n)^(v - 1) (1 - x - v / n)^(n - v).
    ///
    /// Each term is a binomial chance; after C. Loader ("Fast and accurate computation of binomial
    /// probabilities", 2000) their logarithms are small differences, taken without cancelling.
    private static func smirnov(_ x: Double, _ n: Int) -> Double {
        let size = Double(n)
        let t = size * x
        // v = 0 stands apart.
        var sum = exp(size * log1p(-x))
        let errorOfAll = stirlingError(n)
        let last = Int((size - t).rounded(.up)) - 1
        guard last >= 1 else { return sum }
        let middle = max(1, min(last, Int((size - t) / 2)))
        func term(_ v: Int) -> Double {
            let (below, above) = (Double(v), size - Double(v))
            let power = below * log1p(t / below) + above * log1p(-t / above)
            let errors = errorOfAll - stirlingError(v) - stirlingError(n - v)
            return exp(power + errors) * (size / (2 * .pi * below * above)).squareRoot()
                * (t / (t + below))
        }
        // The terms fall off on both sides of the middle; those that add nothing are left out.
        for v in middle...last {
            let next = term(v)
            sum += next
            if next < sum * 0x1p-60 { break }
        }
        var v = middle - 1
        while v >= 1 {
            let next = term(v)
            sum += next
            if next < sum * 0x1p-60 { break }
            v -= 1
        }
        return sum
    }

    /// log n! - log(sqrt(2 pi n) (n / e)^n).
    private static func stirlingError(_ n: Int) -> Double {
        guard n > 15 else { return smallStirlingErrors[n] }
        let inverse = 1 / Double(n)
        let square = inverse * inverse
        return inverse
            * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680))))
    }

    private static let smallStirlingErrors: [Double] = (0...15).map { n in
        guard n > 0 else { return 0 }
        let factorial = (1...n).reduce(1.0) { $0 * Double($1) }
        let size = Double(n)
        return log(factorial) - 0.5 * log(2 * .pi * size) - size * log(size) + size
    }
}
