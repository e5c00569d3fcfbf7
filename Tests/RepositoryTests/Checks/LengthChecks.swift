// SPDX-License-Identifier: MIT

/// Limits on lines, files and functions.
extension Check {
    static let columnsMax = 100
    static let fileLinesMax = 400
    static let functionLinesMax = 70

    static let lineLength = Check(
        "lines of up to \(columnsMax) columns",
        refused: [
            ("Sources/JSON/A.swift", "// " + String(repeating: "x", count: columnsMax - 2)),
            ("scripts/test", "# " + String(repeating: "x", count: columnsMax - 1)),
        ],
        accepted: [
            ("Sources/JSON/A.swift", "// " + String(repeating: "x", count: columnsMax - 3)),
            ("docs/a.md", String(repeating: "x", count: columnsMax + 1)),
        ]
    ) { file in
        let isCode = file.isSwift || file.isScript || [".c", ".h"].contains(file.path.suffix(2))
        guard isCode else { return [] }
        return file.findings("longer than \(columnsMax) columns", in: file.lines) {
            $0.utf8.count > columnsMax && $0.count > columnsMax
        }
    }

    static let fileLength = Check(
        "files of up to \(fileLinesMax) lines",
        refused: [
            ("Tests/JSONTests/A.swift", String(repeating: "\n", count: fileLinesMax + 1)),
            ("Sources/KernelSource/A.swift", String(repeating: "\n", count: fileLinesMax + 1)),
        ],
        accepted: [("Tests/JSONTests/A.swift", String(repeating: "\n", count: fileLinesMax))]
    ) { file in
        guard file.isSwift else { return [] }
        let count = file.text.utf8.count { $0 == UInt8(ascii: "\n") }
        guard count > fileLinesMax else { return [] }
        return [Finding(path: file.path, line: count, message: "over \(fileLinesMax) lines")]
    }

    static let functionLength = Check(
        "functions of up to \(functionLinesMax) lines",
        refused: [
            ("Sources/JSON/A.swift", sampleFunction("func a(b: Int = { 1 }())", lines: 71)),
            ("Sources/JSON/A.swift", sampleFunction("init?<T>(_ t: T) where T: X", lines: 71)),
        ],
        accepted: [
            ("Sources/JSON/A.swift", sampleFunction("func a(b: Int = { 1 }())", lines: 70)),
            ("Sources/JSON/A.swift", "protocol P {\n func a()\n init()\n}\nenum E {\n"),
        ]
    ) { file in
        guard file.isSwift else { return [] }
        return FunctionScanner.functions(in: file.code.joined(separator: "\n"))
            .filter { $0.lineCount > functionLinesMax }
            .map { function in
                let message = "function of \(function.lineCount) lines"
                return Finding(path: file.path, line: function.line, message: message)
            }
    }

    private static func sampleFunction(_ head: String, lines: Int) -> String {
        "\(head) {\n" + String(repeating: "    if true { }\n", count: lines - 2) + "}\n"
    }
}
