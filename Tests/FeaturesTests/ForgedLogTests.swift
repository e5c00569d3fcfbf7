// SPDX-License-Identifier: MIT

@testable import Features
import JSON
import Platform
import Testing

/// Decision logs whose checksums are right and whose numbers no server writes.
struct ForgedLogTests {
    private let folder = TemporaryFolder()
    private let transform: FeatureTransform

    init() throws { transform = try makeTransform() }

    private func model(horizonHours: Double? = 24) -> LoggedModel {
        LoggedModel(
            name: "pump",
            version: "20260101_000000",
            digest: "1",
            transform: transform,
            horizonHours: horizonHours,
            threshold: 0.5,
            alarm: nil
        )
    }

    /// A log with one record, of which words are others; the file's checksums are right.
    private func history(
        _ model: LoggedModel? = nil,
        number: Int = 0,
        sensors: Int = 6,
        change: (inout [UInt64]) -> Void = { _ in }
    ) throws -> (rows: Int, torn: Int) {
        var files = try DecisionLogFiles.open(folder.path, limits: DecisionLogLimits())
        var words: [UInt64] = [0, 0]
        record(of: 0).append(
            values: [Double](repeating: 1, count: sensors).span,
            flags: [SensorFlags](repeating: SensorFlags(), count: sensors).span,
            id: Array("A".utf8).span,
            to: &words
        )
        // The two words before are room for the frame's head.
        change(&words)
        try files.append(&words, of: [(number, model ?? self.model())])
        let history = try DecisionHistory(directory: folder.path)
        return (history.rowCount, history.tornByteCount)
    }

    @Test func readsWhatAServerWrites() throws {
        let found = try history()
        #expect(found.rows == 1 && found.torn == 0)
    }

    @Test(arguments: [1, 2, 3, 4])
    func aRecordOfAbsurdNumbersIsTorn(word: Int) throws {
        for value in [.max, .min + 1, 1 << 62, -(1 << 62)] as [Int64] {
            let found = try history { $0[2 + word] = UInt64(bitPattern: value) }
            #expect(found.rows == 0 && found.torn > 0, "\(value)")
            for path in try DecisionLogFiles.paths(in: folder.path) {
                try FileAccess.remove(path)
            }
        }
    }

    @Test func aRecordOfOtherSensorsThanItsModelsIsTorn() throws {
        let found = try history(sensors: 5)
        #expect(found.rows == 0 && found.torn > 0)
    }

    @Test(arguments: [87_600.5, 1e300, -1e300, 0])
    func aModelOfAnEndlessHorizonIsTorn(hours: Double) throws {
        let found = try history(model(horizonHours: hours))
        #expect(found.rows == 0 && found.torn > 0)
        #expect(SpecLimits.fault(ofHorizonHours: hours)?.contains("87600 h") == true)
    }

    @Test func aModelThatIsNamedAfterItsRecordsDoesNotReadThem() throws {
        var files = try DecisionLogFiles.open(folder.path, limits: DecisionLogLimits())
        var words: [UInt64] = [0, 0]
        DecisionRecord(
            model: 0,
            time: ReadingTime(timestamp: 0, isTimestamped: true, arrival: 0),
            admission: .inOrder,
            standing: RecordStanding(readingCount: 1, firstPane: .max),
            hasHistory: false,
            probability: 0.5,
            prediction: 1,
            riskLevel: 1
        ).append(
            values: [Double.nan].span,
            flags: [SensorFlags()].span,
            id: Array("A".utf8).span,
            to: &words
        )
        try files.append(&words, of: [])
        var others: [UInt64] = [0, 0]
        try files.append(&others, of: [(0, model())])
        let history = try DecisionHistory(directory: folder.path)
        #expect(history.rowCount == 0 && history.tornByteCount > 0)
    }

    @Test(arguments: [87_600.5, 1e300, -1e300, 0])
    func aSchemaOfAnEndlessHorizonIsRefused(hours: Double) throws {
        var schema = Schema.standard
        schema.horizonHours = SpecLimits.horizonHoursMax
        try schema.validate()
        schema.horizonHours = hours
        #expect(throws: SpecError.self) { try schema.validate() }
    }

    @Test func passesOverFilesOfNumbersThatNoServerReaches() throws {
        for name in ["9223372036854775807", "-9223372036854775808", "1000000000000001"] {
            try FileAccess.write([], to: "\(folder.path)/decisions-\(name).log")
        }
        #expect(try DecisionLogFiles.paths(in: folder.path).isEmpty)
        var files = try DecisionLogFiles.open(folder.path, limits: DecisionLogLimits())
        var words: [UInt64] = [0, 0]
        try files.append(&words, of: [])
        let paths = try DecisionLogFiles.paths(in: folder.path)
        #expect(paths == ["\(folder.path)/decisions-0000000001.log"])
    }

    /// However many models came in between, and whatever file their records are in.
    @Test func eachFileNamesTheModelsOfItsRecords() throws {
        let limits = DecisionLogLimits(fileBytesMax: 1000, filesMax: 1000)
        var files = try DecisionLogFiles.open(folder.path, limits: limits)
        for number in 0..<40 {
            var words: [UInt64] = [0, 0]
            for model in [0, number] {
                record(of: model).append(
                    values: [Double](repeating: 1, count: 6).span,
                    flags: [SensorFlags](repeating: SensorFlags(), count: 6).span,
                    id: Array("A".utf8).span,
                    to: &words
                )
            }
            let models = [(0, model()), (number, model())]
            try files.append(&words, of: models)
        }
        let history = try DecisionHistory(directory: folder.path)
        #expect(history.rowCount == 80 && history.tornByteCount == 0)
        #expect(try DecisionLogFiles.paths(in: folder.path).count > 20)
    }

    private func record(of model: Int) -> DecisionRecord {
        DecisionRecord(
            model: model,
            time: ReadingTime(timestamp: 5 * hour, isTimestamped: true, arrival: 6 * hour),
            admission: .inOrder,
            standing: RecordStanding(readingCount: 1, firstPane: 4),
            hasHistory: false,
            probability: 0.5,
            prediction: 1,
            riskLevel: 1
        )
    }
}
