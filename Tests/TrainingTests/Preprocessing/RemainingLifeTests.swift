// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

/// C-MAPSS in small: cycles, no header, runs of blanks, labels from the life that remains.
struct RemainingLifeTests {
    private let folder: TestFolder
    private let schema = Schema(
        name: "cycles",
        file: Schema.FileForm(separator: UInt8(ascii: " "), columns: ["unit", "cycle", "s1"]),
        entityColumn: "unit",
        time: Schema.TimeColumn(column: "cycle", unit: .cycles),
        sensors: [Sensor(name: "cycle", kind: .counter), Sensor(name: "s1")],
        label: .remainingLife(hoursMax: 1),
        horizonHours: 1
    )
    private let rows = "1 1 5.0 \n1 2  5.5\n1 3 6\n2 1 7\n2 2 8\n"

    init() throws { folder = try TestFolder() }

    @Test func endsALifeWithTheLastRow() throws {
        let table = try ReadingTable.load(try folder.write(rows), schema: schema)
        #expect(table.labels == [0, 1, 1, 1, 1])
        #expect(table.values[0] == [1, 2, 3, 1, 2])
    }

    @Test func addsTheLivesOfTheFileInOrderOfAppearance() throws {
        let path = try folder.write(rows)
        let lives = try folder.write("0\n1\n", "lives.txt")
        let table = try ReadingTable.load(path, schema: schema, remainingLifePath: lives)
        #expect(table.labels == [0, 1, 1, 0, 1])
    }

    @Test(arguments: [
        ("1\n", "lives.txt: 1 remaining lives for 2 machines"),
        ("1\n2\n3\n", "lives.txt: 3 remaining lives for 2 machines"),
        ("1\nNA\n", "lives.txt: line 2, column 1: expected a life of at least 0 hours"),
        ("-1\n2\n", "lives.txt: line 1, column 1: expected a life of at least 0 hours"),
        ("1\nlong\n", "lives.txt: line 2, column 1: expected a number, found \"long\""),
        ("", "lives.txt: line 1: the table is empty"),
    ])
    func refusesLivesThatDoNotFit(text: String, message: String) throws {
        let path = try folder.write(rows)
        let lives = try folder.write(text, "lives.txt")
        let error = refusal { () throws(TrainingError) in
            try ReadingTable.load(path, schema: schema, remainingLifePath: lives)
        }
        #expect(error == "\(folder.path)/\(message)")
    }

    @Test func refusesLivesForALabelThatIsAColumn() throws {
        let path = try folder.write("hour,machine,heat,load,age,failure\n1,A,1,1,1,0\n")
        let error = refusal { () throws(TrainingError) in
            try ReadingTable.load(path, schema: SampleReadings.schema, remainingLifePath: path)
        }
        #expect(error == "schema sample: its label is column failure, no life")
    }

    @Test func needsMachinesAndTime() throws {
        var timeless = schema
        timeless.time = nil
        let path = try folder.write(rows)
        let error = refusal { () throws(TrainingError) in
            try ReadingTable.load(path, schema: timeless)
        }
        #expect(error == "schema cycles: remaining life needs entity and timestamp")
    }
}
