// SPDX-License-Identifier: MIT

import Features
import JSON
import Testing

@testable import Training

struct MachineTimelineTests {
    private let matrix: FeatureMatrix
    private let probabilities: [Double]

    /// Machine "<b>" misses a failure, "good" foresees one, "nervous" has a false alarm.
    init() throws {
        let table = SampleReadings.table(machines: 2, hours: 10)
        var matrix = FeatureMatrix(
            table,
            engine: try FeatureEngine(try SampleReadings.transform(table))
        )
        let machines = ["good", "nervous", "<b>"]
        let labels: [[UInt8]] = [[0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 1, 0]]
        matrix.entities = CategoryColumn(
            categories: machines,
            codes: (0..<3).flatMap { Array(repeating: Int32($0), count: 4) }
        )
        matrix.timestamps = (0..<12).map { Int64($0 % 4) * SampleReadings.hour }
        matrix.labels = labels.flatMap(\.self)
        self.matrix = matrix
        probabilities = [0.1, 0.9, 0.9, 0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    }

    @Test func worstComeFirstWithTheirAlarmsAndFailures() throws {
        let timelines = try #require(
            MachineTimeline.worst(matrix, probabilities: probabilities, rule: (0.5, 0.3, 1, 1))
        )
        #expect(timelines.map(\.name) == ["<b>", "nervous", "good"])
        #expect(timelines.map(\.missed) == [1, 0, 0])
        #expect(timelines.map(\.falseAlarms) == [0, 1, 0])
        typealias Stretch = MachineTimeline.Stretch
        #expect(timelines[2].alarms == [Stretch(first: 1, last: 3, isMatched: true)])
        #expect(timelines[0].failures == [Stretch(first: 1, last: 2, isMatched: false)])
    }

    @Test func withoutMistakesTheLeastCertainComeFirst() throws {
        // All are right at 0.5: "good" foresees in time, "<b>" is nearly sure, "nervous" is not.
        var certain = [0.01, 0.01, 0.9, 0.9, 0.01, 0.3, 0.4, 0.01, 0.01, 0.99, 0.99, 0.01]
        let timelines = try #require(
            MachineTimeline.worst(matrix, probabilities: certain, rule: (0.5, 0.3, 1, 1))
        )
        #expect(timelines.allSatisfy { $0.missed == 0 && $0.falseAlarms == 0 })
        #expect(timelines.map(\.name) == ["nervous", "good", "<b>"])
        certain[4] = 0
        certain[5] = 1
        let worst = try #require(
            MachineTimeline.worst(matrix, probabilities: certain, rule: (0.5, 0.3, 1, 1))
        )
        #expect(worst[0].name == "nervous" && worst[0].loss.isFinite)
    }

    @Test func pageShowsWhatThereIsAndHostileNamesAsText() throws {
        let evaluation = try #require(
            Evaluation(probabilities: probabilities, labels: matrix.labels, threshold: 0.5)
        )
        var json = evaluation.json(protocolName: "test")
        json["lead_time"] = [
            "rule": ["raise": 0.5, "clear": 0.3, "needed": 1, "of": 1], "hours_ahead": 12,
        ]
        func page(_ json: JSONObject) -> String {
            let page = EvaluationPage(
                model: "<i>",
                evaluation: evaluation,
                json: json,
                matrix: matrix,
                probabilities: probabilities,
                leadTime: nil
            )
            return String(decoding: page.bytes, as: UTF8.self)
        }
        let plain = page(json)
        #expect(plain.contains("&lt;b&gt;: 1 failure, 1 missed") && !plain.contains("<b>:"))
        #expect(plain.contains("ROC curve") && !plain.contains("Importance"))
        json["importance"] = ["groups": [["group": "<u>heat", "pr_auc_drop": 0.25]]]
        json["by_window_fill"] = [
            ["above": 0, "to": 0.25, "rows": 7, "failure_rate": 0.5, "pr_auc": nil]
        ]
        let full = page(json)
        #expect(full.contains("&lt;u&gt;heat") && full.contains("Importance"))
        #expect(full.contains("0\u{A0}% to 25\u{A0}%") && full.contains("<td>7</td>"))
    }
}
