// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct HandshakeLineTests {
    private func token(_ number: Int) -> ConnectionToken {
        ConnectionToken(descriptor: Int32(number % 10), generation: UInt32(number))
    }

    @Test func theFirstIsTheOldestThatHasNotEnded() {
        var line = HandshakeLine()
        #expect(line.first { _ in true } == nil)
        for number in 1...4 { line.begin(token(number)) }
        var ended: Set<ConnectionToken> = []
        for (number, oldest) in [(2, 1), (1, 3), (4, 3)] {
            ended.insert(token(number))
            line.end()
            #expect(line.first { !ended.contains($0) } == token(oldest))
        }
        #expect(line.count == 1)
        line.end()
        #expect(line.first { _ in false } == nil && line.count == 0)
    }

    /// As long as one of them waits, those that come and go behind it are kept; then none is.
    @Test func forgetsThoseThatHaveEnded() {
        var line = HandshakeLine()
        line.begin(token(1))
        for number in 2...1000 {
            line.begin(token(number))
            line.end()
            #expect(line.first { $0 == token(1) } == token(1))
        }
        line.end()
        line.begin(token(1001))
        #expect(line.first { $0 == token(1001) } == token(1001))
        #expect(line.count == 1 && line.tokenCount == 1)
    }
}
