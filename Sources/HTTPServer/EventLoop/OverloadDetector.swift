// SPDX-License-Identifier: MIT

/// Decides by measured queueing delay when requests are shed.
///
/// A delay above the limit for a whole interval without a break is an overload; a burst is not. Nor
/// are many cheap requests: to turn one away costs what an answer costs, so that shedding would
/// lose answers and win no time. Their delay is bounded by the number of connections.
///
/// An overload lasts until the loop has nothing to do, and begins again at once if that was for
/// less than an interval. While it lasts, who has waited for half the limit is turned away: those
/// who are served have waited for the turn before as well.
struct OverloadDetector {
    private let delayMax: Int64
    private let interval: Int64
    private let costMin: Int64
    private var lateSince: Int64?
    /// Until when a delay above the limit is an overload without more ado.
    private var relapseEnd = Int64.min
    /// Requests served in this turn, and the time in which they were, where some were shed later.
    private var servedCount: Int64 = 0
    private var servedNanoseconds: Int64?
    /// Whether requests that have waited too long are to be refused.
    private(set) var isShedding = false

    init(limits: borrowing ServerLimits) {
        delayMax = limits.queueDelayMax.nanoseconds
        interval = limits.queueDelayInterval.nanoseconds
        costMin = limits.shedCostMin.nanoseconds
    }

    /// Whether the last turn was late: the next must not sleep, so that one with nothing to do ends
    /// the lateness that a burst has left.
    var isLate: Bool { lateSince != nil || isShedding }

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
        if isShedding, !isCheap { return }
        isShedding = false
        guard delay > delayMax, !isCheap else {
            lateSince = nil
            return
        }
        let since = lateSince ?? now
        lateSince = since
        isShedding = now - since >= interval || now < relapseEnd
    }

    /// Takes note of a turn that had nothing to do.
    mutating func noteIdle(now: Int64) {
        if isShedding { relapseEnd = now + interval }
        isShedding = false
        lateSince = nil
    }

    /// Whether a request that has waited so long is refused, so long after the turn has begun.
    mutating func sheds(delay: Int64, sinceTurn: Int64) -> Bool {
        guard isShedding, delay > delayMax / 2 else { return false }
        // What comes after the first that is refused waits longer, and is refused too.
        servedNanoseconds = servedNanoseconds ?? sinceTurn
        return true
    }
}
