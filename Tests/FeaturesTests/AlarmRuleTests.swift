// SPDX-License-Identifier: MIT

import Features
import Testing

struct AlarmRuleTests {
    /// When the alarm that is up began, after each probability; the time is the place.
    private func history(
        _ probabilities: [Double],
        needed: Int = 2,
        of length: Int = 3
    ) -> [Int64?] {
        guard let rule = AlarmRule(raise: 0.5, clear: 0.3, needed: needed, of: length) else {
            return []
        }
        var state = AlarmState()
        return probabilities.enumerated().map { time, probability in
            state.observe(probability: probability, at: Int64(time), by: rule)
            return state.since
        }
    }

    @Test func beginsWithEnoughOfTheLast() {
        #expect(history([0.5, 0.1, 0.1, 0.6, 0.1, 0.5]) == [nil, nil, nil, nil, nil, 5])
        #expect(history([0.5, 0.1, 0.5, 0.5]) == [nil, nil, 2, 2])
        let below = 0.5.nextDown
        #expect(history([below, below]) == [nil, nil])
    }

    @Test func endsWhenNoneOfTheLastKeepsIt() {
        let since = history([0.9, 0.9, 0.2, 0.2, 0.3, 0.2, 0.2, 0.2, 0.9])
        #expect(since == [nil, 1, 1, 1, 1, 1, 1, nil, nil])
    }

    @Test func beginsAnewAfterItsEnd() {
        let since = history([0.9, 0.1, 0.9, 0.1, 0.9], needed: 1, of: 1)
        #expect(since == [0, nil, 2, nil, 4])
    }

    @Test func looksBackAsFarAsItMay() {
        let probabilities = [0.9] + Array(repeating: 0.1, count: 62) + [0.9]
        #expect(history(probabilities, needed: 2, of: 64).last == 63)
        let longer = [0.9, 0.1] + probabilities.dropFirst()
        #expect(history(longer, needed: 2, of: 64).last == .some(nil))
    }

    @Test(arguments: [
        (0.5, 0.0, 2, 3), (0.5, 0.6, 2, 3), (1.1, 0.5, 2, 3), (0.5, 0.3, 0, 3), (0.5, 0.3, 4, 3),
        (0.5, 0.3, 2, 65), (.nan, 0.3, 2, 3), (0.5, .nan, 2, 3),
    ])
    func refuses(raise: Double, clear: Double, needed: Int, length: Int) {
        #expect(AlarmRule(raise: raise, clear: clear, needed: needed, of: length) == nil)
    }

    @Test func acceptsTheBorders() {
        #expect(AlarmRule(raise: 1, clear: 1, needed: 64, of: 64) != nil)
        #expect(AlarmRule(raise: 0.5, clear: 0.5, needed: 1, of: 1) != nil)
    }
}
