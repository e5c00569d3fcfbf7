// SPDX-License-Identifier: MIT

/// The correction for testing many features at once.
package enum BenjaminiHochberg {
    /// The p-values adjusted so that of those below a level at most that share is false.
    ///
    /// By Benjamini and Hochberg (1995): SciPy's `false_discovery_control`.
    ///
    /// - Complexity: O(n log n).
    package static func adjusted(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.sorted { pValues[$0] > pValues[$1] }
        var adjusted = pValues
        var least = 1.0
        for (place, index) in order.enumerated() {
            let rank = Double(pValues.count - place)
            least = min(least, pValues[index] * Double(pValues.count) / rank)
            adjusted[index] = least
        }
        return adjusted
    }
}
