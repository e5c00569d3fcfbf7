// SPDX-License-Identifier: MIT

/// Decides when requests of a loop are shed: where it is late by ``Lateness``, and that helps.
///
/// It does not where they are many and cheap: to turn one away costs what an answer costs, so that
/// shedding would lose answers and win no time. Their delay is bounded by the number of
/// connections.
///
/// While it lasts, who has waited for half the limit is turned away: those who are served have
/// waited for the turn before as well.
struct OverloadDetector {
    private let delayMax: Int64
    private let costMin: Int64
    private var lateness: Lateness
    /// Requests served in this turn, and the time in which they were, where some were shed later.
    private var servedCount: Int64 = 0
    private var servedNanoseconds: Int64?

    init(limits: borrowing ServerLimits) {
        delayMax = limits.queueDelayMax.nanoseconds
        costMin = limits.shedCostMin.nanoseconds
        lateness = Lateness(interval: limits.queueDelayInterval)
    }

    /// Whether requests that have waited too long are to be refused.
    var isShedding: Bool { lateness.isOverload }

    /// Whether the last turn was late: the next must not sleep, so that one with nothing to do ends
    /// the lateness that a burst has left.
    var isLate: Bool { lateness.isLate }

    /// Takes note of a request that is served.
    mutating func noteServed() {
        servedCount += 1
    }

    /// Takes note of a turn that ends now, and of the longest wait in it.
    mutating func note(delay: Int64, turn: Int64, now: Int64) {
        let cost = servedNanoseconds ?? turn
        let isCheap = servedCount * costMin > cost
        servedCount = 0
        servedNanoseconds = nil
        if isCheap {
            lateness.end()
        } else {
            lateness.note(isLate: delay > delayMax, now: now)
        }
    }

    /// Takes note of a turn that had nothing to do.
    mutating func noteIdle(now: Int64) { lateness.noteIdle(now: now) }

    /// Whether a request that has waited so long is refused, so long after the turn has begun.
    mutating func sheds(delay: Int64, sinceTurn: Int64) -> Bool {
        guard isShedding, delay > delayMax / 2 else { return false }
        // What comes after the first that is refused waits longer, and is refused too.
        servedNanoseconds = servedNanoseconds ?? sinceTurn
        return true
    }
}
