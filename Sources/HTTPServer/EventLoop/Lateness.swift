// SPDX-License-Identifier: MIT

internal import Platform

/// Tells by measured queueing delay whether there is more to do than can be done.
///
/// To be late for a whole interval without a break is an overload; a burst is not. An overload
/// lasts until there is nothing to do, and begins again at once if that was for less than an
/// interval.
package struct Lateness {
    private let interval: Int64
    private var since: Int64?
    /// Until when being late is an overload without more ado.
    private var relapseEnd = Int64.min
    /// Whether who has waited too long is to be turned away.
    package private(set) var isOverload = false

    /// Makes one for work that has not begun.
    package init(interval: Duration) {
        self.interval = interval.nanoseconds
    }

    /// Whether it was late the last time.
    package var isLate: Bool { since != nil || isOverload }

    /// Takes note of a wait that ends now, in nanoseconds of the monotonic clock.
    package mutating func note(isLate: Bool, now: Int64) {
        if isOverload { return }
        guard isLate else {
            since = nil
            return
        }
        let began = since ?? now
        since = began
        isOverload = now - began >= interval || now < relapseEnd
    }

    /// Takes note that there is nothing to do.
    package mutating func noteIdle(now: Int64) {
        if isOverload { relapseEnd = now + interval }
        end()
    }

    /// Ends an overload in which to turn work away would not help.
    package mutating func end() {
        isOverload = false
        since = nil
    }
}
