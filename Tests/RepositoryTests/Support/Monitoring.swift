// SPDX-License-Identifier: MIT

import Foundation

/// What somebody on call is led by: alerts, panels, and lines of the log.
struct Monitoring: Sendable {
    /// A panel of a dashboard, by both titles.
    struct Panel: Hashable {
        let dashboard: String
        let title: String
    }

    /// The expression of each alert, by its name.
    private(set) var alerts: [String: String] = [:]
    /// What each alert says of itself.
    private(set) var descriptions: [String: String] = [:]
    /// The expression of each recorded series, by its name.
    private(set) var recorded: [String: String] = [:]
    /// The queries of each panel.
    private(set) var panels: [Panel: [String]] = [:]
    /// What the server logs, by the name of the event.
    private(set) var events: Set<String> = []
    /// The words between quotes in its sources: events, fields, reasons and more.
    private(set) var words: Set<String> = []

    /// Reads rules, dashboards and the sources of the server.
    init(files: [SourceFile]) {
        for file in files {
            if file.path.contains("/rules/"), file.path.hasSuffix(".yml") { addRules(of: file) }
            if file.path.contains("/dashboards/"), file.path.hasSuffix(".json") {
                addPanels(of: file)
            }
            if file.module == "InferenceServer", file.path.hasSuffix(".swift") {
                addEvents(of: file)
            }
        }
    }

    /// The series that an expression looks at, in the end: recorded ones are what they come from.
    func series(of expression: String) -> Set<String> {
        let bare = expression.replacing(/\{[^}]*\}/, with: "")
            .replacing(/(by|on|ignoring|group_left|without) ?\([^)]*\)/, with: "")
        var found: Set<String> = []
        for match in bare.matches(of: /[a-z][a-z0-9_:]*+(?! *\()/) {
            let name = String(match.output)
            if let expression = recorded[name], expression != name {
                found.formUnion(series(of: expression))
            } else if name.contains("_") || name == "up" {
                found.insert(name.replacing(/_(bucket|count|sum)$/, with: ""))
            }
        }
        return found
    }

    private mutating func addRules(of file: SourceFile) {
        // `- alert: NAME`, then `expr: TEXT`, or `expr: |-` and deeper lines.
        let rule = /(?m)^ {6}- (alert|record): (\S+)\n {8}expr: (?:[|>]-\n((?: {10}.*\n)+)|(.*)\n)/
        for match in file.text.matches(of: rule) {
            let (name, text) = (String(match.2), String(match.3 ?? match.4 ?? ""))
            if match.1 == "alert" { alerts[name] = text } else { recorded[name] = text }
        }
        let annotation = /(?m)^ {6}- alert: (\S+)\n(?: {8}.*\n)*? {10}description: "(.*)"\n/
        for match in file.text.matches(of: annotation) {
            descriptions[String(match.1)] = String(match.2)
        }
    }

    private mutating func addPanels(of file: SourceFile) {
        struct Dashboard: Decodable {
            struct Panel: Decodable {
                struct Target: Decodable { let expr: String }
                let title: String
                let targets: [Target]?
            }
            let title: String
            let panels: [Panel]
        }
        let data = Data(file.text.utf8)
        guard let dashboard = try? JSONDecoder().decode(Dashboard.self, from: data) else { return }
        for panel in dashboard.panels {
            let place = Panel(dashboard: dashboard.title, title: panel.title)
            panels[place] = panel.targets?.map(\.expr) ?? []
        }
    }

    private mutating func addEvents(of file: SourceFile) {
        let call = /event\(\s*[^",()]*,\s*(?:[\w.]+ \? )?"([a-z_]+)"(?: : "([a-z_]+)")?/
        for match in file.text.matches(of: call) {
            events.formUnion([match.1, match.2].compactMap(\.self).map(String.init))
        }
        for match in file.text.matches(of: /"([a-z]+(?:_[a-z]+)*)"/) {
            words.insert(String(match.1))
        }
        // Names in tables.
        guard ["RepeatedEvent.swift", "ServerWatch.swift"].contains(file.name) else { return }
        for match in file.text.matches(of: /"([a-z]+(?:_[a-z]+)+)"/) {
            events.insert(String(match.1))
        }
    }
}
