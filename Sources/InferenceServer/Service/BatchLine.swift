// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// The two lines in which batches wait for a worker, the oldest first.
///
/// One is of those that may be turned away, the other of those that go on with an answer that has
/// begun: the pieces of streams. While something waits in both they take turns, so that neither
/// stops the other.
///
/// Who has waited too long is turned away as by a loop, by the same ``Lateness``; but a batch may
/// take longer than the limit of a loop, and to wait for a few others is no overload.
struct BatchLine {
    /// A batch, told whether it has waited too long.
    typealias Batch = @Sendable (_ isLate: Bool) -> Void

    /// What has come of one kind, and when.
    private typealias Waiting = Fifo<(batch: Batch, since: Int64)>

    /// A wait for so many batches, and for the pieces between them, is not late, whatever they
    /// take: at four fifths of the capacity one in a hundred waits for three to four.
    private static let batchesWaitedForMax: Int64 = 4
    /// The share of a new cost in the mean.
    private static let smoothing: Int64 = 8

    private let workerCount: Int
    private let delayMax: Int64
    private var lateness: Lateness
    private var batches = Waiting()
    private var pieces = Waiting()
    /// Whether the last one that was taken was a piece.
    private var hasTakenPiece = false
    private var meanCost: Int64 = 0
    /// What the pieces have cost for which the next batch has waited.
    private var pieceCost: Int64 = 0
    /// Workers that have a batch or look for one.
    private(set) var workingCount = 0

    init(workerCount: Int, limits: borrowing ServerLimits) {
        self.workerCount = workerCount
        delayMax = limits.queueDelayMax.nanoseconds
        lateness = Lateness(interval: limits.queueDelayInterval)
    }

    /// The wait in nanoseconds above which a batch is late.
    private var waitMax: Int64 { max(delayMax, Self.batchesWaitedForMax * meanCost) }

    /// Puts a batch, or a piece, at the end of its line.
    ///
    /// - Returns: Whether one more worker is to come.
    mutating func add(at now: Int64, isPiece: Bool = false, _ batch: @escaping Batch) -> Bool {
        if isPiece {
            pieces.append((batch, now))
        } else {
            batches.append((batch, now))
        }
        guard workingCount < workerCount else { return false }
        workingCount += 1
        return true
    }

    /// Takes what is next; nil where nothing is, and the worker goes.
    ///
    /// While there is an overload, who has waited for half the limit is late, so that those who are
    /// served have not. A piece never is: to turn it away would lose an answer that has begun.
    mutating func next(at now: Int64) -> (batch: Batch, isPiece: Bool, isLate: Bool)? {
        if batches.isEmpty { lateness.noteIdle(now: now) }
        if !hasTakenPiece || batches.isEmpty, let (piece, _) = pieces.popFirst() {
            hasTakenPiece = true
            return (piece, true, false)
        }
        guard let (batch, since) = batches.popFirst() else {
            workingCount -= 1
            return nil
        }
        lateness.note(isLate: now - since > waitMax, now: now)
        let isLate = lateness.isOverload && now - since > waitMax / 2
        // To turn one away takes no time: the next one has the turn.
        if !isLate { hasTakenPiece = false }
        return (batch, false, isLate)
    }

    /// Takes note of how long a batch or a piece has taken, in nanoseconds.
    mutating func note(cost: Int64, isPiece: Bool = false) {
        if isPiece {
            if !batches.isEmpty { pieceCost += cost }
            return
        }
        let turn = cost + pieceCost
        pieceCost = 0
        meanCost += meanCost == 0 ? turn : (turn - meanCost) / Self.smoothing
    }
}
