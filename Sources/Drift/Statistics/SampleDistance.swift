// SPDX-License-Identifier: MIT

/// How far the distributions of two samples are apart, from one walk through both.
package struct SampleDistance: Equatable, Sendable {
    /// The numbers of values; their product has to fit an Int.
    package let counts: (Int, Int)
    /// The largest difference of the two empirical distributions, times the product of ``counts``.
    package let steps: Int
    /// The area between the two empirical distributions, in the unit of the values (Wasserstein-1).
    package let wasserstein: Double

    /// Compares samples in ascending order, each with a value at least and all finite.
    ///
    /// - Complexity: O(n).
    package init(sorted first: [Double], sorted second: [Double]) {
        precondition(!first.isEmpty && !second.isEmpty, "nothing to compare")
        let (m, n) = (first.count, second.count)
        precondition(!m.multipliedReportingOverflow(by: n).overflow, "too many to compare")
        var (i, j) = (0, 0)
        var (x, y) = (first[0], second[0])
        var largest = 0
        var area = 0.0
        // Without a branch that depends on which sample is next, which nothing can foresee.
        while true {
            let value = min(x, y)
            if x <= value {
                i &+= 1
                x = i < m ? first[i] : .infinity
            }
            if y <= value {
                j &+= 1
                y = j < n ? second[j] : .infinity
            }
            let next = min(x, y)
            guard next < .infinity else { break }
            // Between equal values the distributions have not taken their step yet.
            let difference = next > value ? abs(i &* n &- j &* m) : 0
            largest = max(largest, difference)
            area += Double(difference) * (next - value)
        }
        counts = (m, n)
        steps = largest
        wasserstein = area / (Double(m) * Double(n))
    }

    /// The largest difference of the two empirical distributions (Kolmogorov-Smirnov), 0 to 1.
    package var distance: Double { Double(steps) / (Double(counts.0) * Double(counts.1)) }

    package static func == (left: SampleDistance, right: SampleDistance) -> Bool {
        left.counts == right.counts && left.steps == right.steps
            && left.wasserstein == right.wasserstein
    }
}
