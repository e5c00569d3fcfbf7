// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import Training

/// When predictions of a machine become an alarm, and when it ends.
struct AlarmOptions: ParsableArguments {
    @Option(help: "How many of the last predictions have to be positive for an alarm (default: 2).")
    var alarmNeeded: Int?

    @Option(help: "How many predictions an alarm looks back on (default: 3).")
    var alarmOf: Int?

    @Option(help: "The probability that keeps an alarm up (default: where risk MEDIUM begins).")
    var alarmClear: Double?

    func validate() throws {
        let length = alarmOf ?? max(3, alarmNeeded ?? 0)
        guard AlarmRule(raise: 1, clear: 1, needed: alarmNeeded ?? 1, of: length) != nil else {
            throw ValidationError(
                "--alarm-needed must be 1 to --alarm-of, --alarm-of at most \(AlarmRule.lengthMax)"
            )
        }
    }

    var choice: AlarmChoice {
        AlarmChoice(needed: alarmNeeded, length: alarmOf, clear: alarmClear)
    }
}
