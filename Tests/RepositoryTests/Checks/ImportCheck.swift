// SPDX-License-Identifier: MIT

import RegexBuilder

/// Imports go one way, by the table in ARCHITECTURE.md.
extension Check {
    static func imports(_ table: ModuleTable) -> Check {
        Check(
            "imports by the table",
            refused: [
                ("Sources/JSON/A.swift", "internal import Features"),
                ("Sources/JSON/A.swift", "@testable import CThing"),
                ("Sources/Features/A.swift", "package import Synchronization"),
                ("Sources/Unlisted/A.swift", "import JSON"),
                ("Sources/JSON/A.swift", "import struct Features.Row"),
            ],
            accepted: [
                ("Sources/Features/A.swift", "internal import JSON"),
                ("Sources/JSON/A.swift", "// import Features\nimport Synchronization"),
                ("Tests/JSONTests/A.swift", "import Features"),
            ]
        ) { file in
            guard file.isSwift, let module = file.module else { return [] }
            guard let allowed = table.allowed(module) else {
                return [Finding(path: file.path, line: 1, message: "\(module) is not in the table")]
            }
            return file.code.enumerated().compactMap { index, line in
                guard line.contains("import "), let name = importedModule(line),
                    !allowed.contains(name)
                else { return nil }
                let message = "\(module) may not import \(name)"
                return Finding(path: file.path, line: index + 1, message: message)
            }
        }
    }

    private static func importedModule(_ line: Substring) -> String? {
        let kinds = /(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?/
        let pattern = Regex {
            /^\s*(?:@\w+\s+)*(?:\w+\s+)?import\s+/
            kinds
            Capture { /\w+/ }
        }
        return line.prefixMatch(of: pattern).map { String($0.1) }
    }
}
