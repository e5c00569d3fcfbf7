// SPDX-License-Identifier: MIT

internal import Platform

/// When a request's work began, on both clocks.
struct RequestMoment: Sendable {
    /// Microseconds since the epoch: when the readings arrived.
    let arrival: Int64
    /// Nanoseconds of the monotonic clock.
    let began: Int64
    private let clock: MonotonicClock

    init(wallClock: WallClock, clock: MonotonicClock) {
        arrival = wallClock.nowMicroseconds
        began = clock.nowNanoseconds
        self.clock = clock
    }

    /// Nanoseconds since the work began.
    var elapsedNanoseconds: Int { max(0, Int(clock.nowNanoseconds - began)) }
}
