// SPDX-License-Identifier: MIT

import Features
import JSON
import Platform
import Testing
import Training

/// What became of predictions, against cases worked out by hand.
@Suite struct OutcomeTests {
    private static let hour = Timestamp.microsecondsPerHour
    private let folder: String

    init() throws {
        folder = "/tmp/pdm-outcomes-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(folder)
    }

    /// A prediction at an hour.
    private struct Prediction {
        var machine = "A"
        var hour: Int
        var probability: Double
        var model = 0
        var admission = Admission.inOrder
        var firstPane = Int64.min
        var hasHistory = false
    }

    private static func model(_ version: String) throws -> LoggedModel {
        LoggedModel(
            name: "pump",
            version: version,
            digest: version,
            transform: try transform(),
            horizonHours: 4,
            threshold: 0.5,
            alarm: AlarmRule(raise: 0.5, clear: 0.3, needed: 2, of: 2)
        )
    }

    private static func transform() throws -> FeatureTransform {
        let schema = Schema.standard
        let features = try FeatureSpec.standard.resolved(for: schema)
        return FeatureTransform(
            schema: schema,
            layout: StateLayout(
                features: features,
                paneSeconds: 3600,
                ranges: schema.sensors.map { $0.range ?? 0...1 }
            ),
            specName: "default",
            forwardFill: true,
            cleaning: schema.sensors.map { _ in
                FeatureTransform.Cleaning(imputed: 0, clip: nil)
            },
            features: features,
            scaling: features.map { _ in FeatureTransform.Scaling(center: 0, scale: 1) },
            scaledClip: 10
        )
    }

    private func history(
        _ predictions: [Prediction],
        _ events: [(String, FeedbackEvent.Kind, Double)],
        versions: [String] = ["20260101_000000"]
    ) throws -> DecisionHistory {
        defer { try? FileAccess.remove(folder) }
        var files = try DecisionLogFiles.open(folder, limits: DecisionLogLimits())
        let models = try versions.enumerated().map { ($0.offset, try Self.model($0.element)) }
        var words: [UInt64] = [0, 0]
        var counts: [String: Int] = [:]
        for prediction in predictions {
            let isTaken = prediction.admission == .inOrder || prediction.admission == .late
            counts[prediction.machine, default: 0] += isTaken ? 1 : 0
            let time = Int64(prediction.hour) * Self.hour
            DecisionRecord(
                model: prediction.model,
                time: ReadingTime(timestamp: time, isTimestamped: true, arrival: time),
                admission: prediction.admission,
                standing: RecordStanding(
                    readingCount: counts[prediction.machine] ?? 0,
                    firstPane: prediction.firstPane
                ),
                hasHistory: prediction.hasHistory,
                probability: prediction.probability,
                prediction: prediction.probability >= 0.5 ? 1 : 0,
                riskLevel: 0
            ).append(
                values: [Double.nan, 2, 3, 4, 5, Double(prediction.hour)].span,
                flags: Array(repeating: SensorFlags(), count: 6).span,
                id: Array(prediction.machine.utf8).span,
                to: &words
            )
        }
        try files.append(&words, of: models)
        var feedback = try FeedbackFile.open(folder, byteCountMax: 1 << 20)
        _ = try feedback.append(
            events.map { machine, kind, hours in
                FeedbackEvent(
                    equipmentID: machine,
                    kind: kind,
                    timestamp: Int64(hours * Double(Self.hour)),
                    received: Int64(hours * Double(Self.hour))
                )
            }
        )
        return try DecisionHistory(directory: folder)
    }

    @Test func labelsByFailuresWithinTheHorizon() throws {
        let history = try history(
            (0...20).map { Prediction(hour: $0, probability: (7...8).contains($0) ? 0.9 : 0.1) },
            [("A", .failure, 10), ("A", .plannedStop, 3), ("B", .failure, 2)]
        )
        let outcomes = try Outcomes(history)
        let labels = outcomes.lives.flatMap(\.rows).map(\.label)
        // Hours 6 to 10 have the failure within four hours; 17 and later are open.
        #expect(labels.map { $0 == 1 } == (0...20).map { (6...10).contains($0) })
        #expect(labels.map { $0 == nil } == (0...20).map { $0 >= 17 })
        #expect(outcomes.omissions == Outcomes.Omissions(open: 4))
        #expect(outcomes.failureCount == 2)
        #expect(outcomes.unseenFailureCount == 1)
        let report = OutcomeReport(outcomes, hoursAhead: 2)
        let classes = try #require(report.all.classes)
        #expect(classes.truePositives == 2)
        #expect(classes.falsePositives == 0)
        #expect(classes.falseNegatives == 3)
        #expect(classes.classes[1].precision == 1)
        #expect(classes.classes[1].recall == 0.4)
        // The alarm begins with the second high prediction, at 8; the failure is at 10.
        #expect(report.all.leadTime.leadHours == [2])
        #expect(report.all.leadTime.failures == 2)
        #expect(report.all.leadTime.caught(hoursAhead: 2) == 1)
        #expect(report.all.leadTime.falseAlarms == 0)
        #expect(report.versions[0].leadTime.failures == 1)
    }

