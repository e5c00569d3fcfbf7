// SPDX-License-Identifier: MIT

/// The rows of some steps and what they are to learn from them.
struct TrainingBlock {
    /// All features: [..][inputs].
    let features: [Float]
    /// All labels.
    let labels: [UInt8]
    /// The order of this epoch.
    let order: [Int32]
    /// Which places of the order the steps have, one batch after the other.
    let places: Range<Int>
    let batchSize: Int
    /// The weights of class 0 and 1 in the loss.
    let classWeights: (Double, Double)
    let dropoutSeeds: [UInt64]
    /// What Adam multiplies by in each step; without it there are gradients only.
    let rates: [Float]?

    /// Some of the steps.
    func steps(_ steps: Range<Int>) -> TrainingBlock {
        let start = places.lowerBound + steps.lowerBound * batchSize
        let end = places.lowerBound + steps.upperBound * batchSize
        return TrainingBlock(
            features: features,
            labels: labels,
            order: order,
            places: start..<min(end, places.upperBound),
            batchSize: batchSize,
            classWeights: classWeights,
            dropoutSeeds: Array(dropoutSeeds[steps]),
            rates: rates.map { Array($0[steps]) }
        )
    }
}

/// The rows of one step.
struct TrainingBatch {
    let block: TrainingBlock
    /// Their places in the order.
    let places: Range<Int>
    let dropoutSeed: UInt64
    let rate: Float?

    init(_ step: Int, of block: TrainingBlock) {
        self.block = block
        let start = block.places.lowerBound + step * block.batchSize
        places = start..<min(start + block.batchSize, block.places.upperBound)
        dropoutSeed = block.dropoutSeeds[step]
        rate = block.rates?[step]
    }

    /// The number of rows.
    var count: Int { places.count }

    /// Whether a row of the batch is a failure, and its weight in the loss.
    func label(_ row: Int) -> (isFailure: Bool, weight: Double) {
        let isFailure = block.labels[Int(block.order[places.lowerBound + row])] == 1
        return (isFailure, isFailure ? block.classWeights.1 : block.classWeights.0)
    }
}
