// SPDX-License-Identifier: MIT

/// When predictions of one machine become an alarm, and when it ends.
///
/// An alarm begins when `needed` of the last `of` probabilities reach `raise`, and ends when none
/// of the last `of` reaches `clear`, which is no higher: a machine on the border does not flicker.
package struct AlarmRule: Equatable, Sendable {
    /// The most predictions that an alarm looks back on.
    package static let lengthMax = 64

    /// The least probability that speaks for an alarm.
    package let raise: Double
    /// The least probability that keeps one up.
    package let clear: Double
    /// How many predictions have to reach `raise`.
    package let needed: Int
    /// Of how many.
    package let length: Int

    /// Describes a rule; nil unless 0 < clear <= raise <= 1 and 1 <= needed <= of <= 64.
    package init?(raise: Double, clear: Double, needed: Int = 2, of length: Int = 3) {
        guard clear > 0, clear <= raise, raise <= 1, needed >= 1, needed <= length,
            length <= Self.lengthMax
        else { return nil }
        self.raise = raise
        self.clear = clear
        self.needed = needed
        self.length = length
    }
}

/// What the alarm of one machine remembers: two words and a time.
package struct AlarmState: Equatable, Sendable {
    /// When the alarm began, microseconds since the epoch; nil while there is none.
    package internal(set) var since: Int64?
    /// Whether each of the last predictions reached `raise`, the last in the lowest bit.
    var raising: UInt64 = 0
    /// The same of `clear`.
    var keeping: UInt64 = 0

    /// A machine without predictions.
    package init() {}

    /// Takes the next prediction of the machine, in the order of time.
    package mutating func observe(probability: Double, at timestamp: Int64, by rule: AlarmRule) {
        let mask = UInt64.max >> UInt64(AlarmRule.lengthMax - rule.length)
        raising = (raising << 1 | (probability >= rule.raise ? 1 : 0)) & mask
        keeping = (keeping << 1 | (probability >= rule.clear ? 1 : 0)) & mask
        if since != nil {
            if keeping == 0 { since = nil }
        } else if raising.nonzeroBitCount >= rule.needed {
            since = timestamp
        }
    }
}
