// SPDX-License-Identifier: MIT

import Foundation
import Testing

/// Input that cannot be used ends a step with one line that says what and where, and never with a
/// crash or a row left out.
struct BadInputTests {
    private static let header =
        "timestamp,equipment_id,temperature,vibration,pressure,rotation_speed,current,"
        + "operating_hours,failure"
    private static let good = [
        "2024-01-15T10:00:00Z,EQ1,70,2,100,1500,20,100,0",
        "2024-01-15T11:00:00Z,EQ1,71,2,100,1500,20,101,1",
        "2024-01-15T10:00:00Z,EQ2,70,2,100,1500,20,100,0",
        "2024-01-15T11:00:00Z,EQ2,71,2,100,1500,20,101,1",
    ]

    private let folder: Folder

    init() throws { folder = try Folder() }

    private func preprocess(_ input: String, _ options: [String] = []) throws -> Program.Outcome {
        let arguments = ["preprocess", "--input", input, "--output", folder.file("out")]
        return try Program.run(arguments + options)
    }

    private func expectRefusal(_ outcome: Program.Outcome, _ message: String) {
        #expect(!outcome.isCrash)
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.count == 1, "\(outcome.error)")
        #expect(outcome.error.hasPrefix("error: \(message)"), "\(outcome.error)")
        #expect(outcome.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder.file("out/train.csv")))
    }

    /// The good table with one of its lines changed; the header is line 0.
    private static func table(_ line: Int, _ change: (inout String) -> Void) -> String {
        var lines = [header] + good
        change(&lines[line])
        return lines.joined(separator: "\n") + "\n"
    }

    @Test(arguments: [
        ("", "line 1: the table is empty"),
        ("\u{FEFF}", "line 1: the table is empty"),
        ("\(header)\n", "line 1: the table has a header but no rows"),
        (
            table(0) { $0 = $0.replacing("pressure", with: "druck") },
            "line 1: no column pressure; there are timestamp, equipment_id,"
        ),
        (
            table(2) { $0 = $0.replacing(",71,", with: ",hot,") },
            "line 3, column 3 (temperature): expected a number, found \"hot\""
        ),
        (
            table(0) { $0 += ",current" },
            "line 1, column 10 (current): the second column of this name"
        ),
        (
            table(2) { $0 += ",9,\"10,11\"" },
            "line 3, column 10: too many: 11 fields where 9 are expected"
        ),
        (
            table(4) { $0 = "2024-01-15T11:00:00Z,EQ2" },
            "line 5, column 3 (temperature): missing: 2 fields where 9 are expected"
        ),
        (
            table(2) { $0 = "" },
            "line 3, column 1 (timestamp): expected a timestamp, found nothing"
        ),
        (
            table(1) { $0 = $0.replacing("T10:00:00Z", with: "T25:00:00Z") },
            "line 2, column 1 (timestamp): expected a timestamp, found \"2024-01-15T25:00:00Z\""
        ),
        (
            table(3) { $0 = $0.replacing(",100,0", with: ",100,2") },
            "line 4, column 9 (failure): expected 0 or 1, found 2"
        ),
        (
            table(3) { $0 = $0.replacing("EQ2", with: "") },
            "line 4, column 2 (equipment_id): expected 1 to 64 bytes, found no machine"
        ),
        (
            table(2) { $0 = $0.replacing("T11", with: "T09") },
            "line 3, column 1 (timestamp): no later than a row of its machine before it, as 1 of 4"
        ),
        (
            table(1) { $0 = $0.replacing(",70,", with: ",\"70,") },
            "line 2, column 3 (temperature): the quote that opens here never closes"
        ),
        (
            table(1) { $0 = $0.replacing(",70,", with: ",\"70\"x,") },
            "line 2, column 3 (temperature): text after the closing quote"
        ),
        (
            table(1) { $0 = $0.replacing(",70,", with: ",inf,") },
            "line 2, column 3 (temperature): expected a number, found \"inf\""
        ),
        (
            table(3) { $0 = $0.replacing("EQ2", with: "E\0Q") },
            "line 4, column 2 (equipment_id): the text has a zero byte"
        ),
        (
            table(3) { $0 = $0.replacing(",70,", with: ",7\0,") },
            "line 4, column 3 (temperature): expected a number, found \"7?\""
        ),
        (
            table(1) { $0 = $0.replacing("EQ1", with: String(repeating: "x", count: 65)) },
            "line 2, column 2 (equipment_id): expected 1 to 64 bytes, found a name of 65 bytes"
        ),
        (
            table(1) { $0 = $0.replacing("EQ1", with: String(repeating: "x", count: 70_000)) },
            "line 2, column 2 (equipment_id): more than the limit of 65536 bytes in a field"
        ),
        (
            table(1) {
                $0 = $0.replacing(",70,", with: ",\(String(repeating: "7", count: 70_000)),")
            },
            "line 2, column 3 (temperature): expected a number, found \"7777"
        ),
        // Lines within quotes count, for the parser and for what is checked after it.
        (
            table(1) { $0 = $0.replacing("EQ1", with: "\"E\nQ\"") }
                .replacing(",71,", with: ",hot,"),
            "line 4, column 3 (temperature): expected a number, found \"hot\""
        ),
        (
            table(1) { $0 = $0.replacing("EQ1", with: "\"E\nQ\"") }
                .replacing(",101,1", with: ",101,3"),
            "line 4, column 9 (failure): expected 0 or 1, found 3"
        ),
        (
            table(1) { $0 = $0.replacing("EQ1", with: "\"E\nQ\"") }
                .replacing("\n", with: "\r\n").replacing(",101,1", with: ",101,"),
            "line 4, column 9 (failure): expected 0 or 1, found nothing"
        ),
    ])
    func namesFileRowAndColumn(text: String, message: String) throws {
        let path = try folder.write(text, "raw.csv")
        expectRefusal(try preprocess(path), "\(path): \(message)")
    }

    @Test func namesTheLineAndColumnOfATableWithoutHeader() throws {
        let rows = ["1 1", "1 2", "2 1", "2 2"].map {
            "\($0)\(String(repeating: " 1.5", count: 24)) \n"
        }
        let schema = ["--schema", repositoryPath("schemas/cmapss.json")]
        func check(_ row: Int, _ text: String, _ message: String) throws {
            var changed = rows
            changed[row] = text
            let path = try folder.write(changed.joined(), "train.txt")
            expectRefusal(try preprocess(path, schema), "\(path): \(message)")
        }
        try check(
            2,
            rows[2].replacing("1.5 \n", with: "hot \n"),
            "line 3, column 26 (s21): expected a number"
        )
        try check(
            1,
            "1 2 3\n",
            "line 2, column 4 (setting_2): missing: 3 fields where 26 are expected"
        )
        try check(
            0,
            "1 1\n",
            "line 1, column 3 (setting_1): missing: 2 fields where 26 are expected"
        )
        try check(
            1,
            rows[0],
            "line 2, column 2 (cycle): no later than a row of its machine before it"
        )
    }

    @Test func refusesAGzipFileThatIsCutOff() throws {
        let path = try folder.write(Self.table(1) { _ in }, "raw.csv")
        #expect(try Program.run(["-n", path], program: "/bin/gzip").status == 0)
        let whole = try Data(contentsOf: URL(filePath: "\(path).gz"))
        let cut = folder.file("cut.csv.gz")
        try whole.dropLast(9).write(to: URL(filePath: cut))
        expectRefusal(try preprocess(cut), "\(cut): gzip data ends too early")
        let outcome = try preprocess("\(path).gz", ["--test-size", "0.5"])
        #expect(outcome.status == 0, "\(outcome.error)")
    }

    @Test func refusesBytesThatAreNoText() throws {
        var bytes = Data(Self.table(1) { $0 = $0.replacing("EQ1", with: "?") }.utf8)
        let place = try #require(bytes.firstIndex(of: UInt8(ascii: "?")))
        bytes[place] = 0xFF
        let path = folder.file("raw.csv")
        try bytes.write(to: URL(filePath: path))
        let message = "line 2, column 2 (equipment_id): the text is not UTF-8"
        expectRefusal(try preprocess(path), "\(path): \(message)")
    }

    @Test func acceptsByteOrderMarkCRLFAndQuotes() throws {
        let lines =
            ["\u{FEFF}\(Self.header)"] + Self.good.map { $0.replacing("EQ1", with: "\"E,1\"") }
        let path = try folder.write(lines.joined(separator: "\r\n") + "\r\n\r\n", "raw.csv")
        let outcome = try preprocess(path, ["--test-size", "0.5"])
        #expect(outcome.status == 0, "\(outcome.error)")
        let both = try ["train", "test"].map {
            try String(contentsOfFile: folder.file("out/\($0).csv"), encoding: .utf8)
        }
        #expect(both.joined().contains(",\"E,1\","))
        #expect(both.map { $0.split(separator: "\n").count } == [3, 3])
    }

    @Test func namesACategoryThatTheSchemaLacks() throws {
        let header =
            "Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],"
            + "Torque [Nm],Tool wear [min],Machine failure"
        let path = try folder.write(
            "\(header)\nM,298,308,1551,42,0,0\nX,298,308,1551,42,0,1\n",
            "a.csv"
        )
        let outcome = try preprocess(path, ["--schema", repositoryPath("schemas/ai4i2020.json")])
        let message = "line 3, column 1 (Type): expected one of [\"L\", \"M\", \"H\"], found \"X\""
        expectRefusal(outcome, "\(path): \(message)")
    }

    @Test func namesFilesThatCannotBeReadOrWritten() throws {
        expectRefusal(
            try preprocess(folder.file("none.csv")),
            "\(folder.file("none.csv")): open: No such file or directory"
        )
        expectRefusal(try preprocess(folder.path), "\(folder.path): read: Is a directory")
        let path = try folder.write(Self.table(1) { _ in }, "raw.csv")
        expectRefusal(
            try preprocess(path, ["--output", path]),
            "\(path)/train.csv: open: Not a directory"
        )
        expectRefusal(
            try preprocess(path, ["--output", "/proc/none/out"]),
            "/proc/none: mkdir: No such file or directory"
        )
    }

    @Test func namesSchemaAndSpecFilesThatAreNone() throws {
        let path = try folder.write(Self.table(1) { _ in }, "raw.csv")
        let schema = try folder.write("{\"format\": 1, \"name\": 5}", "schema.json")
        let outcome = try preprocess(path, ["--schema", schema])
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        #expect(outcome.error.hasPrefix("error: \(schema): "), "\(outcome.error)")
        let text = try folder.write("temperature: 5", "schema.txt")
        expectRefusal(
            try preprocess(path, ["--schema", text]),
            "\(text): expected a value, found 'e' at byte 1"
        )
    }

    @Test func featuresNeedWhatPreprocessWrote() throws {
        let path = try folder.write(Self.table(1) { _ in }, "train.csv")
        let outcome = try Program.run(
            [
                "features", "--input", path, "--output", folder.file("f.csv"), "--is-training",
                "true",
            ]
        )
        let message = "error: \(folder.path)/preprocessing.json: open: No such file or directory"
        #expect(outcome.status == 1 && outcome.errorLines.count == 1)
        #expect(outcome.error.hasPrefix(message), "\(outcome.error)")
    }

    @Test func evaluateNeedsABundle() throws {
        let outcome = try Program.run(
            ["evaluate", "--model-path", folder.path, "--test-data", folder.file("f.csv")]
        )
        #expect(outcome.status == 1 && !outcome.isCrash && outcome.errorLines.count == 1)
        #expect(outcome.error.hasPrefix("error: \(folder.path): "), "\(outcome.error)")
    }
}
