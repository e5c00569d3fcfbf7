// SPDX-License-Identifier: MIT

internal import Features
internal import ModelRuntime

/// What one machine's predictions looked like over time, with its alarms and failures.
struct MachineTimeline: Equatable, Sendable {
    /// A stretch of rows.
    struct Stretch: Equatable, Sendable {
        var first: Int
        var last: Int
        /// Whether an alarm was up before the failure, or a failure followed the alarm.
        var isMatched: Bool
    }

    /// The machine's name.
    var name: String
    /// The moments of its rows, microseconds since the epoch.
    var times: [Int64]
    /// What was predicted.
    var probabilities: [Double]
    /// Rows of label 1: the time before a failure.
    var failures: [Stretch] = []
    /// Rows with an alarm up.
    var alarms: [Stretch] = []
    /// The rows' cross-entropy: how far the probabilities were from what came.
    var loss = 0.0

    /// Failures without an alarm.
    var missed: Int { failures.count { !$0.isMatched } }
    /// Alarms without a failure.
    var falseAlarms: Int { alarms.count { !$0.isMatched } }

    /// The machines of a feature file, the worst first: missed failures, then false alarms, then
    /// the loss; nil where rows have no machine or no time.
    ///
    /// `rule` is the one that ``LeadTime`` goes by, and so are alarms and failures.
    static func worst(
        _ matrix: FeatureMatrix,
        probabilities: [Double],
        rule: (raise: Double, clear: Double, needed: Int, of: Int)
    ) -> [MachineTimeline]? {
        guard let entities = matrix.entities, let times = matrix.timestamps,
            let rule = AlarmRule(
                raise: rule.raise,
                clear: rule.clear,
                needed: rule.needed,
                of: rule.of
            )
        else { return nil }
        var rows = entities.categories.map { _ in [Int]() }
        for (row, code) in entities.codes.enumerated() { rows[Int(code)].append(row) }
        var timelines: [MachineTimeline] = []
        for (name, rows) in zip(entities.categories, rows) where !rows.isEmpty {
            let order = rows.sorted { (times[$0], $0) < (times[$1], $1) }
            var timeline = MachineTimeline(
                name: name,
                times: order.map { times[$0] },
                probabilities: order.map { probabilities[$0] }
            )
            timeline.play(order.map { matrix.labels[$0] }, rule)
            timelines.append(timeline)
        }
        return timelines.sorted {
            ($1.missed, $1.falseAlarms, $1.loss) < ($0.missed, $0.falseAlarms, $0.loss)
        }
    }

    private mutating func play(_ labels: [UInt8], _ rule: AlarmRule) {
        var state = AlarmState()
        var (isInRun, isUp) = (false, false)
        for (row, label) in labels.enumerated() {
            let right = label == 1 ? probabilities[row] : 1 - probabilities[row]
            // A certainty that was wrong costs no more than double precision can tell.
            loss -= PortableMath.log(max(right, .ulpOfOne))
            if label == 0, isInRun {
                // With the failure the machine is repaired, and its alarm ends.
                state = AlarmState()
                (isInRun, isUp) = (false, false)
            }
            state.observe(probability: probabilities[row], at: times[row], by: rule)
            if state.since != nil {
                if !isUp { alarms.append(Stretch(first: row, last: row, isMatched: false)) }
                alarms[alarms.count - 1].last = row
            }
            isUp = state.since != nil
            guard label == 1 else { continue }
            if !isInRun { failures.append(Stretch(first: row, last: row, isMatched: false)) }
            isInRun = true
            failures[failures.count - 1].last = row
            if isUp {
                failures[failures.count - 1].isMatched = true
                alarms[alarms.count - 1].isMatched = true
            }
        }
    }
}
