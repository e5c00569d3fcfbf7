// SPDX-License-Identifier: MIT

/// How many threads take the next steps: whichever number has been the fastest.
///
/// The bytes do not depend on it, so it may follow the clock: what a second thread gains for a
/// small network on a quiet machine, it loses where others want its core.
struct TeamChoice {
    /// What twice the threads have to gain to be worth their processor time.
    private static let gainMin = 1.1
    /// Every so many blocks a neighbour of the best number is tried.
    private static let blocksBetweenTrials = 12
    /// How long a block of steps should take: much longer than it takes a thread to come.
    private static let blockSeconds = 0.005

    /// A number of threads and what is known of it.
    private struct Candidate {
        let threadCount: Int
        /// Seconds a row: the first block's, which also fetches memory, then the mean of the others
        /// with three quarters of the weight on those before the last.
        var seconds = 0.0
        var blocks = 0
        var isKnown: Bool { blocks > 1 }
    }

    /// 1, 2, 4 and so on up to the most.
    private var candidates: [Candidate]
    private var current = 0
    private var blocks = 0

    init(most: Int) {
        candidates = [Candidate(threadCount: 1)]
        while let last = candidates.last?.threadCount, last < most {
            candidates.append(Candidate(threadCount: min(2 * last, most)))
        }
    }

    /// The threads of the next block.
    var threadCount: Int { candidates[current].threadCount }

    /// The steps of the next block.
    func steps(batchSize: Int) -> Int {
        let candidate = candidates[current]
        guard candidate.blocks > 0 else { return 1 }
        let step = max(candidate.seconds * Double(batchSize), 1e-6)
        return max(1, Int(Self.blockSeconds / step))
    }

    /// Notes how long a block took and chooses for the next one.
    mutating func record(rows: Int, seconds: Double) {
        let (new, old) = (seconds / Double(rows), candidates[current].seconds)
        candidates[current].seconds = candidates[current].isKnown ? old + (new - old) / 4 : new
        candidates[current].blocks += 1
        blocks += 1
        guard candidates[current].isKnown else { return }
        let best = best
        current = best
        let neighbours = [best + 1, best - 1].filter(candidates.indices.contains)
        if let untried = neighbours.first(where: { !candidates[$0].isKnown }) {
            current = untried
        } else if blocks.isMultiple(of: Self.blocksBetweenTrials), !neighbours.isEmpty {
            current = neighbours[blocks / Self.blocksBetweenTrials % neighbours.count]
        }
    }

    /// The index of the fastest of those that are known.
    private var best: Int {
        candidates.indices.reduce(0) { best, index in
            let candidate = candidates[index]
            let isFaster = candidate.seconds * Self.gainMin < candidates[best].seconds
            return candidate.isKnown && isFaster ? index : best
        }
    }
}
