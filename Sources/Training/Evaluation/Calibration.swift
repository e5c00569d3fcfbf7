// SPDX-License-Identifier: MIT

/// How far probabilities are from the share of failures among the rows that have them.
package struct Calibration: Equatable, Sendable {
    /// Rows of similar probability.
    package struct Bin: Equatable, Sendable {
        /// The mean probability.
        package var probability: Double
        /// The share of the rows that are of class 1.
        package var failureRate: Double
        /// The number of rows.
        package var count: Int
    }

    /// The bins of the reports.
    package static let binCount = 15

    /// The bins from the lowest probability up, of equal numbers of rows but for one.
    package let bins: [Bin]

    /// Sorts rows into bins, fewer where there are fewer rows.
    ///
    /// - Complexity: O(n log n).
    package init(probabilities: [Double], labels: [UInt8], binCount: Int = Self.binCount) {
        precondition(probabilities.count == labels.count && binCount > 0)
        // The label decides between equal probabilities, so that the order of the rows does not.
        let rows = zip(probabilities, labels).sorted { $0 < $1 }
        var bins: [Bin] = []
        for index in 0..<binCount {
            let part = rows[index * rows.count / binCount..<(index + 1) * rows.count / binCount]
            guard !part.isEmpty else { continue }
            let count = Double(part.count)
            bins.append(
                Bin(
                    probability: part.reduce(0) { $0 + $1.0 } / count,
                    failureRate: Double(part.count { $0.1 == 1 }) / count,
                    count: part.count
                )
            )
        }
        self.bins = bins
    }

    /// Expected calibration error: the mean difference of a bin's two rates, weighted by its rows.
    package var expectedError: Double {
        let total = bins.reduce(0) { $0 + $1.count }
        return bins.reduce(0) { sum, bin in
            sum + abs(bin.probability - bin.failureRate) * Double(bin.count) / Double(max(total, 1))
        }
    }
}
