// SPDX-License-Identifier: MIT

import ModelRuntime
import Testing
import Training

struct DecisionRuleTests {
    private let probabilities = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1]
    private let labels: [UInt8] = [1, 1, 0, 1, 0, 0]

    private func threshold(_ rule: DecisionRule) -> Double? {
        rule.threshold(probabilities: probabilities, labels: labels)
    }

    private func costs(_ missed: Double, _ falseAlarm: Double, _ planned: Double = 0) -> Double? {
        threshold(
            .costs(
                DecisionCosts(missedFailure: missed, falseAlarm: falseAlarm, plannedStop: planned)
            )
        )
    }

    @Test func takesWhatIsGiven() {
        #expect(threshold(.fixed(0.25)) == 0.25)
    }

    @Test func weighsMissedFailuresAgainstFalseAlarms() {
        // Dear failures: one false alarm is worth the third failure.
        #expect(costs(10, 1) == 0.35)
        // Dear false alarms: it is not.
        #expect(costs(1, 10) == 0.75)
        // A planned stop that costs as much as a failure leaves nothing to gain.
        #expect(costs(10, 1, 10) == 0.95)
    }

    @Test func holdsAPrecisionWithTheMostRecall() {
        #expect(threshold(.precision(1)) == 0.75)
        #expect(threshold(.precision(0.75)) == 0.35)
        #expect(threshold(.precision(0.5)) == 0.35)
    }

    @Test func holdsARecallWithTheBestPrecision() {
        #expect(threshold(.recall(0.6)) == 0.75)
        #expect(threshold(.recall(1)) == 0.35)
    }

    @Test func findsTheBestF1() {
        // F1 by step: 1/2, 4/5, 2/3, 6/7, 3/4, 2/3.
        #expect(threshold(.f1) == 0.35)
    }

    @Test func hasNoneWhereNoneHolds() {
        let rule = DecisionRule.precision(0.9)
        #expect(rule.threshold(probabilities: [0.9, 0.1], labels: [0, 1]) == nil)
        #expect(rule.threshold(probabilities: [0.9], labels: [0]) == nil)
        #expect(rule.threshold(probabilities: [], labels: []) == nil)
    }

    @Test func staysBetweenZeroAndOne() {
        let rule = DecisionRule.recall(1)
        #expect(rule.threshold(probabilities: [0, 0], labels: [1, 0]) == 0x1p-52)
        #expect(rule.threshold(probabilities: [1, 1], labels: [1, 0]) == 0.5)
    }

    @Test func riskLevelsFollowTheThreshold() {
        #expect(RiskLevels(threshold: 0.5) == RiskLevels())
        let levels = RiskLevels(threshold: 0.1)
        #expect(levels.medium < 0.1 && levels.high > 0.1 && levels.high < 0.5)
    }
}
