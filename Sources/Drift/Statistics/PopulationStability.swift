// SPDX-License-Identifier: MIT

internal import Glibc

/// The population stability index of two rows of counts over the same parts.
package enum PopulationStability {
    /// The sum over the parts of (q - p) log(q / p), the shares with half a row added to each part:
    /// below 0.1 little has changed, above 0.25 much.
    package static func index(reference: [Int], current: [Int]) -> Double {
        precondition(reference.count == current.count && !reference.isEmpty)
        let parts = Double(reference.count) / 2
        let totals = (Double(reference.reduce(0, +)) + parts, Double(current.reduce(0, +)) + parts)
        var sum = 0.0
        for (a, b) in zip(reference, current) {
            let (p, q) = ((Double(a) + 0.5) / totals.0, (Double(b) + 0.5) / totals.1)
            sum += (q - p) * log(q / p)
        }
        return sum
    }
}
