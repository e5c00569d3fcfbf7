// SPDX-License-Identifier: MIT

/// The two-sample Kolmogorov-Smirnov test, two-sided, with SciPy's `ks_2samp` as its definition.
package enum KolmogorovSmirnov {
    /// Up to so many values in the larger sample the p-value is exact, as `ks_2samp` chooses.
    package static let exactCountMax = 10_000

    /// The chance of a distance as large between two samples of one distribution.
    ///
    /// - Complexity: O(m n distance) where it is exact, at most O(m + n) elsewhere.
    package static func pValue(_ distance: SampleDistance) -> Double {
        let (m, n) = distance.counts
        guard max(m, n) <= exactCountMax else {
            return pValue(distance: distance.distance, counts: (Double(m), Double(n)))
        }
        return LatticePaths.shareOutside(m, n, steps: distance.steps)
    }

    /// The same for large samples, whose sizes need not be whole numbers: what correction for
    /// dependent rows leaves of them.
    package static func pValue(distance: Double, counts: (Double, Double)) -> Double {
        let size = counts.0 * counts.1 / (counts.0 + counts.1)
        let rounded = max(1, size.rounded(.toNearestOrEven))
        return KolmogorovDistribution.survival(distance, count: Int(rounded))
    }
}
