// SPDX-License-Identifier: MIT

/// Decides by measured queueing delay when requests are shed.
///
/// A delay above the limit for a whole interval without a break is an overload; a burst is not. Nor
/// are many cheap requests: to turn one away costs what an answer costs, so that shedding would
/// lose answers and win no time. Their delay is bounded by the number of connections.
struct OverloadDetector {
    private let delayMax: Int64
    private let interval: Int64
    private let costMin: Int64
    private var lateSince: Int64?
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
    var isLate: Bool { lateSince != nil }

    /// Takes note of a request that is served.
    mutating func noteServed() {
        servedCount += 1
    }

    /// Takes note of the longest wait of a turn that ends now.
    mutating func note(delay: Int64, now: Int64) {
        let cost = servedNanoseconds ?? delay
        let isOverloaded = delay > delayMax && servedCount * costMin <= cost
        servedCount = 0
        servedNanoseconds = nil
        guard isOverloaded else {
            lateSince = nil
            isShedding = false
            return
        }
        let since = lateSince ?? now
        lateSince = since
        isShedding = now - since >= interval
    }

    /// Whether a request that has waited so long is refused.
    mutating func sheds(delay: Int64) -> Bool {
        guard isShedding, delay > delayMax else { return false }
        // What comes after the first that is refused waits longer, and is refused too.
        servedNanoseconds = servedNanoseconds ?? delay
        return true
    }
}
