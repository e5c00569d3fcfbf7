// SPDX-License-Identifier: MIT

/// From each alert an entry of docs/runbooks.md leads to a panel and to lines of the log.
extension Check {
    static func runbooks(_ surroundings: Surroundings) -> Check {
        let entry = """
            ### Late

            It came
            late.

            - Panel: Health, *Lateness*
            - Log: `came_late` says when
            - Do: hurry.

            | `came_late` | |
            """
        return Check(
            "alerts lead to panels and lines of the log",
            refused: [
                ("docs/runbooks.md", entry.replacing("### Late", with: "### Early")),
                ("docs/runbooks.md", entry + "\n\n### Early\n\n- Panel: Health, *Lateness*\n"),
                ("docs/runbooks.md", entry.replacing("It came", with: "They came")),
                ("docs/runbooks.md", entry.replacing("Health,", with: "Wealth,")),
                ("docs/runbooks.md", entry.replacing("*Lateness*", with: "*Earliness*")),
                // It is there, but shows something else.
                ("docs/runbooks.md", entry.replacing("*Lateness*", with: "*Noise*")),
                ("docs/runbooks.md", entry.replacing("- Panel", with: "- Panels")),
                ("docs/runbooks.md", entry.replacing("- Log", with: "- Logs")),
                ("docs/runbooks.md", entry.replacing("- Do", with: "- Done")),
                ("docs/runbooks.md", entry.replacing("`came_late` says", with: "`went_late` says")),
                ("docs/runbooks.md", entry.replacing("`came_late` says", with: "a line says")),
                ("docs/runbooks.md", entry.replacing("| `came_late` |", with: "| late |")),
                ("docs/runbooks.md", entry.replacing("| |", with: "| |\n| `went_late` | |")),
            ],
            accepted: [
                ("docs/runbooks.md", entry),
                ("docs/runbooks.md", entry.replacing("`came_late` says when", with: "none")),
                ("docs/other.md", "### Early"),
            ]
        ) { file in
            guard file.path == "docs/runbooks.md" else { return [] }
            let monitoring = surroundings.monitoring
            let entries = entries(of: file)
            var messages: [(line: Int, message: String)] = []
            for alert in monitoring.alerts.keys.sorted() where entries[alert] == nil {
                messages.append((0, "\(alert) has no entry"))
            }
            for (alert, (line, text)) in entries {
                let found =
                    monitoring.alerts[alert].map {
                        trouble(with: text, $0, monitoring)
                            + trouble(with: text, monitoring.descriptions[alert])
                    }
                    ?? ["no alert has this name"]
                messages += found.map { (line, "\(alert): \($0)") }
            }
            messages += troubleWithTable(of: file, monitoring)
            return messages.map { Finding(path: file.path, line: $0.line + 1, message: $0.message) }
        }
    }

    /// The lines under each heading that names an alert.
    private static func entries(of file: SourceFile) -> [String: (line: Int, text: String)] {
        var entries: [String: (line: Int, text: String)] = [:]
        var name: String?
        for (index, line) in file.lines.enumerated() {
            if let match = line.wholeMatch(of: /### (\w+)/) {
                name = String(match.1)
                entries[String(match.1)] = (index, "")
            } else if line.hasPrefix("#") || line.hasPrefix("|") {
                name = nil
            } else if let name {
                entries[name]?.text += "\(line)\n"
            }
        }
        return entries
    }

    private static func trouble(
        with text: String,
        _ expression: String,
        _ monitoring: Monitoring
    ) -> [String] {
        var trouble: [String] = []
        if let match = text.firstMatch(of: /(?m)^- Panel: ([\w ]+), ((?:.+\n)(?: .+\n)*)/) {
            let panels = match.2.matches(of: /\*([^*]+)\*/).map {
                Monitoring.Panel(dashboard: String(match.1), title: String($0.1))
            }
            for panel in panels where monitoring.panels[panel] == nil {
                trouble.append("there is no panel \(panel.title) on \(panel.dashboard)")
            }
            let queries = panels.flatMap { monitoring.panels[$0] ?? [] }
            let shown = queries.map(monitoring.series).reduce(Set()) { $0.union($1) }
            if shown.isDisjoint(with: monitoring.series(of: expression)) {
                trouble.append("no panel shows what the alert is about")
            }
        } else {
            trouble.append("no panel is named")
        }
        if let match = text.firstMatch(of: /(?m)^- Log: ((?:.+\n)(?: .+\n)*)/) {
            let names = match.1.matches(of: /`([a-z]+(?:_[a-z]+)*)`/).map { String($0.1) }
            if monitoring.events.isDisjoint(with: names), !match.1.hasPrefix("none") {
                trouble.append("no line of the log is named")
            }
            for name in names where !monitoring.words.contains(name) {
                trouble.append("nothing logs \(name)")
            }
        } else {
            trouble.append("nothing is said of the log")
        }
        if !text.contains(/(?m)^- Do:/) { trouble.append("nothing is said to do") }
        return trouble
    }

    /// An alert says of itself what its entry begins with.
    private static func trouble(with text: String, _ description: String?) -> [String] {
        let first = text.split(separator: "\n\n").first ?? ""
        let plain = first.replacing(/\[([^\]]+)\]\([^)]*\)/) { $0.1 }
            .split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return plain == description ? [] : ["the alert's description is not: \(plain)"]
    }

    /// What the table of the log's lines and the sources do not have in common.
    private static func troubleWithTable(
        of file: SourceFile,
        _ monitoring: Monitoring
    ) -> [(line: Int, message: String)] {
        var told: Set<String> = []
        var trouble: [(line: Int, message: String)] = []
        for (index, line) in file.lines.enumerated() {
            guard let match = line.firstMatch(of: /^\| (`[a-z_`, ]+`) \|/) else { continue }
            for name in match.1.matches(of: /`([a-z_]+)`/).map({ String($0.1) }) {
                told.insert(name)
                if !monitoring.events.contains(name) {
                    trouble.append((index, "nothing logs \(name)"))
                }
            }
        }
        for event in monitoring.events.subtracting(told).sorted() {
            trouble.append((0, "the table of the log's lines lacks \(event)"))
        }
        return trouble
    }
}
