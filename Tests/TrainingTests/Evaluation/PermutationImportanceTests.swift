// SPDX-License-Identifier: MIT

import Features
import JSON
import ModelRuntime
import Testing
import Training

struct PermutationImportanceTests {
    private let folder: TestFolder
    private let table: ReadingTable
    private let model: LoadedModel

    init() throws {
        folder = try TestFolder()
        table = SampleReadings.table(machines: 6, hours: 60)
        let transform = try SampleReadings.transform(table)
        let engine = try FeatureEngine(transform)
        let matrix = FeatureMatrix(table, engine: engine)
        var options = TrainerOptions()
        options.hiddenSizes = [8]
        options.epochs = 6
        let outcome = try TrainingRun(options: options).run(train: matrix, test: matrix) { _, _ in }
        let fitted = FittedFeatures(
            transform: transform,
            golden: GoldenSampler.cases(from: table, engine: engine),
            background: BackgroundSampler.records(from: table, transform: transform)
        )
        let version = try #require(BundleVersion("20260101_000000"))
        model = try ModelPackager(
            model: "sample",
            version: version,
            trainingDigest: String(repeating: "0", count: 64)
        ).write(
            outcome,
            fitted: fitted,
            train: matrix,
            evaluation: JSONObject(),
            to: folder.path
        )
    }

    @Test func findsTheSensorThatTheLabelFollows() throws {
        let importance = try #require(PermutationImportance(table, model: model))
        #expect(importance.rowCount == table.rowCount)
        #expect(importance.groups.map(\.name).first == "heat")
        #expect(Set(importance.groups.map(\.name)) == ["heat", "load", "age"])
        let drops = importance.groups[0].prAUCDrops
        #expect(drops.count == 5 && drops.allSatisfy { $0 > 0.1 })
        #expect(importance.groups[0].logLossRises.allSatisfy { $0 > 0 })
        let again = try #require(PermutationImportance(table, model: model))
        #expect(again.groups == importance.groups)
        #expect(importance.json["groups"] != nil)
    }

    @Test func scoresTheRowsAsTheModelDoes() throws {
        let importance = try #require(PermutationImportance(table, model: model))
        let matrix = FeatureMatrix(table, engine: model.engine)
        let probabilities = try TrainingRun.probabilities(
            matrix,
            network: model.network,
            calibrator: model.manifest.calibration
        )
        let metrics = ClassificationMetrics(probabilities: probabilities, labels: matrix.labels)
        #expect(importance.prAUC == metrics?.prAUC)
        #expect(importance.logLoss == metrics?.logLoss)
    }

    @Test func needsAFailure() {
        var normal = table
        normal.labels = table.labels.map { _ in 0 }
        #expect(PermutationImportance(normal, model: model) == nil)
    }

    @Test func theBundleKnowsItsFleetByAgeAndMachine() throws {
        let fleet = try #require(model.fleet)
        let columns = model.manifest.transform.features.count + 1
        #expect(fleet.machineCount == 6 && fleet.borders.count == 15 * columns)
        #expect(fleet.ages.count > 1 && fleet.ages == fleet.ages.sorted())
        // Each row once in each column.
        for column in 0..<columns {
            let counts = stride(from: column, to: fleet.counts.count, by: columns)
            #expect(counts.reduce(0) { $0 + fleet.counts[$1] } == Float(table.rowCount))
        }
        // Six machines are in six groups.
        let groups = (0..<16).count { group in
            fleet.ages.indices.contains { stratum in
                let first = (stratum * 16 + group) * 16 * columns
                return fleet.counts[first..<first + 16 * columns].contains { $0 > 0 }
            }
        }
        #expect(groups == 6)
    }

    @Test func theBundleHasTheUsualAlarmAndABackground() throws {
        let alarm = try #require(model.manifest.alarm)
        #expect(alarm.raise == model.manifest.threshold)
        #expect(alarm.clear == model.manifest.riskLevels.medium)
        #expect(alarm.needed == 2 && alarm.length == 3)
        #expect(model.explainer?.backgroundCount == 32)
        #expect(model.explainer?.groups.map(\.name) == ["heat", "load", "age"])
    }

    @Test func explainsEachAlarm() throws {
        let matrix = FeatureMatrix(table, engine: model.engine)
        let probabilities = try TrainingRun.probabilities(
            matrix,
            network: model.network,
            calibrator: model.manifest.calibration
        )
        let rule = try #require(model.manifest.alarm)
        let played = LeadTime(
            matrix,
            probabilities: probabilities,
            rule: rule,
            horizonHours: 24
        )
        let leadTime = try #require(played)
        #expect(!leadTime.alarms.isEmpty)
        let explained = try #require(AlarmExplanations(leadTime, of: table, model: model))
        let json = JSONView(explained.json(probabilities: probabilities))
        let alarms = try json.required("alarms").array
        #expect(alarms.count == leadTime.alarms.count)
        for (view, alarm) in zip(alarms, leadTime.alarms) {
            #expect(try view.required("probability").double == probabilities[alarm.row])
            var sum = try view.required("base_log_odds").double
            for (_, value) in try view.required("contributions").members {
                sum += try value.double
            }
            let logOdds = try view.required("log_odds").double
            #expect(abs(sum - logOdds) < 1e-9)
            #expect(abs(PortableMath.sigmoid(logOdds) - probabilities[alarm.row]) < 1e-12)
        }
    }

    @Test func theBackgroundIsOfNormalOperation() {
        let transform = model.engine.transform
        let records = BackgroundSampler.records(from: table, transform: transform)
        #expect(records.count == 32)
        // A machine's last fifth is before its failure.
        for record in records {
            let hour = record.reading.timestamp / SampleReadings.hour - 480_000
            #expect(hour < 48)
            #expect(record.history.count == Int(min(hour, 48)))
        }
        let again = BackgroundSampler.records(from: table, transform: transform)
        #expect(again.map(\.reading.timestamp) == records.map(\.reading.timestamp))
    }
}
