// SPDX-License-Identifier: MIT

import Dispatch
import Platform
import Testing

struct LockTests {
    /// Also what the thread sanitizer must not take for a race.
    @Test func oneAtATimeHasTheValue() {
        let words = Lock([0])
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            for _ in 0..<20_000 {
                words.withLock { words in
                    words[0] += 1
                    // Memory that one allocates and another frees.
                    if words[0].isMultiple(of: 100) { words = [words[0]] }
                }
            }
        }
        #expect(words.withLock { $0 } == [160_000])
    }

    @Test func whoDoesNotWaitGoesAwayEmptyHanded() {
        let value = Lock(1)
        value.withLock { outer in
            outer = 2
            DispatchQueue.concurrentPerform(iterations: 2) { _ in
                #expect(value.withLockIfAvailable { $0 } == nil)
            }
        }
        #expect(value.withLockIfAvailable { $0 } == 2)
    }

    @Test func errorsGiveTheLockBack() {
        struct Refusal: Error {}
        let value = Lock(1)
        #expect(throws: Refusal.self) {
            try value.withLock { value throws(Refusal) in
                value = 3
                throw Refusal()
            }
        }
        #expect(value.withLock { $0 } == 3)
    }
}
