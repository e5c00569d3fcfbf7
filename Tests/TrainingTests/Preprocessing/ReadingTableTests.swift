// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

struct ReadingTableTests {
    private let folder: TestFolder
    private let header = "hour,machine,heat,load,age,failure"

    init() throws { folder = try TestFolder() }

    private func load(
        _ text: String,
        _ schema: Schema = SampleReadings.schema
    ) throws -> Result<ReadingTable, TrainingError> {
        let path = try folder.write(text)
        do throws(TrainingError) {
            return .success(try ReadingTable.load(path, schema: schema))
        } catch {
            return .failure(error)
        }
    }

    @Test func readsWhatTheSchemaDescribes() throws {
        let table = try load("\(header)\n1,A,1.5,,3,0\n2,A,-999,2,4,1\n1,B,NaN,5,6,0\n").get()
        #expect(table.rowCount == 3)
        #expect(table.entities?.categories == ["A", "B"])
        #expect(table.timestamps == [1, 2, 1].map { $0 * SampleReadings.hour })
        #expect(table.values[0][..<2] == [1.5, -999])
        #expect(table.values[0][2].isNaN && table.values[1][0].isNaN)
        #expect(table.labels == [0, 1, 0])
        #expect(table.isContext == [false, false, false])
    }

    @Test func takesByteOrderMarkCRLFQuotesAndOtherColumns() throws {
        let text =
            "\u{FEFF}failure,\"heat\",machine,note,load,age,hour\r\n"
            + "0,\"1.5\",\"A, \"\"old\"\"\",\"two\nlines\",2,3,1\r\n1,2,B,,2,3,1\r\n"
        let table = try load(text).get()
        #expect(table.entities?.categories == ["A, \"old\"", "B"])
        #expect(table.values[0] == [1.5, 2])
        #expect(table.labels == [0, 1])
    }

    @Test(arguments: [
        ("", "line 1: the table is empty"),
        ("\n\n", "line 1: the table is empty"),
        ("hour,machine,heat,load,age,failure\n", "line 1: the table has a header but no rows"),
        ("hour,machine,heat,load,age\n1,A,1,1,1\n", "line 1: no column failure; there are hour,"),
        (
            "hour,machine,heat,load,age,failure,heat\n1,A,1,1,1,0,2\n",
            "line 1, column 7 (heat): the second column of this name"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,warm,1,1,0\n",
            "line 2, column 3 (heat): expected a number, found \"warm\""
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,1,1,0\n1,A,1,1,0\n",
            "line 3, column 6 (failure): missing: 5 fields where 6 are expected"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,1,1,0,9\n",
            "line 2, column 7: too many: 7 fields where 6 are expected"
        ),
        (
            "hour,machine,heat,load,age,failure\n,A,1,1,1,0\n",
            "line 2, column 1 (hour): expected a number of hours, found nothing"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1e999,1,1,0\n",
            "line 2, column 3 (heat): expected a number, found \"1e999\""
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,1,1,0\n2,A,1,1,1,2\n",
            "line 3, column 6 (failure): expected 0 or 1, found 2"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,1,1,0.5\n",
            "line 2, column 6 (failure): expected 0 or 1, found 0.5"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,1,1,\n",
            "line 2, column 6 (failure): expected 0 or 1, found nothing"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,1,1,0\n1,,1,1,1,0\n",
            "line 3, column 2 (machine): expected 1 to 64 bytes, found no machine"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,\"1,1,1,0\n",
            "line 2, column 3 (heat): the quote that opens here never closes"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,\"A\n\",1,1,1,0\n2,\"A\n\",1,1,1,7\n",
            "line 4, column 6 (failure): expected 0 or 1, found 7"
        ),
        (
            "hour,machine,heat,load,age,failure\n1,\"A\n\",1,1,1,0\n2,\"A\n\",1,1,b,0\n",
            "line 4, column 5 (age): expected a number, found \"b\""
        ),
        (
            "hour,machine,heat,load,age,failure\n1,A,1,2e100,1,0\n",
            "line 2, column 4 (load): expected a number of at most 1e100 in magnitude, found 2e+100"
        ),
    ])
    func namesFileRowAndColumnOfWhatIsWrong(text: String, message: String) throws {
        guard case .failure(let error) = try load(text) else {
            Issue.record("accepted: \(text)")
            return
        }
        #expect("\(error)".hasPrefix("\(folder.path)/table.csv: \(message)"), "\(error)")
        #expect(!"\(error)".contains("\n"))
    }

