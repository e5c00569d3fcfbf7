// SPDX-License-Identifier: MIT

/// Which module may import which, read from the table in ARCHITECTURE.md.
///
/// The table stands between two `module table` comments; a row is
/// `| module | modules of this package | modules from outside |`.
struct ModuleTable: Sendable {
    struct Row: Sendable, Equatable {
        let module: String
        let own: [String]
        let foreign: [String]
    }

    let rows: [Row]

    init(markdown: String) {
        var isInside = false
        var rows: [Row] = []
        for line in markdown.split(separator: "\n") {
            if line.hasPrefix("<!-- module table") { isInside.toggle() }
            guard isInside, line.hasPrefix("|") else { continue }
            let cells = line.split(separator: "|").map(ModuleTable.names)
            guard cells.count >= 3, let module = cells[0].first else { continue }
            rows.append(Row(module: module, own: cells[1], foreign: cells[2]))
        }
        self.rows = rows
    }

    /// What a module may import, nil where it has no row.
    func allowed(_ module: String) -> Set<String>? {
        rows.first { $0.module == module }.map { Set($0.own + $0.foreign) }
    }

    /// Imports of modules that do not stand above their importer: the way is one way.
    var upwardImports: [String] {
        var above: Set<String> = []
        var found: [String] = []
        for row in rows {
            found += row.own.filter { !above.contains($0) }.map { "\(row.module) -> \($0)" }
            above.insert(row.module)
        }
        return found
    }

    /// The names in back quotes of a cell.
    private static func names(_ cell: Substring) -> [String] {
        cell.matches(of: /`([A-Za-z0-9_]+)`/).map { String($0.1) }
    }

    static let sample = """
        <!-- module table: start -->
        | module | own | foreign |
        |---|---|---|
        | `CThing` | | |
        | `JSON` | | `Synchronization` |
        | `Features` | `JSON` | |
        <!-- module table: end -->
        | `Stray` | `JSON` | |
        """
}
