// SPDX-License-Identifier: MIT

/// Early stopping and the fall of the learning rate, both by the validation score.
struct TrainingSchedule {
    private(set) var learningRate: Double
    private var best: Double?
    private var sinceBest = 0
    private var sincePlateau = 0
    private let options: TrainerOptions

    init(_ options: TrainerOptions) {
        self.options = options
        learningRate = options.learningRate
    }

    /// Whether the patience is used up.
    var isOver: Bool { sinceBest >= options.stopPatience }

    /// Takes the score of an epoch; nil (no score can be had) counts as the best so far.
    ///
    /// - Returns: Whether it is the best so far; an equal score is not.
    mutating func record(score: Double?) -> Bool {
        guard let score else { return true }
        if let best, score <= best {
            sinceBest += 1
            sincePlateau += 1
            if sincePlateau >= options.plateauPatience {
                let least = min(options.learningRateMin, options.learningRate)
                learningRate = max(learningRate * options.plateauFactor, least)
                sincePlateau = 0
            }
            return false
        }
        best = score
        sinceBest = 0
        sincePlateau = 0
        return true
    }
}
