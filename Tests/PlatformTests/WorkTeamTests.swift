// SPDX-License-Identifier: MIT

import Platform
import Synchronization
import Testing

struct WorkTeamTests {
    /// Members add up in turn: each only if it sees what all others wrote before the meeting.
    @Test(arguments: [1, 2, 5])
    func membersSeeWhatTheOthersWroteBeforeAMeeting(threads: Int) {
        let sums = Lock([Int](repeating: 0, count: threads))
        let wrong = Atomic(0)
        let count = WorkTeam.run(threadCount: threads) { member in
            let (part, count) = (member.part, member.partCount)
            for round in 1...500 {
                sums.withLock { $0[part] += 1 }
                member.meet()
                let all = sums.withLock { $0.reduce(0, +) }
                if all != count * round { wrong.add(1, ordering: .relaxed) }
                member.meet()
            }
            return count
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect((1...threads).contains(count))
        #expect(sums.withLock { $0.sorted(by: >) }.prefix(count).allSatisfy { $0 == 500 })
        #expect(sums.withLock { $0 }.dropFirst(count).allSatisfy { $0 == 0 })
    }

    /// The pool has fewer threads than this: those that do not come are not waited for.
    @Test func worksWithThoseThatCome() {
        let parts = Lock(Set<Int>())
        let count = WorkTeam.run(threadCount: WorkTeam.threadCountMax) { member in
            let part = member.part
            parts.withLock { _ = $0.insert(part) }
            member.meet()
            return member.partCount
        }
        #expect(parts.withLock { $0 } == Set(0..<count))
    }

    @Test(arguments: [0, 65])
    func refusesTooFewAndTooManyThreads(threads: Int) async {
        await #expect(processExitsWith: .failure) { [threads] in
            WorkTeam.run(threadCount: threads) { _ in }
        }
    }
}
