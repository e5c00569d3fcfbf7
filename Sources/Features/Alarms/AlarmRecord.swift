// SPDX-License-Identifier: MIT

/// The alarms of one model: its rule, and a mark that tells it from others.
package struct AlarmPolicy: Equatable, Sendable {
    /// When an alarm begins and ends.
    package let rule: AlarmRule
    /// Whose alarms they are; another model begins anew.
    package let model: UInt64

    /// Describes the alarms of a model.
    package init(rule: AlarmRule, model: UInt64) {
        self.rule = rule
        self.model = model
    }
}

/// What a machine's record says of its alarm.
package struct AlarmRecord: Equatable, Sendable {
    var state = AlarmState()
    /// The mark of the model whose predictions they were.
    var model: UInt64 = 0

    /// A machine without predictions.
    package init() {}

    /// The alarm for a model: a new one where it was another's.
    package func state(of model: UInt64) -> AlarmState {
        model == self.model ? state : AlarmState()
    }
}

/// The words of an alarm in a record: since when (Int64.min: there is none), which of the last
/// predictions reached `raise` and which `clear`, and the model's mark.
extension RecordLayout {
    static let alarmWordCount = 4

    func alarm(_ words: borrowing MutableSpan<UInt64>, at base: Int) -> AlarmRecord {
        var record = AlarmRecord()
        guard let alarm else { return record }
        let since: Int64 = words.load(at: base + alarm)
        record.state.since = since == .min ? nil : since
        record.state.raising = words[base + alarm + 1]
        record.state.keeping = words[base + alarm + 2]
        record.model = words[base + alarm + 3]
        return record
    }

    /// Whether there is an alarm, or a prediction that speaks for one is remembered.
    func remembersAlarm(_ words: borrowing MutableSpan<UInt64>, at base: Int) -> Bool {
        guard let alarm else { return false }
        return words.load(at: base + alarm) != .min
            || words[base + alarm + 1] | words[base + alarm + 2] != 0
    }

    func setAlarm(_ record: AlarmRecord, _ words: inout MutableSpan<UInt64>, at base: Int) {
        guard let alarm else { return }
        words.store(record.state.since ?? .min, at: base + alarm)
        words[base + alarm + 1] = record.state.raising
        words[base + alarm + 2] = record.state.keeping
        words[base + alarm + 3] = record.model
    }
}
