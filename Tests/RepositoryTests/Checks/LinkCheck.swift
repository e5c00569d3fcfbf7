// SPDX-License-Identifier: MIT

/// Relative links of the documents lead somewhere.
extension Check {
    static func links(_ surroundings: Surroundings) -> Check {
        Check(
            "links lead somewhere",
            refused: [
                ("docs/a.md", "see [this](gone.md)"),
                ("README.md", "see [this](there.md)"),
                ("docs/a.md", "see [this](there.md#no-such-heading)"),
                ("docs/a.md", "[this]: gone.md"),
                ("docs/a.md", "# Here\n[there](#not-here)"),
            ],
            accepted: [
                ("docs/a.md", "[a](there.md), [b](../LICENSE), [c](there.md#one-heading)"),
                ("README.md", "[a](docs/there.md) [b](docs/) [c](https://example.org/gone.md)"),
                ("docs/a.md", "# Here, it is\n[there](#here-it-is)"),
                ("docs/a.md", "```\n[a](gone.md)\n```"),
            ]
        ) { file in
            guard file.isMarkdown else { return [] }
            let link = /\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)/
            return prose(of: file.lines).flatMap { index, line in
                line.matches(of: link).compactMap { $0.1 ?? $0.2 }
                    .filter { !leads($0, from: file, surroundings) }
                    .map { Finding(path: file.path, line: index + 1, message: "\($0) is nowhere") }
            }
        }
    }

    private static func leads(
        _ target: Substring,
        from file: SourceFile,
        _ surroundings: Surroundings
    ) -> Bool {
        if target.contains("://") || target.hasPrefix("mailto:") { return true }
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].isEmpty ? file.path : resolve(parts[0], from: file.path)
        let isFolder = surroundings.paths.contains { $0.hasPrefix("\(path)/") }
        guard parts[0].isEmpty || surroundings.paths.contains(path) || isFolder else {
            return false
        }
        guard parts.count == 2 else { return true }
        let text = parts[0].isEmpty ? file.text : surroundings.document(path)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return prose(of: lines).contains { $0.1.hasPrefix("#") && slug($0.1) == parts[1] }
    }

    private static func resolve(_ target: Substring, from path: String) -> String {
        var components = path.split(separator: "/").dropLast()
        for component in target.split(separator: "/") where component != "." {
            if component == ".." { _ = components.popLast() } else { components.append(component) }
        }
        return components.joined(separator: "/")
    }

    /// A heading's anchor as the usual renderers make it.
    private static func slug(_ heading: Substring) -> String {
        let title = heading.drop { $0 == "#" || $0 == " " }.lowercased()
        return String(
            title.compactMap { character -> Character? in
                if character == " " { return "-" }
                let isKept = character.isLetter || character.isNumber || "-_".contains(character)
                return isKept ? character : nil
            }
        )
    }

    /// The lines outside code fences, with their indices.
    private static func prose(of lines: [Substring]) -> [(Int, Substring)] {
        var isFenced = false
        return lines.enumerated().filter { _, line in
            let isFence = line.drop(while: { $0 == " " }).hasPrefix("```")
            if isFence { isFenced.toggle() }
            return !isFenced && !isFence
        }.map { ($0.offset, $0.element) }
    }
}
