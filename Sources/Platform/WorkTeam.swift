// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Glibc
internal import Synchronization

/// Threads that do the same work together, each its part, and meet after every few microseconds.
///
/// While they wait for each other they spin, since to be woken takes longer than such a piece of
/// work; so a team should be for some milliseconds. Nothing waits for a thread that does not run:
/// the team is of those that have come when the work begins.
package final class WorkTeam: Sendable {
    /// The most threads of a team.
    package static let threadCountMax = 64
    /// How many looks, of a few nanoseconds each, the calling thread takes for others to come.
    private static let looksForOthers = 30_000
    /// How many looks in vain before a thread lets others run.
    private static let looksBeforeYielding = 10_000

    /// How often a member has come to a meeting, alone on its cache lines.
    private struct Slot: ~Copyable, Sendable {
        let meetings = Atomic(0)
        let padding = InlineArray<15, Int>(repeating: 0)
    }

    /// One thread's place in the team.
    package struct Member: ~Copyable {
        /// Which part of the work is its own, from 0; the calling thread's is 0.
        package let part: Int
        /// How many parts there are.
        package let partCount: Int
        private let team: WorkTeam
        private var meetings = 0

        fileprivate init(_ part: Int, of partCount: Int, in team: WorkTeam) {
            self.part = part
            self.partCount = partCount
            self.team = team
        }

        /// Waits until every member has come here: what each wrote before, all see after.
        package mutating func meet() {
            guard partCount > 1 else { return }
            meetings += 1
            team.slots[part].meetings.store(meetings, ordering: .releasing)
            for other in 0..<partCount where other != part {
                var looks = 0
                while team.slots[other].meetings.load(ordering: .acquiring) < meetings {
                    WorkTeam.pause(&looks)
                }
            }
        }
    }

    private let slots: InlineArray<64, Slot> = InlineArray { _ in Slot() }
    /// How many threads have come; more than any number once the work has begun.
    private let arrivals = Atomic(1)
    /// How many threads the team has; 0 until the work begins.
    private let partCount = Atomic(0)

    private init() {}

    /// Calls `body` on up to `threadCount` threads at once, each as another member, and returns
    /// what it gave the calling one when that is done.
    ///
    /// The last thing that members do for each other has to be a meeting.
    package static func run<Result>(
        threadCount: Int,
        _ body: @escaping @Sendable (inout Member) -> Result
    ) -> Result {
        precondition(threadCount > 0 && threadCount <= threadCountMax)
        let team = WorkTeam()
        for _ in 1..<threadCount {
            DispatchQueue.global(qos: .userInitiated).async { team.help(body) }
        }
        var member = Member(0, of: team.begin(threadCount), in: team)
        return body(&member)
    }

    /// Waits a while for the others and closes the door; returns how many there are.
    private func begin(_ threadCount: Int) -> Int {
        var looks = 0
        while looks < Self.looksForOthers, arrivals.load(ordering: .relaxed) < threadCount {
            looks += 1
        }
        let count = arrivals.exchange(.max / 2, ordering: .relaxed)
        partCount.store(count, ordering: .releasing)
        return count
    }

    private func help<Result>(_ body: (inout Member) -> Result) {
        let part = arrivals.add(1, ordering: .relaxed).oldValue
        // Too late: the others do the work.
        guard part < Self.threadCountMax else { return }
        var (count, looks) = (0, 0)
        while count == 0 {
            count = partCount.load(ordering: .acquiring)
            Self.pause(&looks)
        }
        var member = Member(part, of: count, in: self)
        _ = body(&member)
    }

    private static func pause(_ looks: inout Int) {
        looks += 1
        if looks > looksBeforeYielding { sched_yield() }
    }
}
