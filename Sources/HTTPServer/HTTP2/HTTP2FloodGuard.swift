// SPDX-License-Identifier: MIT

/// What a peer may do that costs us work and brings neither side further: so often an interval.
struct HTTP2FloodGuard {
    private let max: Int
    private let interval: Int64
    private var left: Int
    /// Those allowed besides, for as long as it takes until they come.
    private var earned = 0
    private var refillAt = Int64.min

    init(max: Int, interval: Int64) {
        self.max = max
        self.interval = interval
        left = max
    }

    /// Takes note of one more.
    ///
    /// - Returns: Whether it is within the bound.
    mutating func allows(at now: Int64) -> Bool {
        if earned > 0 {
            earned -= 1
            return true
        }
        if now >= refillAt {
            left = max
            refillAt = now + interval
        }
        left -= 1
        return left >= 0
    }

    /// Allows more because work was done to which these are the answer, without a bound: what a
    /// peer says to megabytes comes when it has read them.
    mutating func earn(_ count: Int) {
        earned += count
    }

    /// Allows more in this interval because real work was done.
    mutating func credit(_ count: Int) {
        left = min(left + count, max)
    }
}