    @Test func maintenanceCensorsAndBeginsALife() throws {
        let history = try history(
            (0...20).map { hour in
                Prediction(
                    hour: hour,
                    probability: (5...6).contains(hour) ? 0.9 : 0.1,
                    firstPane: hour >= 14 ? 13 : .min
                )
            },
            [("A", .maintenance, 9.5), ("A", .failure, 12)]
        )
        let outcomes = try Outcomes(history, until: 100 * Self.hour)
        let labels = outcomes.lives.flatMap(\.rows).map(\.label)
        // Hours 6 to 9 end in the maintenance at 9.5; 10 to 12 in the failure.
        #expect(labels.map { $0 == 1 } == (0...20).map { (10...12).contains($0) })
        #expect(labels.map { $0 == nil } == (0...20).map { (6...9).contains($0) })
        #expect(outcomes.omissions.maintained == 4)
        // The record shows a second maintenance that nobody told: windows began anew with pane 13.
        #expect(outcomes.lives.map(\.rows.count) == [10, 3, 8])
        #expect(outcomes.lives.map(\.number) == [0, 1, 2])
        // One high prediction, at 5, is no alarm; that at 6 is not judged.
        #expect(OutcomeReport(outcomes, hoursAhead: 0).all.leadTime.falseAlarms == 0)
    }

    @Test func falseAlarmsAndLateOrRepeatedRows() throws {
        var predictions = (0...40).map { hour in
            Prediction(hour: hour, probability: (5...6).contains(hour) ? 0.9 : 0.1)
        }
        predictions.append(Prediction(hour: 20, probability: 0.9, admission: .duplicate))
        predictions.append(Prediction(hour: 1, probability: 0.9, admission: .stale))
        predictions.append(Prediction(hour: 39, probability: .nan))
        let outcomes = try Outcomes(try history(predictions, []), until: 100 * Self.hour)
        #expect(outcomes.omissions == Outcomes.Omissions(duplicates: 1, stale: 1, invalid: 1))
        let report = OutcomeReport(outcomes, hoursAhead: 0)
        #expect(report.all.classes?.falsePositives == 2)
        #expect(report.all.leadTime.falseAlarms == 1)
        #expect(report.all.leadTime.machineMonths == 40 / 730.5)
    }

    @Test func versionsAreJudgedApart() throws {
        let predictions = (0...20).map { hour in
            Prediction(hour: hour, probability: hour >= 7 ? 0.9 : 0.1, model: hour < 8 ? 0 : 1)
        }
        let outcomes = try Outcomes(
            try history(predictions, [("A", .failure, 10)], versions: ["1", "2"]),
            until: 100 * Self.hour
        )
        let report = OutcomeReport(outcomes, hoursAhead: 0)
        #expect(report.versions.map(\.name) == ["1", "2"])
        #expect(report.versions[0].classes?.truePositives == 1)
        #expect(report.versions[1].classes?.truePositives == 3)
        #expect(report.versions[1].classes?.falsePositives == 10)
        #expect(report.all.classes?.truePositives == 4)
        #expect(report.all.leadTime.leadHours == [2])
    }

    @Test func theTableIsWhatPreprocessingReads() throws {
        let history = try history(
            (0...20).map { Prediction(hour: $0, probability: 0.1) },
            [("A", .failure, 10), ("A", .maintenance, 11)]
        )
        let outcomes = try Outcomes(history, until: 100 * Self.hour)
        var table = try OutcomeTable(outcomes, history)
        let path = "\(folder).csv"
        defer { try? FileAccess.remove(path) }
        try table.write(to: path)
        let readings = try ReadingTable.load(path, schema: table.schema)
        #expect(readings.rowCount == table.rowCount)
        #expect(readings.entities?.categories == ["A", "A~2"])
        #expect(readings.labels.reduce(0) { $0 + Int($1) } == 5)
        #expect(readings.values[0].allSatisfy { $0.isNaN })
        #expect(readings.timestamps?.first == 0)
    }
}
