// SPDX-License-Identifier: MIT

import Platform
import Testing

struct ThreadsTests {
    @Test(arguments: [0, 1, 40])
    func countsThoseThatCanBeHad(_ count: Int) {
        #expect(Threads.available(of: count) == count)
    }
}
