// SPDX-License-Identifier: MIT

internal import Glibc

extension KolmogorovDistribution {
    /// The chance of a distance below `x` by Kolmogorov's limit and three corrections of it.
    ///
    /// Each is a sum that ends quickly (Pelz and Good, "Approximating the lower tail-areas of the
    /// Kolmogorov-Smirnov one-sample statistic", 1976).
    static func cumulativeBySeries(_ x: Double, _ n: Int) -> Double {
        let root = Double(n).squareRoot()
        let z = x * root
        let (z2, z4) = (z * z, z * z * z * z)
        let z6 = z4 * z2
        let pi2 = Double.pi * .pi
        let (pi4, pi6) = (pi2 * pi2, pi2 * pi2 * pi2)
        // Sums over k = 1/2, 3/2, ..: those over all k + 1/2 are twice as much.
        var sums = (0.0, 0.0, 0.0, 0.0)
        // Sums over k = 1, 2, ..
        var (whole2, whole3) = (0.0, 0.0)
        for index in 0..<maxTerms(z) {
            let half = Double(index) + 0.5
            let k2 = half * half
            let (k4, k6) = (k2 * k2, k2 * k2 * k2)
            let weight = exp(-pi2 * k2 / (2 * z2))
            sums.0 += weight
            sums.1 += (pi2 * k2 - z2) * weight
            let second = 6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * k2 + pi4 * (1 - 2 * z2) * k4
            sums.2 += second * weight
            var third = pi6 * k6 * (5 - 30 * z2) + pi4 * k4 * (-60 * z2 + 212 * z4)
            third += pi2 * k2 * (135 * z4 - 96 * z6) - 30 * z6 - 90 * z6 * z2
            sums.3 += third * weight
            let count = Double(index + 1)
            let c2 = count * count
            let countWeight = exp(-pi2 * c2 / (2 * z2))
            whole2 += pi2 * c2 * countWeight
            whole3 += (3 * pi2 * c2 * z2 - pi4 * c2 * c2) * countWeight
        }
        let factor = (Double.pi / 2).squareRoot()
        let first = 2 * factor / z * sums.0
        let correction1 = factor * 2 * sums.1 / (6 * z4)
        let correction2 =
            factor * 2 * sums.2 / (72 * z6 * z) - factor * 2 * whole2 / (36 * z2 * z)
        let correction3 =
            factor * 2 * sums.3 / (6480 * z6 * z4) + factor * whole3 / (108 * z6)
        return first + correction1 / root + correction2 / (root * root)
            + correction3 / (root * root * root)
    }

    /// So many terms that the next ones are below the last bit.
    private static func maxTerms(_ z: Double) -> Int { Int((16 * z / .pi).rounded(.up)) }
}
