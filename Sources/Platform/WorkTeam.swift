// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Glibc
internal import Synchronization

/// Threads that share out one short task after another, each of some ten microseconds.
///
/// Whoever is free takes the next part of the task, and the calling thread works too: it waits only
/// for parts that another thread has begun. Between tasks the helpers spin, so a team should end
/// with the work that it is for.
///
/// - Note: Thread safety: one thread calls ``run(parts:_:)``.
package final class WorkTeam: Sendable {
    /// How many looks at the task in vain before a thread lets others run.
    private static let looksMax = 10_000

    /// How many threads there are, the calling one included.
    package let threadCount: Int
    /// The task's number (32 bits), how many parts it has (16) and how many are taken (16).
    private let task = Atomic<UInt64>(0)
    private let partsDone = Atomic(0)
    private let isOver = Atomic(false)
    // SAFETY: written while no part is left to take or at work, read by who has taken one; `task`
    // orders the two.
    private nonisolated(unsafe) var body: (Int) -> Void = { _ in }

    private init(threadCount: Int) { self.threadCount = threadCount }

    /// Lends a team of `threadCount` threads to `body`.
    package static func with<Result>(
        threadCount: Int,
        _ body: (WorkTeam) -> Result
    ) -> Result {
        precondition(threadCount > 0)
        let team = WorkTeam(threadCount: threadCount)
        for _ in 1..<threadCount {
            DispatchQueue.global(qos: .userInitiated).async { team.help() }
        }
        // A helper that has not begun by then ends at once: nobody waits for it.
        defer { team.isOver.store(true, ordering: .releasing) }
        return body(team)
    }

    /// Calls `body` with 0 to `parts` - 1, each once, by whichever threads are free.
    ///
    /// What a part writes no other may read or write.
    package func run(parts: Int, _ body: @escaping (Int) -> Void) {
        precondition(parts >= 0 && parts <= UInt16.max)
        guard threadCount > 1, parts > 1 else {
            for part in 0..<parts { body(part) }
            return
        }
        // SAFETY: all parts of the task before are done, so no thread reads it.
        unsafe self.body = body
        partsDone.store(0, ordering: .relaxed)
        let number = task.load(ordering: .relaxed) >> 32 + 1
        task.store(number << 32 | UInt64(parts) << 16, ordering: .releasing)
        while takePart() {}
        var looks = 0
        while partsDone.load(ordering: .acquiring) < parts { Self.pause(&looks) }
    }

    /// Does a part of the task; false where none is left.
    private func takePart() -> Bool {
        var seen = task.load(ordering: .acquiring)
        while seen & 0xffff < seen >> 16 & 0xffff {
            let (taken, now) = task.weakCompareExchange(
                expected: seen,
                desired: seen + 1,
                ordering: .acquiring
            )
            if taken {
                // SAFETY: the task cannot end, nor the next one begin, before this part is done.
                unsafe body(Int(seen & 0xffff))
                partsDone.add(1, ordering: .releasing)
                return true
            }
            seen = now
        }
        return false
    }

    private func help() {
        var looks = 0
        while !isOver.load(ordering: .relaxed) {
            if takePart() { looks = 0 } else { Self.pause(&looks) }
        }
    }

    private static func pause(_ looks: inout Int) {
        looks += 1
        if looks > looksMax { sched_yield() }
    }
}
