// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// The lines in which what is worked on beside the loops waits for a worker, the oldest first.
///
/// While something waits in several they take turns, so that none stops another: large readings do
/// not wait for all batches, nor those for the pieces of streams, which go on with an answer that
/// has begun.
///
/// Who has waited too long is turned away as by a loop, by the same ``Lateness``, but not pieces;
/// and a batch may take longer than the limit of a loop, and to wait for a few others is no
/// overload.
struct BatchLine {
    /// What waits.
    enum Kind: Int, CaseIterable {
        case batch, reading, piece
    }

    /// A batch, a reading or a piece, told whether it has waited too long.
    typealias Batch = @Sendable (_ isLate: Bool) -> Void

    /// Those of one kind.
    private struct Line {
        /// What has come, and when.
        var waiting = Fifo<(batch: Batch, since: Int64)>()
        var lateness: Lateness
        var meanCost: Int64 = 0
        /// What the others have cost for which the next one has waited.
        var othersCost: Int64 = 0
    }

    /// A wait for so many batches, and for those of other kinds between them, is not late, whatever
    /// they take: at four fifths of the capacity one in a hundred waits for three to four.
    private static let batchesWaitedForMax: Int64 = 4
    /// The share of a new cost in the mean.
    private static let smoothing: Int64 = 8

    private let workerCount: Int
    private let delayMax: Int64
    /// By kind.
    private var lines: [Line]
    /// The kind that had the last turn.
    private var last = Kind.batch.rawValue
    /// Workers that have something or look for it.
    private(set) var workingCount = 0

    init(workerCount: Int, limits: borrowing ServerLimits) {
        self.workerCount = workerCount
        delayMax = limits.queueDelayMax.nanoseconds
        let lateness = Lateness(interval: limits.queueDelayInterval)
        lines = Kind.allCases.map { _ in Line(lateness: lateness) }
    }

    /// Puts something at the end of its line.
    ///
    /// - Returns: Whether one more worker is to come.
    mutating func add(at now: Int64, _ kind: Kind = .batch, _ batch: @escaping Batch) -> Bool {
        lines[kind.rawValue].waiting.append((batch, now))
        guard workingCount < workerCount else { return false }
        workingCount += 1
        return true
    }

    /// Takes what is next; nil where nothing is, and the worker goes.
    mutating func next(at now: Int64) -> (batch: Batch, kind: Kind, isLate: Bool)? {
        for index in lines.indices where lines[index].waiting.isEmpty {
            lines[index].lateness.noteIdle(now: now)
        }
        for step in 1...lines.count {
            let index = (last + step) % lines.count
            guard let (batch, since) = lines[index].waiting.popFirst() else { continue }
            let kind = Kind.allCases[index]
            // To turn a piece away would lose an answer that has begun.
            let isLate = kind != .piece && isLate(index, wait: now - since, now: now)
            // To turn one away takes no time: the next one has the turn.
            if !isLate { last = index }
            return (batch, kind, isLate)
        }
        workingCount -= 1
        return nil
    }

    /// While there is an overload, who has waited for half the limit is late, so that those who are
    /// served have not.
    private mutating func isLate(_ index: Int, wait: Int64, now: Int64) -> Bool {
        let waitMax = max(delayMax, Self.batchesWaitedForMax * lines[index].meanCost)
        lines[index].lateness.note(isLate: wait > waitMax, now: now)
        return lines[index].lateness.isOverload && wait > waitMax / 2
    }

    /// Takes note of how long something has taken, in nanoseconds.
    mutating func note(cost: Int64, _ kind: Kind = .batch) {
        let own = kind.rawValue
        for index in lines.indices where index != own && !lines[index].waiting.isEmpty {
            lines[index].othersCost += cost
        }
        let turn = cost + lines[own].othersCost
        lines[own].othersCost = 0
        let mean = lines[own].meanCost
        lines[own].meanCost += mean == 0 ? turn : (turn - mean) / Self.smoothing
    }
}
