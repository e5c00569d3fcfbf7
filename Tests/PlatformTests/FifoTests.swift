// SPDX-License-Identifier: MIT

import Platform
import Testing

struct FifoTests {
    @Test func keepsTheOrder() {
        var fifo = Fifo<Int>()
        #expect(fifo.isEmpty && fifo.popFirst() == nil)
        var next = 0
        var taken: [Int] = []
        for round in 1...20 {
            for _ in 0..<round {
                fifo.append(next)
                next += 1
            }
            for _ in 0..<(round / 2) { taken += [fifo.popFirst()].compactMap(\.self) }
        }
        while let element = fifo.popFirst() { taken.append(element) }
        #expect(taken == Array(0..<next) && fifo.isEmpty)
    }
}
