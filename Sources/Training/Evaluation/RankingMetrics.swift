// SPDX-License-Identifier: MIT

/// Areas under curves over all thresholds.
///
/// Labels are 0 or 1, higher scores mean class 1, and equal scores are one threshold.
package enum RankingMetrics {
    /// Area under the ROC curve by trapezoids, as scikit-learn's `roc_auc_score`.
    ///
    /// - Returns: Nil where one of the classes has no row.
    /// - Complexity: O(n log n).
    package static func rocAUC(scores: [Double], labels: [UInt8]) -> Double? {
        let groups = thresholds(scores, labels)
        guard let last = groups.last, last.positives > 0, last.negatives > 0 else { return nil }
        // Twice the area in pairs of rows, an exact integer below 2^53 up to 67 million rows.
        var area = 0.0
        var before = (positives: 0, negatives: 0)
        for group in groups {
            let height = Double(group.positives + before.positives)
            area += Double(group.negatives - before.negatives) * height
            before = group
        }
        return area / (2 * Double(last.positives) * Double(last.negatives))
    }

    /// Average precision, the sum of precision times the step in recall over falling thresholds, as
    /// scikit-learn's `average_precision_score`.
    ///
    /// - Returns: Nil where class 1 has no row.
    /// - Complexity: O(n log n).
    package static func averagePrecision(scores: [Double], labels: [UInt8]) -> Double? {
        let groups = thresholds(scores, labels)
        guard let last = groups.last, last.positives > 0 else { return nil }
        var sum = 0.0
        var before = 0
        for group in groups where group.positives > before {
            let precision = Double(group.positives) / Double(group.positives + group.negatives)
            sum += Double(group.positives - before) * precision
            before = group.positives
        }
        return sum / Double(last.positives)
    }

    /// The rows of each class at or above each distinct score, from the highest score down.
    static func thresholds(
        _ scores: [Double],
        _ labels: [UInt8]
    ) -> [(positives: Int, negatives: Int)] {
        precondition(scores.count == labels.count && !scores.contains(where: \.isNaN))
        let order = zip(scores, labels).sorted { $0.0 > $1.0 }
        var groups: [(positives: Int, negatives: Int)] = []
        var counts = (positives: 0, negatives: 0)
        for (index, row) in order.enumerated() {
            if row.1 == 1 { counts.positives += 1 } else { counts.negatives += 1 }
            if index + 1 == order.count || order[index + 1].0 != row.0 { groups.append(counts) }
        }
        return groups
    }
}
