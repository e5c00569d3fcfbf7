// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// The line in which batches wait for a worker, the oldest first.
///
/// Who has waited too long is turned away as by a loop, by the same ``Lateness``; but a batch may
/// take longer than the limit of a loop, and to wait for a few others is no overload.
struct BatchLine {
    /// A batch, told whether it has waited too long.
    typealias Batch = @Sendable (_ isLate: Bool) -> Void

    /// A wait for so many batches is not late, whatever they take: at four fifths of the capacity
    /// one in a hundred waits for three to four.
    private static let batchesWaitedForMax: Int64 = 4
    /// The share of a new cost in the mean.
    private static let smoothing: Int64 = 8

    private let workerCount: Int
    private let delayMax: Int64
    private var lateness: Lateness
    /// Those before `start` have been taken.
    private var waiting: [(batch: Batch?, since: Int64)] = []
    private var start = 0
    private var meanCost: Int64 = 0
    /// Workers that have a batch or look for one.
    private(set) var workingCount = 0

    init(workerCount: Int, limits: borrowing ServerLimits) {
        self.workerCount = workerCount
        delayMax = limits.queueDelayMax.nanoseconds
        lateness = Lateness(interval: limits.queueDelayInterval)
    }

    /// The wait in nanoseconds above which a batch is late.
    private var waitMax: Int64 { max(delayMax, Self.batchesWaitedForMax * meanCost) }

    /// Puts a batch at the end.
    ///
    /// - Returns: Whether one more worker is to come.
    mutating func add(at now: Int64, _ batch: @escaping Batch) -> Bool {
        waiting.append((batch, now))
        guard workingCount < workerCount else { return false }
        workingCount += 1
        return true
    }

    /// Takes the oldest batch; nil where there is none, and the worker goes.
    ///
    /// While there is an overload, who has waited for half the limit is late, so that those who are
    /// served have not.
    mutating func next(at now: Int64) -> (batch: Batch, isLate: Bool)? {
        guard start < waiting.count, let batch = waiting[start].batch.take() else {
            workingCount -= 1
            lateness.noteIdle(now: now)
            return nil
        }
        let since = waiting[start].since
        start += 1
        if 2 * start >= waiting.count {
            waiting.removeFirst(start)
            start = 0
        }
        lateness.note(isLate: now - since > waitMax, now: now)
        return (batch, lateness.isOverload && now - since > waitMax / 2)
    }

    /// Takes note of how long a batch has taken, in nanoseconds.
    mutating func note(cost: Int64) {
        meanCost += meanCost == 0 ? cost : (cost - meanCost) / Self.smoothing
    }
}
