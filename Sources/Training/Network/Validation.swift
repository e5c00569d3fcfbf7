// SPDX-License-Identifier: MIT

internal import ModelRuntime
internal import Platform

/// The validation rows, gathered once, on which each epoch's network is judged as it would serve.
struct Validation {
    /// Rows that a thread answers at a time.
    private static let pieceRows = 1024

    private let features: [Float]
    private let labels: [UInt8]
    private let classWeights: (Double, Double)

    init(
        _ features: [Float],
        _ inputs: Int,
        _ labels: [UInt8],
        _ rows: [Int],
        _ classWeights: (Double, Double)
    ) {
        var gathered: [Float] = []
        gathered.reserveCapacity(rows.count * inputs)
        for row in rows { gathered += features[row * inputs..<(row + 1) * inputs] }
        self.features = gathered
        self.labels = rows.map { labels[$0] }
        self.classWeights = classWeights
    }

    /// The validation part of a report; epoch, training loss and rate are the caller's to fill in.
    func judge(_ network: Network, threadCount: Int) -> EpochReport {
        let logits = logits(network, threadCount: threadCount)
        let probabilities = logits.map { Network.probability(ofLogit: $0) }
        let metrics = ClassificationMetrics(probabilities: probabilities, labels: labels)
        var loss = 0.0
        for (logit, label) in zip(logits, labels) {
            let isFailure = label == 1
            let weight = isFailure ? classWeights.1 : classWeights.0
            loss += weight * PortableMath.softplus(Double(isFailure ? -logit : logit))
        }
        let failures = metrics?.classes[1]
        return EpochReport(
            epoch: 0,
            loss: 0,
            validationLoss: labels.isEmpty ? 0 : loss / Double(labels.count),
            accuracy: metrics?.accuracy ?? 0,
            precision: failures?.precision ?? 0,
            recall: failures?.recall ?? 0,
            rocAUC: metrics?.rocAUC,
            prAUC: metrics?.prAUC,
            learningRate: 0,
            isBest: false
        )
    }
    /// The rows' logits, which do not depend on how many are answered at a time.
    private func logits(_ network: Network, threadCount: Int) -> [Float] {
        let (count, size) = (labels.count, threadCount > 1 ? Self.pieceRows : max(labels.count, 1))
        let width = count > 0 ? features.count / count : 0
        return concurrentMap(count: (count + size - 1) / size) { piece in
            let rows = piece * size..<min((piece + 1) * size, count)
            var logits = [Float](repeating: 0, count: rows.count)
            var span = logits.mutableSpan
            network.forward(
                rows: features.span.extracting(rows.lowerBound * width..<rows.upperBound * width),
                into: &span,
                scratch: ForwardScratch(for: network)
            )
            return logits
        }.flatMap(\.self)
    }
}
