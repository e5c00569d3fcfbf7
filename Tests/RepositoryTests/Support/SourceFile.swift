// SPDX-License-Identifier: MIT

/// A file as the checks see it: its path from the root, its lines, and its lines of bare code.
struct SourceFile: Sendable {
    let path: String
    let text: String
    let lines: [Substring]
    /// For Swift the lines with comments and the content of strings blanked, else the lines.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let isSwift = path.hasSuffix(".swift")
        code =
            isSwift
            ? CodeMask.mask(text).split(separator: "\n", omittingEmptySubsequences: false) : lines
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isMarkdown: Bool { path.hasSuffix(".md") }
    var isSource: Bool { path.hasPrefix("Sources/") }
    var name: Substring { path.split(separator: "/").last ?? "" }

    /// The folder under Sources, nil outside it.
    var module: String? {
        let components = path.split(separator: "/")
        return components.count > 2 && components[0] == "Sources" ? String(components[1]) : nil
    }

    /// Whether it is SIMD kernel source: one long file that every instruction set compiles.
    var isKernel: Bool { module?.hasPrefix("Kernel") == true }

    /// A script of the shell: by its folder, since these have no suffix.
    var isScript: Bool {
        path.hasSuffix(".sh")
            || (path.hasPrefix("scripts/") || path.hasPrefix(".ci/")) && !name.contains(".")
    }

    /// A finding at every line of `lines` that `isBad` picks.
    func findings(
        _ message: String,
        in lines: [Substring],
        where isBad: (Substring) -> Bool
    ) -> [Finding] {
        lines.indices.filter { isBad(lines[$0]) }
            .map { Finding(path: path, line: $0 + 1, message: message) }
    }
}
