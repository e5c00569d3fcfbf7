// SPDX-License-Identifier: MIT

/// Commands of the documents stand where scripts/check-readme finds them.
extension Check {
    private static let programs: Set<Substring> = [
        "az", "cd", "curl", "docker", "eval", "export", "git", "inference-server", "kubectl",
        "openssl", "pdm", "pip", "python3", "swift", "terraform",
    ]

    static let runCommands = Check(
        "commands of the documents are run, or say why not",
        refused: [
            ("README.md", "so:\n\n    pdm generate --output a.csv\n"),
            ("docs/a.md", "so:\n\n    curl localhost:5000/health\n"),
            ("docs/a.md", "so:\n\n    scripts/serve\n"),
            ("docs/a.md", "so:\n\n    .venv/a/bin/pip install b\n"),
            ("docs/a.md", "```bash\npdm generate\n```"),
            ("docs/a.md", "```\npdm generate\n```"),
            ("docs/a.md", "<!-- not run: -->\n```sh\npdm generate\n```"),
        ],
        accepted: [
            ("docs/a.md", "```sh\npdm generate --output a.csv \\\n    pdm\n```"),
            ("docs/a.md", "<!-- not run: for a reason -->\n```sh\npdm generate\n```"),
            ("docs/a.md", "```json\n{\n    \"pdm\": 1\n}\n```"),
            ("docs/a.md", "so:\n\n    customEvents\n    | where name == \"pdm\"\n"),
            ("docs/a.md", "so:\n\n    error: data/plant.csv: line 4\n"),
            ("CONTRIBUTING.md", "so:\n\n    scripts/test\n"),
        ]
    ) { file in
        guard file.isMarkdown, file.path == "README.md" || file.path.hasPrefix("docs/") else {
            return []
        }
        var isFenced = false
        return file.lines.indices.compactMap { index in
            let line = file.lines[index]
            if line.hasPrefix("```") {
                isFenced.toggle()
                guard isFenced, line != "```sh", line != "```json" else { return nil }
                return Finding(path: file.path, line: index + 1, message: "neither sh nor json")
            }
            let isUnexplained = line.contains(/^<!-- not run:? *-->/)
            guard !isFenced, isUnexplained || isIndentedCommand(line) else { return nil }
            let message = isUnexplained ? "does not say why" : "a command outside a block of sh"
            return Finding(path: file.path, line: index + 1, message: message)
        }
    }

    private static func isIndentedCommand(_ line: Substring) -> Bool {
        guard line.hasPrefix("    ") else { return false }
        let word = line.drop { $0 == " " }.prefix { $0 != " " }
        return programs.contains(word) || word.contains(/^(scripts|\.venv|\.build|\.)\/\w/)
    }
}
