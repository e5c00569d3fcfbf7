// SPDX-License-Identifier: MIT

package import Features
package import ModelRuntime

/// What was chosen of an alarm's rule; the threshold, where alarms begin, is the model's.
package struct AlarmChoice: Equatable, Sendable {
    /// How many of the last predictions have to be positive.
    package var needed: Int?
    /// How many predictions an alarm looks back on.
    package var length: Int?
    /// The least probability that keeps an alarm up.
    package var clear: Double?

    /// Nothing chosen: the usual rule.
    package init(needed: Int? = nil, length: Int? = nil, clear: Double? = nil) {
        self.needed = needed
        self.length = length
        self.clear = clear
    }

    /// The rule; what was not chosen is as in `usual`, or else as usual for all models.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where the parts make no rule.
    package func rule(
        threshold: Double,
        riskLevels: RiskLevels,
        usual: AlarmRule? = nil
    ) throws(TrainingError) -> AlarmRule {
        let needed = needed ?? usual?.needed ?? 2
        let length = length ?? usual?.length ?? 3
        let clear = clear ?? usual?.clear
        let rule = AlarmRule(
            threshold: threshold,
            riskLevels: riskLevels,
            clear: clear,
            needed: needed,
            of: length
        )
        if let rule { return rule }
        throw .unusable(
            "an alarm of \(needed) of \(length) predictions at \(threshold) until none at"
                + " \(clear ?? riskLevels.medium) cannot be: 0 < clear <= threshold and"
                + " 1 <= needed <= of <= \(AlarmRule.lengthMax) are possible"
        )
    }
}
