// SPDX-License-Identifier: MIT

package import Features

/// Explains predictions by Shapley values over the groups of the schema.
///
/// A coalition's worth is the mean, over the background records, of the log-odds of the reading
/// whose absent sensors the record lends; features are computed anew for each. Timestamp, pace and
/// fill of the windows are the reading's own in every coalition.
///
/// - Note: Immutable, so that every thread may use it; each explanation has memory of its own.
package final class Explainer: Sendable {
    /// The most groups of which all coalitions are tried.
    package static let exactGroupsMax = 12
    /// The least number of pairs of orders that a sampled explanation takes.
    static let pairsMin = 256
    /// The least number of them for each background record.
    private static let pairsPerRecordMin = 4

    /// The schema's groups in the order of their first sensors.
    package let groups: [ExplanationGroup]
    /// The number of background records.
    package var backgroundCount: Int { background.count }

    let engine: FeatureEngine
    let network: Network
    let calibration: Calibrator
    private let background: [ObservedReading]
    /// The groups that some feature depends on; the others contribute nothing.
    private let players: [Int]

    /// Prepares explanations of a model.
    package init(
        engine: FeatureEngine,
        network: Network,
        calibration: Calibrator,
        background: [BackgroundRecord]
    ) {
        precondition(!background.isEmpty)
        self.engine = engine
        self.network = network
        self.calibration = calibration
        self.background = background.map { $0.observed(by: engine) }
        let transform = engine.transform
        let groups = Self.groups(of: transform.schema)
        self.groups = groups
        let used = Set(transform.features.flatMap { $0.sensors(in: transform.schema) })
        players = groups.indices.filter { !used.isDisjoint(with: groups[$0].sensors) }
    }

    /// The groups of a schema in the order of their first sensors.
    package static func groups(of schema: Schema) -> [ExplanationGroup] {
        var names: [String] = []
        var sensors: [String: [Int]] = [:]
        for (index, sensor) in schema.sensors.enumerated() {
            if sensors[sensor.group] == nil { names.append(sensor.group) }
            sensors[sensor.group, default: []].append(index)
        }
        return names.map { ExplanationGroup(name: $0, sensors: sensors[$0] ?? []) }
    }

    /// Explains the prediction of a reading; nil where `isOver` has said that time is up.
    ///
    /// Equal readings have equal explanations: the random orders have a fixed seed.
    ///
    /// - Complexity: O(2^groups x background) rows up to ``exactGroupsMax`` groups, above that
    ///   O(orders x groups).
    package func explain(
        _ reading: ObservedReading,
        exactGroupsMax: Int = exactGroupsMax,
        isOver: () -> Bool = { false }
    ) -> Explanation? {
        if isOver() { return nil }
        var coalitions = CoalitionScorer(self)
        let lenders = background.map { $0.paced(as: reading) }
        if players.count <= exactGroupsMax {
            return exact(reading, lenders, &coalitions, isOver)
        }
        return sampled(reading, lenders, &coalitions, isOver)
    }

    private func exact(
        _ reading: ObservedReading,
        _ lenders: [ObservedReading],
        _ coalitions: inout CoalitionScorer,
        _ isOver: () -> Bool
    ) -> Explanation? {
        let count = 1 << players.count
        var worth = [Double](repeating: 0, count: count)
        for lender in lenders {
            coalitions.begin(reading, lentBy: lender, players)
            // By Gray's code each coalition differs from the one before in one player.
            for step in 0..<count {
                if step > 0 { coalitions.toggle(step.trailingZeroBitCount) }
                coalitions.append(place: step ^ step >> 1)
                guard coalitions.isFull else { continue }
                if isOver() { return nil }
                coalitions.score { worth[$0] += $1 }
            }
            coalitions.score { worth[$0] += $1 }
        }
        for index in worth.indices { worth[index] /= Double(lenders.count) }
        return explanation(
            .exact(coalitions: count),
            players.isEmpty ? [] : ShapleyValues.exact(worth, playerCount: players.count),
            errors: players.map { _ in 0 },
            base: worth[0],
            logOdds: worth[count - 1]
        )
    }

    private func sampled(
        _ reading: ObservedReading,
        _ lenders: [ObservedReading],
        _ coalitions: inout CoalitionScorer,
        _ isOver: () -> Bool
    ) -> Explanation? {
        let pairs = max(
            Self.pairsPerRecordMin,
            (Self.pairsMin + lenders.count - 1) / lenders.count
        )
        var values = SampledShapleyValues(
            playerCount: players.count,
            strata: lenders.count,
            pairsPerStratum: pairs
        )
        var generator = OrderGenerator(count: players.count)
        var worth = [Double](repeating: 0, count: players.count + 1)
        var base = 0.0
        for lender in lenders {
            for _ in 0..<pairs {
                if isOver() { return nil }
                let order = generator.next()
                var gains = [Double](repeating: 0, count: players.count)
                for order in [order, order.reversed()] {
                    coalitions.begin(reading, lentBy: lender, players)
                    for (place, player) in order.enumerated() {
                        coalitions.append(place: place)
                        coalitions.toggle(player)
                    }
                    coalitions.append(place: order.count)
                    coalitions.score { worth[$0] = $1 }
                    for (place, player) in order.enumerated() {
                        gains[player] += (worth[place + 1] - worth[place]) / 2
                    }
                }
                values.add(pair: gains)
            }
            base += worth[0]
            values.endStratum()
        }
        return explanation(
            .permutations(2 * pairs * lenders.count),
            values.values,
            errors: values.standardErrors,
            base: base / Double(lenders.count),
            logOdds: worth[players.count]
        )
    }

    private func explanation(
        _ method: Explanation.Method,
        _ values: [Double],
        errors: [Double],
        base: Double,
        logOdds: Double
    ) -> Explanation {
        var contributions = [Double](repeating: 0, count: groups.count)
        var standardErrors = contributions
        for (place, group) in players.enumerated() {
            contributions[group] = values[place]
            standardErrors[group] = errors[place]
        }
        return Explanation(
            method: method,
            contributions: contributions,
            standardErrors: standardErrors,
            logOdds: logOdds,
            baseLogOdds: base
        )
    }
}

/// Random orders of players from a fixed seed (xorshift64*, Vigna 2016; Fisher-Yates).
private struct OrderGenerator {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var order: [Int]

    init(count: Int) { order = Array(0..<count) }

    mutating func next() -> [Int] {
        for last in stride(from: order.count - 1, to: 0, by: -1) {
            order.swapAt(last, below(last + 1))
        }
        return order
    }

    private mutating func below(_ bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        let word = state &* 0x2545_F491_4F6C_DD1D
        // Biased by less than 2^-55 for 256 players.
        return Int(word.multipliedFullWidth(by: UInt64(bound)).high)
    }
}
