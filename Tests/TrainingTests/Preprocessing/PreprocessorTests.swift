// SPDX-License-Identifier: MIT

import Features
import JSON
import Platform
import Testing
import Training

struct PreprocessorTests {
    private let folder: TestFolder
    private static let files = ["preprocessing.json", "report.json", "test.csv", "train.csv"]

    init() throws { folder = try TestFolder() }

    private func side(_ name: String, _ schema: Schema) throws -> ReadingTable {
        try ReadingTable.loadPrepared("\(folder.path)/\(name).csv", schema: schema)
    }

    @Test func writesWholeMachinesWithoutContextForAGroupSplit() throws {
        let table = SampleReadings.table(machines: 10, hours: 20)
        let run = Preprocessor(split: .group(testSize: 0.2, seed: 1))
        let report = try run.run(table, output: folder.path)
        #expect(try FileAccess.list(folder.path) == Self.files)
        let train = try side("train", table.schema)
        let test = try side("test", table.schema)
        #expect(train.rowCount == 160 && test.rowCount == 40)
        #expect(!train.isContext.contains(true) && !test.isContext.contains(true))
        let machines = Set(train.entities?.categories ?? [])
        #expect(machines.isDisjoint(with: test.entities?.categories ?? []))
        #expect(report.warnings.isEmpty)
        #expect(report.json["split"]?["kind"] == "group")
        #expect(report.json["test"]?["machines"] == 2)
        #expect(report.json["test"]?["failure_rate"] == .number(0.2))
    }

    @Test func marksTheOtherSideOfAMachineAsContext() throws {
        let table = SampleReadings.table(machines: 4, hours: 80)
        _ = try Preprocessor(split: .time(testSize: 0.25)).run(table, output: folder.path)
        let train = try side("train", table.schema)
        let test = try side("test", table.schema)
        #expect(train.rowCount == 320 && test.rowCount == 320)
        #expect(zip(train.isContext, test.isContext).allSatisfy { $0 || $1 })
        #expect(test.ownRows.count == 4 * 20)
        // The label looks 24 h ahead: from hour 36 on it tells of the test part, which begins at
        // 60.
        #expect(train.ownRows.count == 4 * 36)
    }

