// SPDX-License-Identifier: MIT

/// Every declaration that another module sees has a doc comment.
extension Check {
    /// Members that the standard library's protocols have named and explained already.
    private static let witnesses = [
        "var description:", "var debugDescription:", "static func ==", "static func <",
        "func hash(into", "let rawValue:", "init(rawValue:",
    ]

    static let documentedDeclarations = Check(
        "package declarations are documented",
        refused: [
            ("Sources/JSON/A.swift", "\npackage struct A { }"),
            ("Sources/JSON/A.swift", "// Not a doc comment.\n  package static let a = 1"),
            ("Sources/JSON/A.swift", "/// A.\nstruct A {\n  @inlinable package func b() { }"),
            ("Sources/JSON/A.swift", "\n@inlinable\npackage func b() { }"),
        ],
        accepted: [
            ("Sources/JSON/A.swift", "/// A.\npackage struct A { }"),
            ("Sources/JSON/A.swift", "/// A.\n@inlinable\npackage func b() { }"),
            ("Sources/JSON/A.swift", "package import Features\nlet package = 1"),
            ("Sources/JSON/A.swift", "\npackage var description: String { \"\" }"),
            ("Tests/JSONTests/A.swift", "\npackage struct A { }"),
        ]
    ) { file in
        guard file.isSource, file.isSwift, !file.isKernel else { return [] }
        return file.code.indices.filter { index in
            let line = file.code[index]
            guard line.contains("package "), isPackageDeclaration(line) else { return false }
            var above = index - 1
            while above >= 0, file.lines[above].drop(while: { $0 == " " }).hasPrefix("@") {
                above -= 1
            }
            return above < 0 || !file.lines[above].drop(while: { $0 == " " }).hasPrefix("///")
        }.map { Finding(path: file.path, line: $0 + 1, message: "lacks a doc comment") }
    }

    private static func isPackageDeclaration(_ line: Substring) -> Bool {
        let head = /^\s*((@\w+(\([^)]*\))?|\w+|\w+\(set\))\s+)*?package\s+(?<rest>.*)/
        guard let match = line.prefixMatch(of: head), !line.contains(" package =") else {
            return false
        }
        let rest = match.rest
        return !rest.hasPrefix("import ") && !witnesses.contains { rest.hasPrefix($0) }
    }
}
