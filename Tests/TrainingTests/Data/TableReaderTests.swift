// SPDX-License-Identifier: MIT

import Testing
import Training

struct TableReaderTests {
    private func read(
        _ text: String,
        _ columns: [ColumnRequest],
        format: TableFormat = .csv
    ) throws(TableError) -> Table {
        try TableReader.read(Array(text.utf8), format: format, columns: columns)
    }

    private func numbers(_ text: String, format: TableFormat = .csv) throws -> [Double] {
        try #require(
            try read(text, [ColumnRequest("x", .number)], format: format).columns[0].numbers
        )
    }

    @Test func readsColumnsByNameInTheOrderAskedFor() throws {
        let table = try read(
            "t,id,x,y\n2024-01-15T10:30:00Z,EQ2,1.5,a\n2024-01-15 11:30:00,EQ1,-2,b\n",
            [
                ColumnRequest("x", .number), ColumnRequest("id", .category),
                ColumnRequest("t", .timestamp(.text(naiveOffsetMinutes: 60))),
                ColumnRequest("y", .text),
            ]
        )
        #expect(table.rowCount == 2)
        #expect(table.names == ["t", "id", "x", "y"])
        #expect(table.lines[0] == 2)
        #expect(table.columns[0] == .numbers([1.5, -2]))
        #expect(
            table.columns[1]
                == .categories(CategoryColumn(categories: ["EQ2", "EQ1"], codes: [0, 1]))
        )
        #expect(table.columns[2] == .timestamps([1_705_314_600_000_000, 1_705_314_600_000_000]))
        #expect(table.columns[3] == .texts(["a", "b"]))
    }

    @Test(arguments: [
        ("1", 1.0), ("-0", -0.0), ("+3", 3), ("1e3", 1000), ("1.5E-3", 0.0015), (".5", 0.5),
        ("5.", 5), (" 7 ", 7), ("\"8\"", 8), ("0.1", 0.1),
        ("123456789012345678", 1.2345678901234568e17),
        ("0.30000000000000004", 0.30000000000000004), ("9007199254740993", 9007199254740992),
        ("9007199254740995", 9007199254740996), ("5e-324", 0x1p-1074), ("1e-400", 0),
        ("1.7976931348623157e308", 1.7976931348623157e308), ("999999999999999999", 1e18),
        ("0000000000000000000000001.25", 1.25), ("0.000000000000000000000000125", 1.25e-25),
    ])
    func readsNumbersCorrectlyRounded(text: String, value: Double) throws {
        let read = try numbers("x,y\n\(text),1\n")[0]
        #expect(read.bitPattern == value.bitPattern)
    }

    @Test(arguments: ["", "NaN", "nan", "NA", "null", " ", "\"\""])
    func takesEmptyFieldsAndTheirNamesAsMissing(text: String) throws {
        #expect(try numbers("x,y\n\(text),1\n")[0].isNaN)
    }

    @Test(arguments: [
        "abc", "1.2.3", "1,5\"", "0x10", "inf", "-Infinity", "1e400", "1e", "--1", "1 2", ".", "-",
        "e5",
        "Nan", "NULL", "1_000", "\u{661}",
    ])
    func refusesTextInANumberWithItsPlace(text: String) {
        #expect(throws: TableError.self) { try numbers("x\n1\n\(text)\n") }
        let place = TablePlace(line: 3, column: 2, name: "x")
        guard !text.contains(",") else { return }
        #expect(throws: TableError.invalid(place, expected: "a number", found: "\"\(text)\"")) {
            try numbers("y,x\n1,1\n2,\(text)\n")
        }
    }

    @Test func shortensWhatWasFound() {
        let long = String(repeating: "z", count: 41)
        let error = #expect(throws: TableError.self) { try numbers("x\n\(long)\n") }
        let shown = String(repeating: "z", count: 40)
        #expect(
            error?.description == "line 2, column 1 (x): expected a number, found \"\(shown)...\""
        )
    }

    @Test(arguments: [
        "x,y\n1,2\n3,4\n", "x,y\r\n1,2\r\n3,4\r\n", "x,y\n1,2\n3,4", "x,y\r\n1,2\r\n3,4\r",
        "\u{FEFF}x,y\n1,2\n3,4\n", "\u{FEFF}\"x\",y\r\n\"1\",\"2\"\r\n3,4\r\n",
        "x,y\n1,2\n3,4\n\n\r\n\n",
    ])
    func acceptsLineEndsByteOrderMarkAndQuotes(text: String) throws {
        let table = try read(text, [ColumnRequest("x", .number), ColumnRequest("y", .number)])
        #expect(table.columns == [.numbers([1, 3]), .numbers([2, 4])])
    }

    @Test func readsQuotedTextAsRFC4180Says() throws {
        let table = try read(
            "\"a \"\"b\"\"\",x\n\"one, two\",1\n\"line\r\nbreak\",2\n\"\"\"\",3\n5\" pipe,4\n",
            [ColumnRequest("a \"b\"", .text), ColumnRequest("x", .number)]
        )
        #expect(table.columns[0] == .texts(["one, two", "line\r\nbreak", "\"", "5\" pipe"]))
        #expect(table.columns[1] == .numbers([1, 2, 3, 4]))
    }

    @Test func countsLinesWithinQuotes() {
        let place = TablePlace(line: 4, column: 2, name: "x")
        #expect(throws: TableError.invalid(place, expected: "a number", found: "\"bad\"")) {
            try read("a,x\n\"1\n2\",3\nb,bad\n", [ColumnRequest("x", .number)])
        }
    }

    @Test func readsRunsOfBlanksWithoutHeader() throws {
        let table = try read(
            "1 1  -0.0007 100.0  \n  1\t2 0.0019 NaN\n",
            [
                ColumnRequest(index: 0, .category), ColumnRequest(index: 1, .timestamp(.hours)),
                ColumnRequest(index: 2, .number), ColumnRequest(index: 3, .number),
            ],
            format: TableFormat(separator: .blanks, names: [])
        )
        #expect(table.columns[0].categories == CategoryColumn(categories: ["1"], codes: [0, 0]))
        #expect(table.columns[1] == .timestamps([3_600_000_000, 7_200_000_000]))
        #expect(table.columns[2] == .numbers([-0.0007, 0.0019]))
        #expect(table.columns[3].numbers?[1].isNaN == true)
        #expect(table.lines[0] == 1)
    }

    @Test(arguments: [
        ("1700000000.25", TimestampForm.seconds, Int64(1_700_000_000_250_000)),
        ("-1", .seconds, -1_000_000), ("0.5", .hours, 1_800_000_000),
        ("1970-01-01T00:00:00.000001Z", .text(naiveOffsetMinutes: 0), 1),
        ("1970-01-01 01:00:00+01:00", .text(naiveOffsetMinutes: 0), 0),
        ("1970-01-01T02:00:00", .text(naiveOffsetMinutes: 120), 0),
    ])
    func readsTimestamps(text: String, form: TimestampForm, microseconds: Int64) throws {
        let table = try read("t\n\(text)\n", [ColumnRequest("t", .timestamp(form))])
        #expect(table.columns[0] == .timestamps([microseconds]))
    }

    @Test(arguments: [
        ("", TimestampForm.seconds), ("nan", .hours), ("1e300", .hours),
        ("2024-02-30T00:00:00Z", .text(naiveOffsetMinutes: 0)), ("", .text(naiveOffsetMinutes: 0)),
        ("2024-01-15T10:30:00Zx", .text(naiveOffsetMinutes: 0)),
        ("2024", .text(naiveOffsetMinutes: 0)),
    ])
    func refusesWhatIsNoTimestamp(text: String, form: TimestampForm) {
        let error = #expect(throws: TableError.self) {
            try read("x,t\n1,\(text)\n", [ColumnRequest("t", .timestamp(form))])
        }
        #expect(error?.description.hasPrefix("line 2, column 2 (t): expected a") == true)
    }

    @Test(arguments: [
        ("x,y\n1,2\n3\n", ragged(line: 3, column: 2, "y", found: 1)),
        ("x,y\n1,2\n\n3,4\n", ragged(line: 3, column: 2, "y", found: 1)),
        ("x,y\n1,2,3,\"a,b\"\n", ragged(line: 2, column: 3, nil, found: 4)),
        ("x,y\n1,2,\n", ragged(line: 2, column: 3, nil, found: 3)),
        ("", .empty), ("\n\r\n", .empty), ("\u{FEFF}", .empty), ("x,y\n", .noRows),
        ("x,y\n\n", .noRows),
        ("a,b\n1,2\n", .missingColumn("x", found: "a, b")),
        ("x,x\n1,2\n", .duplicateColumn(TablePlace(line: 1, column: 2, name: "x"))),
        ("x,y\n\"1,2\n", .unterminatedQuote(TablePlace(line: 2, column: 1, name: "x"))),
        ("x,y\n1,\"2\"3\n", .textAfterQuote(TablePlace(line: 2, column: 2, name: "y"))),
    ])
    func refusesTablesThatAreNotWhole(text: String, error: TableError) {
        #expect(throws: error) { try read(text, [ColumnRequest("x", .number)]) }
    }

    private static func ragged(line: Int, column: Int, _ name: String?, found: Int) -> TableError {
        .ragged(TablePlace(line: line, column: column, name: name), found: found, expected: 2)
    }

    @Test func refusesIndicesAndNamesThatCannotBe() {
        let bare = TableFormat(names: [])
        #expect(throws: TableError.columnIndexOutOfRange(index: 2, count: 2)) {
            try read("1,2\n", [ColumnRequest(index: 2, .number)], format: bare)
        }
        #expect(throws: TableError.columnIndexOutOfRange(index: -1, count: 2)) {
            try read("1,2\n", [ColumnRequest(index: -1, .number)], format: bare)
        }
        #expect(throws: TableError.missingColumn("x", found: "")) {
            try read("1,2\n", [ColumnRequest("x", .number)], format: bare)
        }
    }

    @Test func namesTheColumnsOfATableWithoutHeader() throws {
        let named = TableFormat(names: ["x", "y"])
        let requests = [ColumnRequest("y", .number)]
        #expect(try read("1,2\n", requests, format: named).columns == [.numbers([2])])
        let place = TablePlace(line: 2, column: 2, name: "y")
        #expect(throws: TableError.invalid(place, expected: "a number", found: "\"bad\"")) {
            try read("1,2\n3,bad\n", requests, format: named)
        }
        for (text, column, name) in [("1\n", 2, "y"), ("1,2,3\n", 3, nil)] {
            let error = Self.ragged(line: 1, column: column, name, found: column == 2 ? 1 : 3)
            #expect(throws: error) { try read(text, requests, format: named) }
        }
    }

    @Test func refusesAZeroByteInAText() {
        let place = TablePlace(line: 2, column: 1, name: "id")
        for type in [ColumnType.text, .category] {
            #expect(throws: TableError.zeroByte(place)) {
                try read("id,x\na\0b,1\n", [ColumnRequest("id", type)])
            }
        }
    }

    @Test func knowsTheLineOfEachRow() throws {
        let table = try read(
            "a,x\n\"1\n2\",1\nb,2\n\"\n\n\",3\n\"c\n\",4\nd,5",
            [ColumnRequest("x", .number)]
        )
        #expect((0..<5).map { table.lines[$0] } == [2, 4, 5, 8, 10])
    }

    @Test func refusesTextThatIsNotUTF8() {
        let bytes = Array("id,x\n".utf8) + [0xFF, 0xFE] + Array(",1\n".utf8)
        let place = TablePlace(line: 2, column: 1, name: "id")
        for type in [ColumnType.text, .category] {
            #expect(throws: TableError.notUTF8(place)) {
                try TableReader.read(bytes, columns: [ColumnRequest("id", type)])
            }
        }
    }

    @Test func keepsEachLimitAndRefusesOneMore() throws {
        let bytes = Array("id,x\nab,1\ncd,2\n".utf8)
        let requests = [ColumnRequest("id", .category), ColumnRequest("x", .number)]
        var limits = TableLimits()
        limits.rowCountMax = 2
        limits.columnCountMax = 2
        limits.fieldByteCountMax = 2
        limits.categoryCountMax = 2
        #expect(try TableReader.read(bytes, columns: requests, limits: limits).rowCount == 2)
        let changes: [(WritableKeyPath<TableLimits, Int>, String, Int, Int)] = [
            (\.rowCountMax, "rows", 3, 1), (\.columnCountMax, "columns", 1, 2),
            (\.fieldByteCountMax, "bytes in a field", 1, 1),
            (\.categoryCountMax, "categories", 3, 1),
        ]
        for (limit, what, line, column) in changes {
            var tighter = limits
            tighter[keyPath: limit] = 1
            let error = #expect(throws: TableError.self) {
                try TableReader.read(bytes, columns: requests, limits: tighter)
            }
            // In the header the names are not known yet.
            let name = line > 1 ? " (id)" : ""
            let place = "line \(line), column \(column)\(name)"
            #expect(error?.description == "\(place): more than the limit of 1 \(what)")
        }
    }
}
