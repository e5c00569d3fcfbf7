// SPDX-License-Identifier: MIT

/// The table of docs/configuration.md, made from ``Setting/all``.
enum SettingsDocument {
    /// The table in Markdown.
    static var table: String {
        var lines = [
            "| flag | variable | default | takes | what and why |",
            "|---|---|---|---|---|",
        ]
        for setting in Setting.all {
            let cells = [
                "`--\(setting.flag)`",
                setting.variables.map { "`\($0)`" }.joined(separator: ", "),
                setting.defaultText,
                setting.accepted,
                setting.reason,
            ]
            lines.append("| " + cells.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }
}
