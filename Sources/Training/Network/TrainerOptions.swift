// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// How a network is trained; the defaults are the product's.
package struct TrainerOptions: Equatable, Sendable {
    /// Widths of the hidden layers, each Dense -> BatchNorm -> ReLU -> Dropout.
    package var hiddenSizes = [128, 64, 32]
    /// The share of hidden outputs that dropout sets to zero, in 0..<1.
    package var dropout = 0.3
    /// Whether class c weighs total / (2 count_c) in the loss.
    package var weighsClasses = true
    /// Rows per step, at least 2.
    package var batchSize = 128
    /// The most epochs.
    package var epochs = 50
    /// Seed of start weights, order and dropout.
    package var seed: UInt64 = 42
    /// Adam's learning rate at the start.
    package var learningRate = 1e-3
    /// Adam's decay of the first moment.
    package var beta1 = 0.9
    /// Adam's decay of the second moment.
    package var beta2 = 0.999
    /// Added to the root of Adam's second moment.
    package var adamEpsilon = 1e-7
    /// Added to the variance by batch normalisation.
    package var normalizationEpsilon = 1e-3
    /// Share of the old running moments kept per step.
    package var normalizationMomentum = 0.99
    /// Epochs without a better validation PR-AUC before training stops.
    package var stopPatience = 10
    /// Epochs without a better validation PR-AUC before the learning rate falls.
    package var plateauPatience = 5
    /// What the learning rate is multiplied by then.
    package var plateauFactor = 0.5
    /// The lowest learning rate.
    package var learningRateMin = 1e-6

    /// The defaults.
    package init() {}
}

/// What one epoch came to.
package struct EpochReport: Equatable, Sendable {
    /// Counted from 1.
    package var epoch: Int
    /// Mean weighted loss over the training rows, as the steps saw it (with dropout).
    package var loss: Double
    /// Mean weighted loss over the validation rows.
    package var validationLoss: Double
    /// Share of validation rows judged right at threshold 0.5.
    package var accuracy: Double
    /// Precision of class 1 on the validation rows.
    package var precision: Double
    /// Recall of class 1 on the validation rows.
    package var recall: Double
    /// ROC-AUC on the validation rows; nil with one class only.
    package var rocAUC: Double?
    /// PR-AUC (average precision) on the validation rows; nil without positives.
    package var prAUC: Double?
    /// The learning rate of this epoch.
    package var learningRate: Double
    /// Whether its weights are the best so far.
    package var isBest: Bool
}

/// Why a training cannot start or go on.
package enum TrainerError: Error, Equatable, CustomStringConvertible {
    /// An option is out of its range.
    case option(name: String, value: String, allowed: String)
    /// Features and labels do not agree in number.
    case shape(features: Int, inputs: Int, labels: Int)
    /// A row index is not in the matrix.
    case rowIndex(Int, rows: Int)
    /// Too few training rows.
    case rows(actual: Int, minimum: Int)
    /// The training rows are all of one class.
    case oneClass
    /// A label is neither 0 nor 1.
    case label(row: Int)
    /// A feature is not finite.
    case notFinite(row: Int, column: Int)
    /// The loss or a weight became infinite or NaN.
    case diverged(epoch: Int)

    package var description: String {
        switch self {
        case .option(let name, let value, let allowed):
            "\(name) is \(value), allowed is \(allowed)"
        case .shape(let features, let inputs, let labels):
            "\(features) feature values are not \(labels) rows of \(inputs)"
        case .rowIndex(let index, let rows): "row index \(index) of \(rows) rows"
        case .rows(let actual, let minimum): "\(actual) training rows, at least \(minimum) needed"
        case .oneClass: "the training rows are all of one class"
        case .label(let row): "row \(row): the label is neither 0 nor 1"
        case .notFinite(let row, let column): "row \(row), feature \(column): not finite"
        case .diverged(let epoch): "training diverged in epoch \(epoch)"
        }
    }
}

extension TrainerOptions {
    /// Checks every range.
    ///
    /// - Throws: ``TrainerError/option(name:value:allowed:)``.
    package func validate() throws(TrainerError) {
        func require(
            _ holds: Bool,
            _ name: String,
            _ value: Any,
            _ allowed: String
        ) throws(TrainerError) {
            guard holds else { throw .option(name: name, value: "\(value)", allowed: allowed) }
        }
        let widths = 1...Network.widthMax
        try require(
            hiddenSizes.count < Network.layerCountMax && hiddenSizes.allSatisfy(widths.contains),
            "hidden sizes",
            hiddenSizes,
            "up to \(Network.layerCountMax - 1) widths of 1 to \(Network.widthMax)"
        )
        try require(dropout >= 0 && dropout < 1, "dropout", dropout, "0 <= dropout < 1")
        try require((2...65_536).contains(batchSize), "batch size", batchSize, "2 to 65536")
        try require(epochs > 0, "epochs", epochs, "at least 1")
        try require(
            learningRate > 0 && learningRate.isFinite,
            "learning rate",
            learningRate,
            "positive"
        )
        try require((0..<1).contains(beta1), "beta1", beta1, "0 <= beta1 < 1")
        try require((0..<1).contains(beta2), "beta2", beta2, "0 <= beta2 < 1")
        try require(adamEpsilon > 0, "Adam epsilon", adamEpsilon, "positive")
        try require(
            normalizationEpsilon > 0,
            "normalization epsilon",
            normalizationEpsilon,
            "positive"
        )
        try require(
            (0..<1).contains(normalizationMomentum),
            "normalization momentum",
            normalizationMomentum,
            "0 <= momentum < 1"
        )
        try require(stopPatience > 0, "stop patience", stopPatience, "at least 1")
        try require(plateauPatience > 0, "plateau patience", plateauPatience, "at least 1")
        try require(
            plateauFactor > 0 && plateauFactor <= 1,
            "plateau factor",
            plateauFactor,
            "0 < factor <= 1"
        )
        try require(learningRateMin >= 0, "least learning rate", learningRateMin, "at least 0")
    }
}
