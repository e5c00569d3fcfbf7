// SPDX-License-Identifier: MIT

package import ModelRuntime

extension TrainingRun {
    /// The network of trained members, as it would serve.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where their weights make none.
    package static func network(
        _ members: [TrainedNetwork]
    ) throws(TrainingError) -> Network {
        do throws(NetworkError) {
            return try Network(layers: members[0].layers, members: members.map(\.tensors))
        } catch {
            throw .unusable("the trained network: \(error)")
        }
    }

    /// Scores a matrix with a network that has no calibration.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where there are no rows.
    package static func score(
        _ matrix: FeatureMatrix,
        network: Network,
        threshold: Double
    ) throws(TrainingError) -> Evaluation {
        let evaluation = Evaluation(
            probabilities: try probabilities(matrix, network: network, calibrator: .identity),
            labels: matrix.labels,
            threshold: threshold
        )
        guard let evaluation else { throw .unusable("there are no rows to score") }
        return evaluation
    }

    /// The probability of each row, by the functions that the server calls.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where the network's sums overflow.
    package static func probabilities(
        _ matrix: FeatureMatrix,
        network: Network,
        calibrator: Calibrator
    ) throws(TrainingError) -> [Double] {
        try logits(matrix, network: network).map { calibrator.probability(ofLogit: $0) }
    }

    /// The logit of each row.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where the network's sums overflow.
    static func logits(
        _ matrix: FeatureMatrix,
        network: Network
    ) throws(TrainingError) -> [Float] {
        var logits = [Float](repeating: 0, count: matrix.rowCount)
        var output = logits.mutableSpan
        let scratch = ForwardScratch(for: network)
        network.forward(rows: matrix.values.span, into: &output, scratch: scratch)
        if let row = logits.firstIndex(where: \.isNaN) {
            throw .unusable("row \(row + 1): its features are too large for the network")
        }
        return logits
    }
}
