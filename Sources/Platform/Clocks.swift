// SPDX-License-Identifier: MIT

internal import Glibc

/// A source of civil time: microseconds since the Unix epoch, UTC.
///
/// It is passed into everything that stamps or judges a reading, so that tests set it.
package struct WallClock: Sendable {
    private let read: @Sendable () -> Int64

    /// Makes a clock of a function that returns microseconds since the Unix epoch.
    package init(_ read: @escaping @Sendable () -> Int64) {
        self.read = read
    }

    /// Microseconds since the Unix epoch, UTC.
    package var nowMicroseconds: Int64 { read() }

    /// The machine's `CLOCK_REALTIME`.
    package static let system = WallClock { nanoseconds(of: CLOCK_REALTIME) / 1000 }
}

/// A source of monotonic time for time-outs and durations, in nanoseconds from an arbitrary start.
package struct MonotonicClock: Sendable {
    private let read: @Sendable () -> Int64

    /// Makes a clock of a function that returns nanoseconds and never goes back.
    package init(_ read: @escaping @Sendable () -> Int64) {
        self.read = read
    }

    /// Nanoseconds since an arbitrary but fixed moment.
    package var nowNanoseconds: Int64 { read() }

    /// The machine's `CLOCK_MONOTONIC`.
    package static let system = MonotonicClock { nanoseconds(of: CLOCK_MONOTONIC) }
}

private func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    // SAFETY: `time` is a valid timespec for the duration of the call; both clocks always exist.
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
