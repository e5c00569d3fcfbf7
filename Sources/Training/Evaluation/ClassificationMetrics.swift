// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// How well probabilities of class 1 fit labels: at one threshold, over all, and as probabilities.
///
/// Definitions are scikit-learn's. A quotient without a denominator is 0 in the scores of a class
/// and nil elsewhere.
package struct ClassificationMetrics: Equatable, Sendable {
    /// The scores of one class, or an average of them.
    package struct ClassScores: Equatable, Sendable {
        /// Share of the rows called this class that are of it; 0 where none is called so.
        package var precision: Double
        /// Share of the rows of this class that are called so; 0 where there are none.
        package var recall: Double
        /// Harmonic mean of precision and recall.
        package var f1: Double
        /// The number of rows of this class.
        package var support: Int
    }

    /// Rows of probability at or above it are called class 1.
    package let threshold: Double
    /// Rows of class 0 called 0.
    package let trueNegatives: Int
    /// Rows of class 0 called 1.
    package let falsePositives: Int
    /// Rows of class 1 called 0.
    package let falseNegatives: Int
    /// Rows of class 1 called 1.
    package let truePositives: Int
    /// Area under the ROC curve; nil with one class only.
    package let rocAUC: Double?
    /// Area under the precision-recall curve (average precision); nil without class 1.
    package let prAUC: Double?
    /// Mean of -log(probability of the true class), probabilities clipped to 2^-52...1 - 2^-52.
    package let logLoss: Double
    /// Mean squared difference of probability and label.
    package let brier: Double

    /// Judges probabilities; nil without rows.
    ///
    /// - Complexity: O(n log n).
    package init?(probabilities: [Double], labels: [UInt8], threshold: Double = 0.5) {
        precondition(probabilities.count == labels.count)
        guard !labels.isEmpty else { return nil }
        var counts = (tn: 0, fp: 0, fn: 0, tp: 0)
        var (loss, square) = (0.0, 0.0)
        for (probability, label) in zip(probabilities, labels) {
            precondition((0...1).contains(probability) && label <= 1)
            switch (label, probability >= threshold) {
            case (0, false): counts.tn += 1
            case (0, true): counts.fp += 1
            case (_, false): counts.fn += 1
            case (_, true): counts.tp += 1
            }
            let clipped = min(max(probability, 0x1p-52), 1 - 0x1p-52)
            loss -= PortableMath.log(label == 1 ? clipped : 1 - clipped)
            let error = probability - Double(label)
            square += error * error
        }
        self.threshold = threshold
        (trueNegatives, falsePositives, falseNegatives, truePositives) = counts
        logLoss = loss / Double(labels.count)
        brier = square / Double(labels.count)
        rocAUC = RankingMetrics.rocAUC(scores: probabilities, labels: labels)
        prAUC = RankingMetrics.averagePrecision(scores: probabilities, labels: labels)
    }

    /// The number of rows.
    package var count: Int { trueNegatives + falsePositives + falseNegatives + truePositives }

    /// Share of rows called right.
    package var accuracy: Double { Double(trueNegatives + truePositives) / Double(count) }

    /// False positives among the rows of class 0; nil without such rows.
    package var falsePositiveRate: Double? {
        Self.quotient(falsePositives, falsePositives + trueNegatives)
    }

    /// False negatives among the rows of class 1; nil without such rows.
    package var falseNegativeRate: Double? {
        Self.quotient(falseNegatives, falseNegatives + truePositives)
    }

    /// The scores of class 0 and of class 1.
    package var classes: [ClassScores] {
        [
            Self.scores(trueNegatives, called: falseNegatives, missed: falsePositives),
            Self.scores(truePositives, called: falsePositives, missed: falseNegatives),
        ]
    }

    /// The plain mean over the classes that occur or are called.
    package var macroAverage: ClassScores { average { _ in 1 } }

    /// The mean over the classes weighted by their rows.
    package var weightedAverage: ClassScores { average { Double($0.support) } }

    private func average(_ weight: (ClassScores) -> Double) -> ClassScores {
        var result = ClassScores(precision: 0, recall: 0, f1: 0, support: count)
        // A class that neither occurs nor is called is no class of these rows.
        let called = [trueNegatives + falseNegatives, truePositives + falsePositives]
        let present = zip(classes, called).filter { $0.0.support > 0 || $0.1 > 0 }.map(\.0)
        let total = present.reduce(0) { $0 + weight($1) }
        for scores in present {
            let share = weight(scores) / total
            result.precision += share * scores.precision
            result.recall += share * scores.recall
            result.f1 += share * scores.f1
        }
        return result
    }

    private static func scores(_ right: Int, called wrong: Int, missed: Int) -> ClassScores {
        ClassScores(
            precision: quotient(right, right + wrong) ?? 0,
            recall: quotient(right, right + missed) ?? 0,
            f1: quotient(2 * right, 2 * right + wrong + missed) ?? 0,
            support: right + missed
        )
    }

    private static func quotient(_ part: Int, _ whole: Int) -> Double? {
        whole == 0 ? nil : Double(part) / Double(whole)
    }
}
