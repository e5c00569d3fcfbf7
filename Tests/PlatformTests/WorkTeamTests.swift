// SPDX-License-Identifier: MIT

import Platform
import Synchronization
import Testing

struct WorkTeamTests {
    @Test(arguments: [1, 2, 5])
    func doesEachPartOfEachTaskOnce(threads: Int) {
        let counts = Mutex([Int](repeating: 0, count: 40))
        let wrong = Atomic(0)
        WorkTeam.with(threadCount: threads) { team in
            for task in 1...500 {
                let parts = task % 41
                team.run(parts: parts) { part in counts.withLock { $0[part] += 1 } }
                // All parts are done when the call returns.
                let done = counts.withLock { $0.reduce(0, +) }
                let expected = (1...task).reduce(0) { $0 + $1 % 41 }
                if done != expected { wrong.add(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        let expected = (0..<40).map { part in (1...500).count { $0 % 41 > part } }
        #expect(counts.withLock { $0 } == expected)
    }

    @Test func givesBackWhatItsBodyGives() {
        #expect(WorkTeam.with(threadCount: 3) { $0.threadCount } == 3)
    }

    @Test func refusesTooManyParts() async {
        await #expect(processExitsWith: .failure) {
            WorkTeam.with(threadCount: 1) { $0.run(parts: 65_536) { _ in } }
        }
        WorkTeam.with(threadCount: 2) { $0.run(parts: 65_535) { _ in } }
    }
}