    @Test func refusesASplitByTimeThatLeavesNoRowBeforeTheHorizon() throws {
        let table = SampleReadings.table(machines: 4, hours: 20)
        let error = #expect(throws: TrainingError.self) {
            try Preprocessor(split: .time(testSize: 0.25)).run(table, output: folder.path)
        }
        #expect(error?.description.contains("24.0 h, the label's horizon") == true)
    }

    @Test func warnsThatASplitByRowLeaks() throws {
        let table = SampleReadings.table(machines: 4, hours: 20)
        let run = Preprocessor(split: .stratified(testSize: 0.25, seed: 1))
        let report = try run.run(table, output: folder.path)
        #expect(report.warnings.count == 1 && report.warnings[0].hasPrefix("leakage: "))
        #expect(try folder.json("report.json").value["warnings"] == report.json["warnings"])
        #expect(report.json["train"]?["failure_rate"] == report.json["test"]?["failure_rate"])
    }

    @Test func takesATestPartAsGiven() throws {
        let train = SampleReadings.table(machines: 3, hours: 20)
        let test = SampleReadings.table(machines: 2, hours: 10, seed: 2)
        // With another split, which is then not asked.
        let run = Preprocessor(split: .time(testSize: 0.5))
        let report = try run.run(train: train, test: test, output: folder.path)
        #expect(report.json["split"]?["kind"] == "given")
        #expect(try side("train", train.schema).ownRows.count == 60)
        #expect(try side("test", train.schema).ownRows.count == 20)
        let parameters = try CleaningParameters(path: "\(folder.path)/preprocessing.json")
        #expect(parameters == (try SampleReadings.parameters(train)))
    }

    @Test func countsWhatIsMissingOutOfRangeAndClipped() throws {
        var schema = SampleReadings.schema
        // One name ends with another: their flags must not be mixed up.
        schema.sensors[1].name = "wasteheat"
        schema.sensors[1].range = -10...100
        let machines = 5
        var table = SampleReadings.table(machines: machines, hours: 20, schema: schema)
        let split = DataSplit.fold(index: 0, count: machines)
        table.values[0][25] = .nan
        table.values[1][26] = -999
        table.values[1][27] = -999
        table.values[0][28] = 900  // not failing
        table.values[1][37] = 99  // failing
        let run = Preprocessor(split: split, zThreshold: 4)
        let report = try run.run(table, output: folder.path)
        let train = report.json["train"]
        #expect(train?["clipped_rows"] == 2)
        #expect(train?["clipped_failures"] == 1)
        #expect(
            train?["sensors"] == [
                ["sensor": "heat", "missing": 1, "out_of_range": 0, "clipped": 1],
                ["sensor": "wasteheat", "missing": 0, "out_of_range": 2, "clipped": 1],
                ["sensor": "age", "missing": 0, "out_of_range": 0, "clipped": 0],
            ]
        )
        #expect(report.summary[0].hasSuffix("2 rows clipped, 1 failures among them"))
        // What is clipped stands in the file as it was measured.
        #expect(try side("train", schema).values[0][8] == 900)
    }

    @Test func learnsNothingOfTestRows() throws {
        var table = SampleReadings.table(machines: 10, hours: 20)
        let run = Preprocessor(split: .fold(index: 3, count: 10))
        _ = try run.run(table, output: "\(folder.path)/one")
        for row in 60..<80 {
            table.values[0][row] = -999
            table.values[1][row] *= 1e6
        }
        _ = try run.run(table, output: "\(folder.path)/two")
        #expect(try folder.text("one/preprocessing.json") == folder.text("two/preprocessing.json"))
        #expect(try folder.text("one/train.csv") == folder.text("two/train.csv"))
        #expect(try folder.text("one/test.csv") != folder.text("two/test.csv"))
    }

    @Test func writesTheSameBytesAgain() throws {
        let table = SampleReadings.table(machines: 10, hours: 20)
        let run = Preprocessor(split: .group(testSize: 0.3, seed: 5))
        _ = try run.run(table, output: "\(folder.path)/one")
        _ = try run.run(table, output: "\(folder.path)/two")
        for file in Self.files {
            #expect(try folder.text("one/\(file)") == folder.text("two/\(file)"))
        }
    }

    @Test func saysWhereASideHasOneClass() throws {
        var table = SampleReadings.table(machines: 2, hours: 5)
        for row in 0..<5 { table.labels[row] = 0 }
        for row in 5..<10 { table.labels[row] = 1 }
        let run = Preprocessor(split: .fold(index: 1, count: 2))
        let report = try run.run(table, output: folder.path)
        #expect(report.warnings == ["train has no failures", "test has nothing but failures"])
    }

    @Test func countsRowsThatAreLateOrRepeated() throws {
        var table = SampleReadings.table(machines: 2, hours: 200)
        let repeated = try #require(table.timestamps?[6])
        table.timestamps?[7] = repeated
        let run = Preprocessor(split: .fold(index: 1, count: 2))
        let warnings = try run.run(table, output: folder.path).warnings
        #expect(warnings.count == 1)
        #expect(warnings[0].hasPrefix("train: 1 rows come no later than an earlier one of their"))
    }

    @Test func namesAFolderThatIsAFile() throws {
        let path = try folder.write("", "taken")
        let table = SampleReadings.table(machines: 4, hours: 5)
        let error = refusal { () throws(TrainingError) in
            try Preprocessor(split: .group(testSize: 0.5, seed: 1)).run(table, output: path)
        }
        #expect(error == "\(path)/train.csv: open: Not a directory (errno 20)")
    }
}
