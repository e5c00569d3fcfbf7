// SPDX-License-Identifier: MIT

/// What each player of a coalition game brings, by the only rule that shares the whole gain out,
/// gives equal players equal shares and idle ones none (Shapley 1953).
enum ShapleyValues {
    /// The exact values of a game.
    ///
    /// `worth` is that of every coalition: bit *i* of the index says whether player *i* is in it.
    ///
    /// - Complexity: O(players x coalitions).
    static func exact(_ worth: [Double], playerCount: Int) -> [Double] {
        precondition(playerCount > 0 && worth.count == 1 << playerCount)
        let weights = weights(playerCount)
        return (0..<playerCount).map { player in
            var sum = 0.0
            for coalition in worth.indices where coalition >> player & 1 == 0 {
                let gain = worth[coalition | 1 << player] - worth[coalition]
                sum += weights[coalition.nonzeroBitCount] * gain
            }
            return sum
        }
    }

    /// How often, of all orders of arrival, a player finds a given coalition of each size:
    /// 1 / (n C(n - 1, size)).
    private static func weights(_ playerCount: Int) -> [Double] {
        var weights: [Double] = []
        var choices = 1.0
        for size in 0..<playerCount {
            weights.append(1 / (Double(playerCount) * choices))
            choices = choices * Double(playerCount - 1 - size) / Double(size + 1)
        }
        return weights
    }
}

/// Shapley values estimated from orders of arrival, each taken forwards and backwards.
///
/// The orders of one stratum are averaged before the strata are; their spread gives the error.
struct SampledShapleyValues {
    private let strata: Int
    private let pairs: Int
    private var totals: [Double]
    private var variances: [Double]
    private var sums: [Double]
    private var squares: [Double]

    /// An estimate from so many pairs of orders, at least two, in each of the strata.
    init(playerCount: Int, strata: Int, pairsPerStratum: Int) {
        precondition(strata > 0 && pairsPerStratum > 1)
        self.strata = strata
        pairs = pairsPerStratum
        totals = Array(repeating: 0, count: playerCount)
        variances = totals
        sums = totals
        squares = totals
    }

    /// Takes what each player gained, as the mean of an order and its reverse.
    mutating func add(pair gains: [Double]) {
        for player in gains.indices {
            sums[player] += gains[player]
            squares[player] += gains[player] * gains[player]
        }
    }

    /// Ends a stratum whose pairs have all been added.
    mutating func endStratum() {
        let count = Double(pairs)
        for player in sums.indices {
            let mean = sums[player] / count
            totals[player] += mean
            let spread = max(0, squares[player] / count - mean * mean) * count / (count - 1)
            variances[player] += spread / count
            sums[player] = 0
            squares[player] = 0
        }
    }

    /// The estimates.
    var values: [Double] { totals.map { $0 / Double(strata) } }

    /// Their standard errors.
    var standardErrors: [Double] { variances.map { $0.squareRoot() / Double(strata) } }
}
