// SPDX-License-Identifier: MIT

import Platform
import Testing
import Training

struct TableWriterTests {
    private let directory: String

    init() throws {
        directory = "/tmp/table-tests-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(directory)
    }

    @Test func writesNumbersTextsAndTimes() throws {
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/table.csv"
        var writer = try TableWriter(path, header: ["time", "id", "x", "n"])
        writer.append(timestamp: 1_705_314_600_000_000)
        writer.append("EQ \"1\", north")
        writer.append(85.5)
        writer.append(-7)
        try writer.endRow()
        writer.append(timestamp: 0)
        writer.append("")
        writer.append(Double.nan)
        writer.append(0)
        try writer.endRow()
        try writer.finish()
        let text = String(decoding: try FileAccess.read(path), as: UTF8.self)
        #expect(
            text == """
                time,id,x,n
                2024-01-15T10:30:00Z,"EQ ""1"", north",85.5,-7
                1970-01-01T00:00:00Z,,,0

                """
        )
    }

    @Test func leavesTheOldFileAndNoOtherWhenItIsNotFinished() throws {
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/table.csv"
        try FileAccess.write([1], to: path)
        do {
            var writer = try TableWriter(path, header: ["x"])
            writer.append(1.0)
            try writer.endRow()
        }
        #expect(try FileAccess.read(path) == [1])
        #expect(try FileAccess.list(directory) == ["table.csv"])
    }

    @Test func namesThePathThatCannotBeWritten() {
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/none/table.csv"
        let error = #expect(throws: FileError.self) {
            let writer = try TableWriter(path, header: ["x"])
            try writer.finish()
        }
        #expect(error?.description.hasPrefix("\(path): open") == true)
    }

    @Test func readsBackEveryNumberToTheLastBit() throws {
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/numbers.csv"
        var generator = SeededGenerator(seed: 3)
        var values: [Double] = [
            0, -0.0, 1e-7, 1e9, -1e9, 123456.789, 1e22, 0x1p-1074, 0.1, .nan, 2.3,
        ]
        while values.count < 20_000 {
            let bits = Double(bitPattern: generator.next())
            if bits.isFinite { values.append(bits) }
            values.append(generator.normal() * 100)
            values.append((generator.normal() * 1e5).rounded() / 1e3)
        }
        var writer = try TableWriter(path, header: ["x"])
        for value in values {
            writer.append(value)
            try writer.endRow()
        }
        try writer.finish()
        let table = try TableReader.read(
            try TableReader.load(path),
            columns: [ColumnRequest("x", .number)]
        )
        let read = try #require(table.columns[0].numbers)
        #expect(read.count == values.count)
        let differing = zip(read, values).filter {
            $0.bitPattern != $1.bitPattern && !($0.isNaN && $1.isNaN)
        }
        #expect(differing.isEmpty)
    }

    @Test(arguments: [
        (85.5, "85.5"), (0.1 + 0.2, "0.30000000000000004"), (1350, "1350"), (-0.0, "-0"),
        (2.05, "2.05"), (0.000001, "1e-06"), (-12.000001, "-12.000001"), (1e21, "1e+21"),
    ])
    func writesTheShortestNumber(value: Double, text: String) throws {
        defer { try? FileAccess.remove(directory) }
        let path = "\(directory)/number.csv"
        var writer = try TableWriter(path, header: ["x"])
        writer.append(value)
        try writer.endRow()
        try writer.finish()
        #expect(String(decoding: try FileAccess.read(path), as: UTF8.self) == "x\n\(text)\n")
    }
}
