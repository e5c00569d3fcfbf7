// SPDX-License-Identifier: MIT

/// Nothing of the workshop is left on the finished piece.
///
/// The words are put together from halves here, so that this file passes its own checks.
extension Check {
    static let machinePaths = Check(
        "no path of one machine",
        refused: [
            ("docs/a.md", "see /ho" + "me/someone/file"),
            ("scripts/test", "cd /wo" + "rk/tree"),
        ],
        accepted: [
            ("docs/a.md", "see docs/ho" + "me/file and https://example.org/wo" + "rk/"),
            ("scripts/test", "cd /tmp"),
        ]
    ) { file in
        file.findings("a path of one machine", in: file.lines) { line in
            line.contains("/")
                && line.contains(/(^|[^\w.\/-])\/(home|root|work|Users)\/\w/)
        }
    }

    static let leftovers = Check(
        "no leftover markers",
        refused: [
            ("docs/a.md", "TO" + "DO: write"),
            ("Sources/JSON/A.swift", "// FIX" + "ME later"),
            ("Package.swift", "<<<" + "<<<< HEAD\n"),
        ],
        accepted: [
            ("docs/a.md", "mktemp /tmp/file.XXXXXX, a todo list"),
            ("docs/a.md", "a << b, ======= a heading's line"),
        ]
    ) { file in
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
        return file.findings("a leftover marker", in: file.lines) { line in
            line.hasPrefix("<<<" + "<<<< ") || line.hasPrefix(">>>" + ">>>> ")
                || words.contains { line.contains($0) && isWord($0, in: line) }
        }
    }

    private static func isWord(_ word: String, in line: Substring) -> Bool {
        line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.contains { $0 == word }
    }

    /// Whether a tracked path is something that a program made.
    static func isProduct(_ path: String) -> Bool {
        let components = path.split(separator: "/")
        let folders: Set<Substring> = ["data", "models", "state", ".venv"]
        return components.contains { $0.hasPrefix(".build") || $0 == "__pycache__" }
            || components.first.map(folders.contains) == true
            || path == "Package.resolved"
    }
}
