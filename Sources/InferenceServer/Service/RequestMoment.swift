// SPDX-License-Identifier: MIT

internal import Platform

/// When a request's work began, on both clocks.
struct RequestMoment: Sendable {
    /// Microseconds since the epoch: when the readings arrived.
    let arrival: Int64
    /// Nanoseconds of the monotonic clock.
    let began: Int64
    /// Where the stages of the work are noted; nil where the request is not traced.
    var trace: StageTrace?
    private let clock: MonotonicClock

    init(wallClock: WallClock, clock: MonotonicClock, trace: StageTrace? = nil) {
        arrival = wallClock.nowMicroseconds
        began = clock.nowNanoseconds
        self.trace = trace
        self.clock = clock
    }

    /// Nanoseconds since the work began.
    var elapsedNanoseconds: Int { max(0, Int(clock.nowNanoseconds - began)) }

    /// Where the next stage begins; the clock is read for traced requests alone.
    var mark: Int64 { trace == nil ? 0 : clock.nowNanoseconds }

    /// Notes that a stage ends that began at a mark, where the next one begins.
    func end(_ stage: StageTrace.Stage, since mark: inout Int64) {
        guard let trace else { return }
        let now = clock.nowNanoseconds
        trace.add(stage, from: mark, to: now)
        mark = now
    }
}
