// SPDX-License-Identifier: MIT

/// What a loop has to do at which time, on the monotonic clock; `.max` is never.
struct LoopTimers {
    /// The stages of a graceful end.
    enum Drain {
        case none
        /// Everything is accepted until the listeners close.
        case accepting(closeAt: Int64, stopAt: Int64)
        /// No connection is opened any more; handshakes under way are waited for.
        case filtering(closeAt: Int64, stopAt: Int64)
        /// Connections end with their next answer.
        case closed(stopAt: Int64)
    }

    var drain = Drain.none
    /// A time before which no connection's deadline passes.
    var sweepAt = Int64.max
    /// How far the look at all connections has come in this turn and those before; 0 is no look.
    var sweepSlot = 0
    /// When it is looked at again how clients read that have memory of which others find none.
    var holderLookAt = Int64.max
    /// When requests that cost much and wait are answered: at the end of a turn, or never.
    var costlyAt = Int64.max
    /// When accepting goes on after a pause.
    var acceptResume = Int64.max
    /// When the cached `Date` is no longer true; it wakes no one.
    var dateExpiry = Int64.min

    /// Milliseconds until the first of them, rounded up, for a poller: -1 is without end.
    func waitMilliseconds(from now: Int64) -> Int32 {
        var next = min(sweepAt, acceptResume, holderLookAt, costlyAt)
        switch drain {
        case .none: break
        case .accepting(let at, _), .filtering(let at, _), .closed(let at): next = min(next, at)
        }
        if sweepSlot > 0 { return 0 }
        guard next < .max else { return -1 }
        guard next > now else { return 0 }
        return Int32(min((next - now - 1) / 1_000_000 + 1, 60_000))
    }
}

/// The time-outs of ``ServerLimits`` in nanoseconds, converted once.
struct LoopTimeouts {
    let handshake: Int64
    let idle: Int64
    let head: Int64
    let body: Int64
    let piece: Int64
    let stream: Int64
    let answer: Int64
    let write: Int64
    let linger: Int64
    let lingerTotal: Int64
    let turn: Int64

    init(limits: borrowing ServerLimits) {
        handshake = limits.handshakeTimeout.nanoseconds
        idle = limits.idleTimeout.nanoseconds
        head = limits.headTimeout.nanoseconds
        body = limits.bodyTimeout.nanoseconds
        piece = limits.streamIdleTimeout.nanoseconds
        stream = limits.streamTimeout.nanoseconds
        answer = limits.answerTimeout.nanoseconds
        write = limits.writeTimeout.nanoseconds
        linger = limits.lingerTimeout.nanoseconds
        lingerTotal = limits.lingerTotalTimeout.nanoseconds
        turn = limits.turnTime.nanoseconds
    }
}
