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
    var elapsedNanoseconds: Int64 { max(0, clock.nowNanoseconds - began) }

    /// Milliseconds since the work began, to the microsecond.
    var elapsedMilliseconds: Double { Double(elapsedNanoseconds / 1000) / 1000 }

    /// The last moment that a reading may be about.
    func latest(_ limits: ServiceLimits) -> Int64 {
        guard let limit = limits.futureLimit else { return .max }
        let microseconds =
            limit.components.seconds * 1_000_000
            + limit.components.attoseconds / 1_000_000_000_000
        return arrival + microseconds
    }
}