    @Test func namesAFileThatIsNotThereOnce() {
        let error = refusal { () throws(TrainingError) in
            try ReadingTable.load("/none.csv", schema: SampleReadings.schema)
        }
        #expect(error == "/none.csv: open: No such file or directory (errno 2)")
    }

    @Test(arguments: [(64, true), (65, false)])
    func takesNamesOfAsManyBytesAsARecordHolds(byteCount: Int, isTaken: Bool) throws {
        let name = String(repeating: "x", count: byteCount)
        let result = try load("\(header)\n1,\(name),1,1,1,0\n")
        #expect(((try? result.get()) != nil) == isTaken)
    }

    @Test(arguments: [(1, true), (2, false)])
    func takesOneLateRowOfAHundred(late: Int, isTaken: Bool) throws {
        var hours = Array(1...100)
        for place in 1...late { hours.swapAt(place * 10, place * 10 + 1) }
        let rows = hours.map { "\($0),A,1,1,1,0" }.joined(separator: "\n")
        let result = try load("\(header)\n\(rows)\n")
        #expect(((try? result.get()) != nil) == isTaken)
        guard case .failure(let error) = result else { return }
        let message =
            "line 13, column 1 (hour): no later than a row of its machine before it, as 2 of 100"
        #expect("\(error)".contains(message), "\(error)")
    }

    @Test func readsCategoriesAsTheirPlaceInTheSchema() throws {
        var schema = SampleReadings.schema
        schema.sensors[1] = Sensor(name: "load", kind: .category, categories: ["L", "M", "H"])
        let table = try load("\(header)\n1,A,1,H,1,0\n2,A,1,L,1,0\n3,A,1,,1,0\n", schema).get()
        #expect(table.values[1][..<2] == [2, 0] && table.values[1][2].isNaN)
        let bad = try load("\(header)\n1,A,1,H,1,0\n2,A,1,low,1,0\n", schema)
        guard case .failure(let error) = bad else {
            Issue.record("accepted an unknown category")
            return
        }
        let message =
            "line 3, column 4 (load): expected one of [\"L\", \"M\", \"H\"], found \"low\""
        #expect("\(error)".hasSuffix(message), "\(error)")
    }

    @Test func readsBackWhatItWrote() throws {
        var table = SampleReadings.table(machines: 3, hours: 30)
        table.values[0][4] = -999
        table.values[1][5] = .nan
        table.isContext[7] = true
        var measured = table
        let isOutside = measured.blank(outside: try SampleReadings.parameters(table))
        let path = "\(folder.path)/train.csv"
        try measured.writePrepared(path, isOutside: isOutside)
        let again = try ReadingTable.loadPrepared(path, schema: table.schema)
        #expect(again.schema == table.schema)
        #expect(again.entities == table.entities)
        #expect(again.timestamps == table.timestamps)
        #expect(again.labels == table.labels)
        #expect(again.isContext == table.isContext)
        for (one, other) in zip(again.values, measured.values) {
            #expect(one.map(\.bitPattern) == other.map(\.bitPattern))
        }
        let lines = try folder.text("train.csv").split(separator: "\n")
        #expect(lines[0].hasSuffix(",hour,day_of_week,is_weekend,flags,failure,context"))
        #expect(lines[5].contains(",heat:out_of_range,"))
        #expect(lines[6].contains(",load:missing,"))
    }
}
