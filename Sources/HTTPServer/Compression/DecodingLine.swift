// SPDX-License-Identifier: MIT

/// The order in which gzip bodies are decoded: by what they cost, then the oldest first.
///
/// So that a client which sends bombs, or many bodies, holds up no others: a usual body goes before
/// all that are larger or give much for few bytes, and one that is being decoded makes way.
struct DecodingLine {
    /// What is told of the result.
    typealias Completion = @Sendable (Result<[UInt8], RequestError>) -> Void

    /// A body that waits for its next step.
    struct Waiting {
        let body: EncodedBody
        let completion: Completion
    }

    /// How long bodies wait for their first step at most, in nanoseconds: a core decodes 600 MB in
    /// that time.
    static let waitMax: Int64 = 1_000_000_000

    private let workerCount: Int
    private var workingCount = 0
    /// Those that wait, a line for each rank.
    private var lines = [[Waiting]](repeating: [], count: EncodedBody.Rank.allCases.count)

    init(workerCount: Int) {
        self.workerCount = workerCount
    }

    /// Puts a new body at the end of its line.
    ///
    /// - Returns: Whether one more worker is to come.
    mutating func add(_ body: EncodedBody, _ completion: @escaping Completion) -> Bool {
        lines[body.rank.rawValue].append(Waiting(body: body, completion: completion))
        guard workingCount < workerCount else { return false }
        workingCount += 1
        return true
    }

    /// Takes what is next; nil where nothing is, and the worker goes.
    mutating func next() -> Waiting? {
        guard let index = lines.firstIndex(where: { !$0.isEmpty }) else {
            workingCount -= 1
            return nil
        }
        return lines[index].removeFirst()
    }

    /// Puts one back that has more to do: it is the next of its line, or the last of another.
    mutating func putBack(_ waiting: Waiting) {
        let index = waiting.body.rank.rawValue
        lines[index].insert(waiting, at: waiting.body.hasBegun ? 0 : lines[index].count)
    }

    /// Takes out those that have waited too long for their first step: a line that never has its
    /// turn would only grow.
    mutating func takeLate(at now: Int64) -> [Waiting] {
        var late: [Waiting] = []
        for index in lines.indices {
            while let first = lines[index].firstIndex(where: { !$0.body.hasBegun }),
                now - lines[index][first].body.since > Self.waitMax
            {
                late.append(lines[index].remove(at: first))
            }
        }
        return late
    }
}
