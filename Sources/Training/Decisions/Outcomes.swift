// SPDX-License-Identifier: MIT

package import Features

/// What became of predictions, by what operators told of their machines.
///
/// A prediction is right or wrong by whether a failure came within the horizon of its model. It is
/// judged only where that can be known: its horizon is over, and no maintenance came first, after
/// which nobody can say what would have been. A planned stop is no failure and ends nothing.
package struct Outcomes: Sendable {
    /// What was left out, by why.
    package struct Omissions: Equatable, Sendable {
        /// The horizon is not over.
        package var open: Int
        /// A maintenance came within the horizon, before any failure.
        package var maintained: Int
        /// The reading was told before.
        package var duplicates: Int
        /// The reading was older than what windows keep.
        package var stale: Int
        /// The probability is none: the log was changed.
        package var invalid: Int

        /// Counts of nothing, but for those that are given.
        package init(
            open: Int = 0,
            maintained: Int = 0,
            duplicates: Int = 0,
            stale: Int = 0,
            invalid: Int = 0
        ) {
            self.open = open
            self.maintained = maintained
            self.duplicates = duplicates
            self.stale = stale
            self.invalid = invalid
        }
    }

    /// A prediction with what is known of it.
    package struct Row: Sendable {
        /// Where it is in the log.
        package let source: DecisionHistory.Row
        /// The number of its model among ``Outcomes/models``.
        package let model: Int
        /// Whether a failure came within the horizon; nil where that cannot be known.
        package let label: UInt8?
        /// That failure's moment.
        package let failure: Int64?

        /// The moment that the reading is about.
        package var timestamp: Int64 { source.decision.time.timestamp }
    }

    /// One machine between two maintenances, with its rows in the order of time.
    package struct Life: Sendable {
        /// The machine.
        package let machine: [UInt8]
        /// Its how many-eth life it is, 0 for the first.
        package let number: Int
        /// What was predicted.
        package let rows: [Row]
    }

    /// The lives, by machine, then time.
    package private(set) var lives: [Life] = []
    /// The models that predicted, in the order of their first appearance.
    package private(set) var models: [LoggedModel] = []
    /// What is not judged.
    package private(set) var omissions = Omissions()
    /// Failures that were told of.
    package private(set) var failureCount = 0
    /// Those of them with no prediction within the horizon before.
    package private(set) var unseenFailureCount = 0
    /// The moment up to which it is known what became of machines.
    package let until: Int64

    private var horizons: [Int64] = []

    /// Joins a log with what was told.
    ///
    /// `until` is by default the latest moment that the log knows of.
    ///
    /// - Throws: ``TrainingError`` where a model has no horizon and none is given.
    package init(
        _ history: DecisionHistory,
        horizonHours: Double? = nil,
        until: Int64? = nil
    ) throws(TrainingError) {
        self.until = until ?? history.lastMoment
        var events: [[UInt8]: [FeedbackEvent]] = [:]
        for event in history.feedback.events where event.timestamp <= self.until {
            events[Array(event.equipmentID.utf8), default: []].append(event)
        }
        var numbers: [String: Int] = [:]
        for machine in history.machines {
            let told = (events.removeValue(forKey: machine.id) ?? [])
                .sorted { $0.timestamp < $1.timestamp }
            let failures = told.filter { $0.kind == .failure }.map(\.timestamp)
            let resets = resets(told, machine, history)
            var rows: [Row] = []
            for row in machine.rows where isJudged(row.decision) {
                guard let model = history.model(of: row) else { continue }
                let number = try number(of: model, horizonHours, &numbers)
                rows.append(judge(row, number, failures, resets))
            }
            failureCount += failures.count
            let seen = Set(rows.compactMap(\.failure))
            unseenFailureCount += failures.count { !seen.contains($0) }
            addLives(rows.sorted { $0.timestamp < $1.timestamp }, resets, machine.id)
        }
        for event in events.values.joined() where event.kind == .failure {
            failureCount += 1
            unseenFailureCount += 1
        }
    }

    private mutating func number(
        of model: LoggedModel,
        _ horizonHours: Double?,
        _ numbers: inout [String: Int]
    ) throws(TrainingError) -> Int {
        if let number = numbers[model.digest] { return number }
        guard let hours = horizonHours ?? model.horizonHours, hours > 0 else {
            throw .unusable("version \(model.version) has no horizon; give --horizon-hours")
        }
        numbers[model.digest] = models.count
        models.append(model)
        horizons.append(Int64(hours * Double(Timestamp.microsecondsPerHour)))
        return models.count - 1
    }

    /// Maintenances that were told, and others that the machine's record shows.
    private func resets(
        _ told: [FeedbackEvent],
        _ machine: DecisionHistory.Machine,
        _ history: DecisionHistory
    ) -> [Int64] {
        var resets = told.filter { $0.kind == .maintenance }.map(\.timestamp)
        for row in machine.rows where row.decision.standing.firstPane != .min {
            guard let model = history.model(of: row) else { continue }
            let pane = Int64(model.paneSeconds) * Timestamp.microsecondsPerSecond
            let start = row.decision.standing.firstPane * pane
            // What was told lies within the pane that windows began anew with.
            if !resets.contains(where: { (start..<start + pane).contains($0) }) {
                resets.append(start)
            }
        }
        return resets.sorted()
    }

    private mutating func isJudged(_ decision: DecisionRecord) -> Bool {
        guard (0...1).contains(decision.probability) else {
            omissions.invalid += 1
            return false
        }
        switch decision.admission {
        case .inOrder, .late: return true
        case .duplicate: omissions.duplicates += 1
        case .stale: omissions.stale += 1
        }
        return false
    }

    private mutating func judge(
        _ row: DecisionHistory.Row,
        _ model: Int,
        _ failures: [Int64],
        _ resets: [Int64]
    ) -> Row {
        let timestamp = row.decision.time.timestamp
        let end = timestamp + horizons[model]
        let failure = failures.first { $0 >= timestamp && $0 <= end }
        let reset = resets.first { $0 > timestamp && $0 <= end }
        var label: UInt8? = 0
        if let failure, failure <= reset ?? .max {
            label = 1
        } else if reset != nil {
            label = nil
            omissions.maintained += 1
        } else if end > until {
            label = nil
            omissions.open += 1
        }
        return Row(source: row, model: model, label: label, failure: label == 1 ? failure : nil)
    }

    private mutating func addLives(_ rows: [Row], _ resets: [Int64], _ machine: [UInt8]) {
        var first = 0
        var number = 0
        for end in resets + [Int64.max] {
            var next = first
            while next < rows.count, rows[next].timestamp < end { next += 1 }
            if next > first {
                let part = Array(rows[first..<next])
                lives.append(Life(machine: machine, number: number, rows: part))
                number += 1
            }
            first = next
        }
    }
}
