// SPDX-License-Identifier: MIT

package import Features
internal import Integrity
package import JSON
package import ModelRuntime
internal import Platform

/// A decision log scored again, machine by machine, by the engine and network of a bundle.
///
/// For rows that this very bundle predicted, probabilities have to have the same bits. That can be
/// asked only where all that the server knew of the machine is in the log, see
/// ``MachineReplay``; other rows are counted.
package struct Replay: Equatable, Sendable {
    /// A row that was scored again.
    package struct Score: Equatable, Sendable {
        /// The machine.
        package let equipmentID: String
        /// The moment that the reading is about.
        package let timestamp: Int64
        /// The version that predicted.
        package let version: String
        /// What it predicted.
        package let logged: Double
        /// What the bundle predicts.
        package let replayed: Double
        /// Whether the bits have to be the same.
        package let isComparable: Bool

        /// Whether they are.
        package var isIdentical: Bool { logged.bitPattern == replayed.bitPattern }
    }

    /// Rows of the log.
    package private(set) var rowCount = 0
    /// Rows that the bundle predicted, by whose bits it is judged.
    package private(set) var comparedCount = 0
    /// Those of them that came out otherwise.
    package private(set) var different: [Score] = []
    /// Rows that the bundle predicted but with what the log has not.
    package private(set) var irreproducibleCount = 0
    /// Rows that other bundles predicted.
    package private(set) var foreignCount = 0
    /// Those of them whose class changes.
    package private(set) var flippedCount = 0
    /// Rows whose requests brought their own history, which are not scored.
    package private(set) var ownHistoryCount = 0
    private var foreignDistance = 0.0

    /// Scores a log again; `take` gets every row that was scored, by machine, then order.
    package init(
        _ history: DecisionHistory,
        model: LoadedModel,
        take: (Score) -> Void = { _ in }
    ) {
        rowCount = history.rowCount
        let parts = max(1, UsableCores.count)
        var first = 0
        while first < history.machines.count {
            // A slice at a time, so that scores need not all be in memory.
            let slice = first..<min(first + parts * 16, history.machines.count)
            let results = concurrentMap(count: parts) { part in
                stride(from: slice.lowerBound + part, to: slice.upperBound, by: parts).map {
                    var machine = MachineReplay(model)
                    return (number: $0, scores: machine.scores(history, $0))
                }
            }
            for result in results.flatMap(\.self).sorted(by: { $0.number < $1.number }) {
                let rowCount = history.machines[result.number].rows.count
                ownHistoryCount += rowCount - result.scores.count
                for score in result.scores {
                    count(score.0, isOwn: score.isOwn, model)
                    take(score.0)
                }
            }
            first = slice.upperBound
        }
    }

    private mutating func count(_ score: Score, isOwn: Bool, _ model: LoadedModel) {
        if !isOwn {
            foreignCount += 1
            foreignDistance += abs(score.replayed - score.logged)
            if model.isPositive(probability: score.logged)
                != model.isPositive(probability: score.replayed)
            {
                flippedCount += 1
            }
        } else if !score.isComparable {
            irreproducibleCount += 1
        } else {
            comparedCount += 1
            if !score.isIdentical { different.append(score) }
        }
    }

    /// The mean distance of probabilities to those of other bundles; nil without such rows.
    package var foreignMeanDistance: Double? {
        foreignCount > 0 ? foreignDistance / Double(foreignCount) : nil
    }

    /// The form of the report.
    package func json(of model: LoadedModel, _ history: DecisionHistory) -> JSONValue {
        let own: JSONValue = [
            "compared": .integer(comparedCount),
            "identical": .integer(comparedCount - different.count),
            "different": .integer(different.count),
            "not_reproducible": .integer(irreproducibleCount),
        ]
        let distance: JSONValue = foreignMeanDistance.map { .number($0) } ?? .null
        let others: JSONValue = [
            "rows": .integer(foreignCount), "flipped": .integer(flippedCount),
            "mean_distance": distance,
        ]
        return [
            "format": 1,
            "model": .string(model.manifest.model),
            "version": .string(model.manifest.version.description),
            "digest": .string(model.digest.hex),
            "rows": .integer(rowCount),
            "machines": .integer(history.machines.count),
            "torn_bytes": .integer(history.tornByteCount),
            "own": own,
            "others": others,
            "own_history": .integer(ownHistoryCount),
        ]
    }
}
