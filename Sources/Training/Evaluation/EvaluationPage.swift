// SPDX-License-Identifier: MIT

package import JSON

/// The page of an evaluation, for those who run the machines: how many failures are foreseen, how
/// long before, at what cost in false alarms; then how good the probabilities are.
///
/// It loads nothing from elsewhere. What only `evaluation.json` holds (importance, scores by window
/// fill, the rule of the alarms) is read there, and left out where it is not.
package struct EvaluationPage {
    private static let timelinesMax = 6

    /// What was judged: the model's name and version.
    let model: String
    let evaluation: Evaluation
    /// The content of `evaluation.json`, with the intervals that the page has computed.
    package private(set) var content: JSONObject
    let matrix: FeatureMatrix
    let probabilities: [Double]
    let bands: CurveBands?
    let leadTime: LeadTime?

    /// Computes curves and their bands; `json` is the content of `evaluation.json` so far.
    package init(
        model: String,
        evaluation: Evaluation,
        json: JSONObject,
        matrix: FeatureMatrix,
        probabilities: [Double],
        leadTime: LeadTime?
    ) {
        bands = CurveBands(
            probabilities: probabilities,
            labels: matrix.labels,
            machines: matrix.entities
        )
        self.model = model
        self.evaluation = evaluation
        content = json
        content["intervals"] = bands?.json
        self.matrix = matrix
        self.probabilities = probabilities
        self.leadTime = leadTime
    }

    var json: JSONValue { .object(content) }

    /// The page.
    package var bytes: [UInt8] {
        var page = HTMLPage(title: "Evaluation of \(model)")
        page.verdict(verdict, isAlert: false)
        addWarnings(to: &page)
        page.tiles(tiles)
        addAlarms(to: &page)
        page.heading("How well it ranks")
        if let bands {
            page.paragraph(
                "Bands: the middle 95 % of \(bands.draws) draws of \(bands.units)"
                    + " \(matrix.entities == nil ? "rows" : "machines") with replacement."
            )
            page.figures([rocDrawing(bands), precisionRecallDrawing(bands)])
        } else {
            page.paragraph("There are no curves: the rows are of one class, or of one machine.")
        }
        page.heading("How far its probabilities can be trusted")
        page.paragraph(
            "Left: how probable a failure was called, for rows with and without one. Right: the"
                + " share of failures among rows of similar probability; on the dashed line a"
                + " probability means what it says."
        )
        page.figures([scoreDrawing, reliabilityDrawing])
        addTables(to: &page)
        addTimelines(to: &page)
        addProtocol(to: &page)
        return page.bytes
    }

    // MARK: - In short

    private var verdict: String {
        let metrics = evaluation.metrics
        guard let leadTime, leadTime.failures > 0 else {
            return "At the threshold \(NumberText.short(metrics.threshold)) it finds"
                + " \(NumberText.percent(metrics.classes[1].recall)) of the failures, and"
                + " \(NumberText.percent(metrics.classes[1].precision)) of what it calls a failure"
                + " is one."
        }
        let hours = number("lead_time", "hours_ahead") ?? 0
        let median = leadTime.medianHours.map {
            ", half of them \(NumberText.short($0)) hours or more"
        }
        let rate = leadTime.falseAlarmsPerMonth.map {
            " (\(NumberText.short($0)) per machine and month)"
        }
        let caught = leadTime.leadHours.count
        let failures = NumberText.count(leadTime.failures, "failure")
        return "\(caught) of \(failures) had an alarm before,"
            + " \(leadTime.caught(hoursAhead: hours)) at least \(NumberText.short(hours)) hours"
            + " ahead\(median ?? "");"
            + " \(NumberText.count(leadTime.falseAlarms, "false alarm"))\(rate ?? "")."
    }

    private var tiles: [HTMLPage.Tile] {
        let metrics = evaluation.metrics
        func interval(_ range: ClosedRange<Double>?) -> String {
            guard let range else { return "" }
            return "\(NumberText.fixed(range.lowerBound, decimals: 3)) to"
                + " \(NumberText.fixed(range.upperBound, decimals: 3))"
        }
        func tile(_ label: String, _ value: Double?, _ note: String = "") -> HTMLPage.Tile {
            HTMLPage.Tile(
                label: label,
                value: value.map { NumberText.fixed($0, decimals: 3) } ?? "none",
                note: note
            )
        }
        let rate = Double(metrics.classes[1].support) / Double(metrics.count)
        let foreseen = leadTime.map { lead in
            HTMLPage.Tile(
                label: "Failures foreseen",
                value: "\(lead.leadHours.count) of \(lead.failures)",
                note: NumberText.count(lead.falseAlarms, "false alarm")
            )
        }
        return (foreseen.map { [$0] } ?? []) + [
            tile("PR-AUC", metrics.prAUC, interval(bands?.prAUC)),
            tile("ROC-AUC", metrics.rocAUC, interval(bands?.rocAUC)),
            tile("Precision", metrics.classes[1].precision),
            tile("Recall", metrics.classes[1].recall),
            tile("Brier skill", evaluation.brierSkill, "1 is perfect, 0 is no use"),
            HTMLPage.Tile(
                label: "Calibration error",
                value: NumberText.fixed(evaluation.reliability.expectedError, decimals: 4)
            ),
            HTMLPage.Tile(
                label: "Rows",
                value: "\(metrics.count)",
                note: "\(NumberText.percent(rate)) before a failure"
            ),
        ]
    }

    private func addAlarms(to page: inout HTMLPage) {
        guard let leadTime else { return }
        page.heading("Alarms and what they cost")
        let rule = json["lead_time"]?["rule"]
        func text(_ key: String) -> String {
            if case .number(let value) = rule?[key] { NumberText.short(value) } else { "?" }
        }
        page.paragraph(
            "An alarm begins when \(text("needed")) of the last \(text("of")) probabilities reach"
                + " \(text("raise")), and ends when none of them reaches \(text("clear"))."
        )
        if let total = number("cost", "total"), let without = number("cost", "without_alarms") {
            page.paragraph(
                "Missed failures, false alarms and planned stops cost \(NumberText.short(total));"
                    + " without alarms it would have been \(NumberText.short(without))"
                    + (number("cost", "per_machine_month").map {
                        ", now \(NumberText.short($0)) per machine and month."
                    } ?? ".")
            )
        } else if !leadTime.leadHours.isEmpty {
            let ratio = Double(leadTime.falseAlarms) / Double(leadTime.leadHours.count)
            page.paragraph(
                "For each failure foreseen there were \(NumberText.short(ratio)) false alarms:"
                    + " alarms pay where a failure that is foreseen saves more than those cost."
            )
        }
        if leadTime.leadHours.count > 1 { page.figures([leadDrawing(leadTime)]) }
    }

    // MARK: - Tables

    private func addTables(to page: inout HTMLPage) {
        let metrics = evaluation.metrics
        page.heading("At the threshold \(NumberText.short(metrics.threshold))")
        if let how = evaluation.thresholdRule { page.paragraph("Threshold: \(how).") }
        page.table(
            ["confusion", "called normal", "called failure"],
            [
                ["normal", "\(metrics.trueNegatives)", "\(metrics.falsePositives)"],
                ["before a failure", "\(metrics.falseNegatives)", "\(metrics.truePositives)"],
            ]
        )
        func row(_ name: String, _ scores: ClassificationMetrics.ClassScores) -> [String] {
            [name]
                + [scores.precision, scores.recall, scores.f1].map {
                    NumberText.fixed($0, decimals: 4)
                } + ["\(scores.support)"]
        }
        page.table(
            ["class", "precision", "recall", "F1", "rows"],
            [
                row("normal", metrics.classes[0]), row("before a failure", metrics.classes[1]),
                row("macro average", metrics.macroAverage),
                row("weighted average", metrics.weightedAverage),
            ]
        )
        addParts(to: &page)
    }

    /// What others put into `evaluation.json`.
    private func addParts(to page: inout HTMLPage) {
        if case .array(let parts) = json["by_window_fill"], !parts.isEmpty {
            page.heading("By how full the windows were")
            page.paragraph("A machine's first readings have short windows.")
            func cell(_ part: JSONValue, _ key: String) -> String {
                guard case .number(let value) = part[key] else { return "-" }
                return key == "rows" ? "\(Int(value))" : NumberText.fixed(value, decimals: 4)
            }
            let keys = ["rows", "failure_rate", "probability", "pr_auc", "roc_auc", "brier_skill"]
            page.table(
                [
                    "fill", "rows", "failure rate", "probability", "PR-AUC", "ROC-AUC",
                    "Brier skill",
                ],
                parts.map { part in
                    let ends = ["above", "to"].map { key -> String in
                        guard case .number(let value) = part[key] else { return "?" }
                        return NumberText.percent(value, decimals: 0)
                    }
                    return [ends.joined(separator: " to ")] + keys.map { cell(part, $0) }
                }
            )
        }
        guard let drawing = importanceDrawing else { return }
        page.heading("What it goes by")
        page.paragraph(
            "How much PR-AUC is lost when the readings of a group are those of another row."
        )
        page.figures([drawing])
    }

    private func addTimelines(to page: inout HTMLPage) {
        guard let timelines = worstMachines, !timelines.isEmpty else { return }
        page.heading("The worst machines")
        page.paragraph(
            "Machines with missed failures first, then with false alarms, then those whose"
                + " probabilities were furthest from what came. The line is the probability of a"
                + " failure; below it stand alarms and the time before failures."
        )
        for timeline in timelines.prefix(Self.timelinesMax) {
            page.figure(drawing(of: timeline, threshold: evaluation.metrics.threshold))
        }
    }

    private var worstMachines: [MachineTimeline]? {
        guard let raise = number("lead_time", "rule", "raise"),
            let clear = number("lead_time", "rule", "clear"),
            let needed = number("lead_time", "rule", "needed"),
            let length = number("lead_time", "rule", "of")
        else { return nil }
        return MachineTimeline.worst(
            matrix,
            probabilities: probabilities,
            rule: (raise, clear, Int(needed), Int(length))
        )
    }

    /// The number that stands at a path of keys.
    func number(_ path: String...) -> Double? {
        var value: JSONValue? = json
        for key in path { value = value?[key] }
        if case .number(let number) = value { return number }
        return nil
    }
}
