// SPDX-License-Identifier: MIT

internal import Platform

/// The order in which gzip bodies are decoded: by what they cost, and each connection in turn.
///
/// A client that sends bombs, or many bodies, holds up no others: of sixteen steps half go to the
/// bodies of least cost, and one at least to each rank in which any waits. One that is being
/// decoded makes way, and goes where it belongs by what it has cost.
struct DecodingLine {
    /// What is told of the result.
    typealias Completion = @Sendable (Result<[UInt8], RequestError>) -> Void

    /// A body that waits for its next step.
    struct Waiting {
        let body: EncodedBody
        let connection: ConnectionToken
        let completion: Completion
    }

    /// Those of a rank.
    private struct Line {
        /// Those that have had a step in it: as many at most as there are workers.
        private var begun = Fifo<Waiting>()
        private var waiting = TurnLine<Waiting>()

        var isEmpty: Bool { begun.isEmpty && waiting.isEmpty }

        mutating func putBack(_ body: Waiting) {
            begun.append(body)
        }

        mutating func append(_ body: Waiting) {
            waiting.append(body, of: body.connection)
        }

        mutating func popFirst() -> Waiting? {
            begun.popFirst() ?? waiting.popFirst()
        }
    }

    /// Whose turn a step is.
    private static let turns: [EncodedBody.Rank] = [
        .small, .medium, .small, .large, .small, .medium, .small, .denseSmall,
        .small, .medium, .small, .large, .small, .medium, .small, .dense,
    ]

    private let workerCount: Int
    private var workingCount = 0
    private var turn = 0
    private var lines = [Line](repeating: Line(), count: EncodedBody.Rank.allCases.count)

    init(workerCount: Int) {
        self.workerCount = workerCount
    }

    /// Puts a new body at the end of its connection's line.
    ///
    /// - Returns: Whether one more worker is to come.
    mutating func add(_ waiting: Waiting) -> Bool {
        lines[waiting.body.rank.rawValue].append(waiting)
        guard workingCount < workerCount else { return false }
        workingCount += 1
        return true
    }

    /// Takes what is next; nil where nothing is, and the worker goes.
    ///
    /// That of the rank whose turn it is, else of the first in which one waits.
    mutating func next() -> Waiting? {
        let rank = Self.turns[turn].rawValue
        turn = (turn + 1) % Self.turns.count
        let index = lines[rank].isEmpty ? lines.firstIndex { !$0.isEmpty } : rank
        guard let index else {
            workingCount -= 1
            return nil
        }
        return lines[index].popFirst()
    }

    /// Puts one back that has more to do: it is the next of its rank, or has its connection's turn
    /// in that to which it has moved.
    mutating func putBack(_ waiting: Waiting, hasMoved: Bool) {
        let rank = waiting.body.rank.rawValue
        if hasMoved {
            lines[rank].append(waiting)
        } else {
            lines[rank].putBack(waiting)
        }
    }
}
