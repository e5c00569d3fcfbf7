// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// Fits the slope and offset that make logits log-odds.
///
/// After Platt, "Probabilistic Outputs for Support Vector Machines" (1999): the targets are moved
/// off 0 and 1 as if one more row of each class had been seen, as in scikit-learn's sigmoid
/// calibration.
enum PlattFit {
    private static let iterationsMax = 100

    /// The calibration; nil where higher logits do not mean more failures.
    ///
    /// Both classes must be there.
    static func calibrator(logits: [Float], labels: [UInt8]) -> Calibrator? {
        let positives = Double(labels.count { $0 == 1 })
        let negatives = Double(labels.count) - positives
        let high = (positives + 1) / (positives + 2)
        let low = 1 / (negatives + 2)
        var (slope, offset) = (0.0, PortableMath.log((positives + 1) / (negatives + 1)))
        var loss = Double.infinity
        var step = (slope: 0.0, offset: 0.0)
        for _ in 0..<iterationsMax {
            let sums = Sums(logits, labels, (low, high), slope, offset)
            // Newton's step may overshoot: it is halved until the loss falls.
            if sums.loss > loss {
                step = (step.slope / 2, step.offset / 2)
                (slope, offset) = (slope - step.slope, offset - step.offset)
                continue
            }
            guard loss - sums.loss > 1e-12 * sums.loss else { break }
            loss = sums.loss
            step = sums.step
            (slope, offset) = (slope + step.slope, offset + step.offset)
        }
        return slope > 0 && slope.isFinite ? .platt(slope: slope, offset: offset) : nil
    }

    /// The cross-entropy at a line, its gradient and its curvature.
    private struct Sums {
        var loss = 0.0
        private var gradient = (slope: 0.0, offset: 0.0)
        // Without it the curvature of separated classes would end at zero.
        private var curvature = (slope: 1e-12, both: 0.0, offset: 1e-12)

        init(
            _ logits: [Float],
            _ labels: [UInt8],
            _ targets: (low: Double, high: Double),
            _ slope: Double,
            _ offset: Double
        ) {
            for (logit, label) in zip(logits, labels) {
                let x = Double(logit)
                let odds = slope * x + offset
                let target = label == 1 ? targets.high : targets.low
                let probability = PortableMath.sigmoid(odds)
                loss += PortableMath.softplus(odds) - target * odds
                gradient.slope += (probability - target) * x
                gradient.offset += probability - target
                let weight = probability * (1 - probability)
                curvature.slope += weight * x * x
                curvature.both += weight * x
                curvature.offset += weight
            }
        }

        /// Newton's step.
        var step: (slope: Double, offset: Double) {
            let (a, b, c) = curvature
            let determinant = a * c - b * b
            return (
                (b * gradient.offset - c * gradient.slope) / determinant,
                (b * gradient.slope - a * gradient.offset) / determinant
            )
        }
    }
}
