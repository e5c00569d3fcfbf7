// SPDX-License-Identifier: MIT

package import ModelRuntime

/// How a logit's probability is corrected with rows that the network was not trained on.
package enum CalibrationMethod: String, CaseIterable, Sendable {
    /// A straight line through the log-odds.
    case platt
    /// The rising steps that fit best.
    case isotonic
    /// Not at all.
    case none
}

/// Logits of held-out rows, from which a calibration is fitted.
package struct HeldOutLogits: Sendable {
    /// The logits, each by a network that has not seen the row's machine.
    package var logits: [Float] = []
    /// 0 or 1 per row.
    package var labels: [UInt8] = []
    /// The part of the machines that each row belongs to.
    package var folds: [Int] = []

    /// No rows.
    package init() {}

    /// Adds a row.
    package mutating func append(logit: Float, label: UInt8, fold: Int) {
        logits.append(logit)
        labels.append(label)
        folds.append(fold)
    }

    /// Fits a calibration and keeps it where it does better on machines that it was not fitted on.
    ///
    /// Each fold's rows are judged with what the other folds give: a lower log loss than the plain
    /// sigmoid's is the promise to hold. It is ``Calibrator/identity`` too where there is but one
    /// fold or class.
    package func calibrator(_ method: CalibrationMethod) -> Calibrator {
        guard let fitted = fit(method) else { return .identity }
        var (loss, plainLoss) = (0.0, 0.0)
        for fold in Set(folds).sorted() {
            guard let other = rows({ $0 != fold }).fit(method) else { return .identity }
            let held = rows { $0 == fold }
            loss += held.logLoss(other)
            plainLoss += held.logLoss(.identity)
        }
        return loss < plainLoss ? fitted : .identity
    }

    /// The probabilities of the rows.
    package func probabilities(_ calibrator: Calibrator) -> [Double] {
        logits.map { calibrator.probability(ofLogit: $0) }
    }

    private func fit(_ method: CalibrationMethod) -> Calibrator? {
        guard labels.contains(0), labels.contains(1) else { return nil }
        switch method {
        case .platt: return PlattFit.calibrator(logits: logits, labels: labels)
        case .isotonic: return IsotonicFit.calibrator(logits: logits, labels: labels)
        case .none: return nil
        }
    }

    private func rows(_ isChosen: (Int) -> Bool) -> HeldOutLogits {
        var part = HeldOutLogits()
        for row in labels.indices where isChosen(folds[row]) {
            part.append(logit: logits[row], label: labels[row], fold: folds[row])
        }
        return part
    }

    /// The sum, with probabilities clipped as in ``ClassificationMetrics``.
    private func logLoss(_ calibrator: Calibrator) -> Double {
        zip(logits, labels).reduce(0) { sum, row in
            let probability = calibrator.probability(ofLogit: row.0)
            let clipped = min(max(probability, 0x1p-52), 1 - 0x1p-52)
            return sum - PortableMath.log(row.1 == 1 ? clipped : 1 - clipped)
        }
    }
}
