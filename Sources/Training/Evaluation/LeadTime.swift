// SPDX-License-Identifier: MIT

package import Features
package import JSON
internal import ModelRuntime

/// How long before failures their alarms begin, and how many alarms no failure follows.
///
/// A run of rows with label 1 of one machine stands for one failure. It is caught by an alarm that
/// is up on one of its rows. The failure comes `horizonHours` after the first row of its run, or on
/// the last one where there is no horizon or the machine's first row is in the run already. With
/// the run the machine's alarm ends, for it has been repaired. An alarm that is up on no such row
/// is false.
package struct LeadTime: Equatable, Sendable {
    private static let hour = 3_600_000_000.0
    private static let hoursPerMonth = 730.5

    /// One alarm of one machine.
    package struct Alarm: Equatable, Sendable {
        /// The row that it began with.
        package let row: Int
        /// Whether it was up on a row before a failure.
        package fileprivate(set) var isTrue = false
    }

    /// All alarms by machine, then time.
    package private(set) var alarms: [Alarm] = []
    /// The number of failures.
    package private(set) var failures = 0
    /// The hours from the beginning of the alarm to the failure, of the failures that were caught.
    package private(set) var leadHours: [Double] = []
    /// The number of false alarms.
    package private(set) var falseAlarms = 0
    /// The time that the machines were watched for, in months of 730.5 hours.
    package private(set) var machineMonths = 0.0

    /// Plays each machine's rows in the order of time; nil where rows have no machine or no time.
    package init?(
        _ matrix: FeatureMatrix,
        probabilities: [Double],
        rule: AlarmRule,
        horizonHours: Double?
    ) {
        guard let codes = matrix.entities?.codes, let times = matrix.timestamps else { return nil }
        let order = codes.indices.sorted { (codes[$0], times[$0], $0) < (codes[$1], times[$1], $1) }
        var first = 0
        while first < order.count {
            var end = first
            while end < order.count, codes[order[end]] == codes[order[first]] { end += 1 }
            let rows = order[first..<end].map { row in
                Row(
                    number: row,
                    time: times[row],
                    probability: probabilities[row],
                    label: matrix.labels[row],
                    rule: rule
                )
            }
            play(rows, horizonHours)
            first = end
        }
        leadHours.sort()
    }

    /// Plays lives of machines, each with its rows in the order of time and known failures.
    ///
    /// `unseen` failures had no row before them, and are missed.
    package init(lives: [[Row]], unseen: Int) {
        for rows in lives where !rows.isEmpty { play(rows, nil) }
        failures += unseen
        leadHours.sort()
    }

    /// A prediction of a machine.
    package struct Row: Equatable, Sendable {
        /// The number that alarms name it by.
        package var number: Int
        /// Microseconds since the epoch.
        package var time: Int64
        /// What was predicted.
        package var probability: Double
        /// 1 before a failure.
        package var label: UInt8
        /// When predictions become an alarm.
        package var rule: AlarmRule
        /// The failure's moment, where that is known.
        package var failure: Int64?

        /// Describes a prediction.
        package init(
            number: Int,
            time: Int64,
            probability: Double,
            label: UInt8,
            rule: AlarmRule,
            failure: Int64? = nil
        ) {
            self.number = number
            self.time = time
            self.probability = probability
            self.label = label
            self.rule = rule
            self.failure = failure
        }
    }

    private mutating func play(_ rows: [Row], _ horizonHours: Double?) {
        machineMonths += Self.hours(rows[rows.count - 1].time - rows[0].time) / Self.hoursPerMonth
        var state = AlarmState()
        // The alarm that is up and has met no failure yet.
        var isUnmatched = false
        // The first row of the present run, and when its alarm began.
        var run: (first: Int, since: Int64?)?
        for (index, row) in rows.enumerated() {
            if let ended = run, row.label == 0 || row.failure != rows[ended.first].failure {
                close(ended, rows, before: index, horizonHours)
                run = nil
                state = AlarmState()
                isUnmatched = false
            }
            let before = state.since
            state.observe(probability: row.probability, at: row.time, by: row.rule)
            if before != nil, state.since == nil, isUnmatched { falseAlarms += 1 }
            if before == nil || state.since == nil { isUnmatched = state.since != nil }
            if before == nil, state.since != nil { alarms.append(Alarm(row: row.number)) }
            guard row.label == 1 else { continue }
            if state.since != nil { alarms[alarms.count - 1].isTrue = true }
            run = (run?.first ?? index, run?.since ?? state.since)
            if state.since != nil { isUnmatched = false }
        }
        if let run { close(run, rows, before: rows.count, horizonHours) }
        if isUnmatched { falseAlarms += 1 }
    }

    private mutating func close(
        _ run: (first: Int, since: Int64?),
        _ rows: [Row],
        before end: Int,
        _ horizonHours: Double?
    ) {
        failures += 1
        guard let since = run.since else { return }
        var failure = rows[run.first].failure ?? rows[end - 1].time
        if let horizonHours, run.first > 0 {
            failure = max(failure, rows[run.first].time + Int64(horizonHours * Self.hour))
        }
        leadHours.append(Self.hours(failure - since))
    }

    private static func hours(_ microseconds: Int64) -> Double { Double(microseconds) / hour }

    /// The middle of the lead times in hours; nil where no failure was caught.
    package var medianHours: Double? {
        guard !leadHours.isEmpty else { return nil }
        let middle = leadHours.count / 2
        return leadHours.count.isMultiple(of: 2)
            ? (leadHours[middle - 1] + leadHours[middle]) / 2 : leadHours[middle]
    }

    /// The failures caught at least so many hours ahead.
    package func caught(hoursAhead: Double) -> Int { leadHours.count { $0 >= hoursAhead } }

    /// False alarms per machine and month; nil where nothing was watched.
    package var falseAlarmsPerMonth: Double? {
        machineMonths > 0 ? Double(falseAlarms) / machineMonths : nil
    }

    /// The part of `evaluation.json`, with the failures caught `hoursAhead`; without a rule where
    /// alarms go by those of several models.
    package func json(rule: AlarmRule?, hoursAhead: Double) -> JSONObject {
        var object = JSONObject()
        object["rule"] = rule?.json
        object["failures"] = .integer(failures)
        object["caught"] = .integer(leadHours.count)
        object["hours_ahead"] = .number(hoursAhead)
        object["caught_ahead"] = .integer(caught(hoursAhead: hoursAhead))
        object["median_hours"] = medianHours.map { .number($0) } ?? .null
        object["false_alarms"] = .integer(falseAlarms)
        object["machine_months"] = .number(machineMonths)
        object["false_alarms_per_machine_month"] = falseAlarmsPerMonth.map { .number($0) } ?? .null
        return object
    }

    /// The lines of the printed report.
    package func lines(rule: AlarmRule, hoursAhead: Double) -> [String] {
        func text(_ value: Double?) -> String { value.map(ClassificationMetrics.fixed) ?? "none" }
        return [
            "alarms: \(rule.needed) of \(rule.length) predictions at \(rule.raise), until none at"
                + " \(rule.clear)",
            "  \(leadHours.count) of \(failures) failures caught, \(caught(hoursAhead: hoursAhead))"
                + " at least \(hoursAhead) hours ahead, median \(text(medianHours)) hours",
            "  \(falseAlarms) false alarms, \(text(falseAlarmsPerMonth)) per machine and month",
        ]
    }
}
