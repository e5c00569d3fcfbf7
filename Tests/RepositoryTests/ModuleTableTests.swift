// SPDX-License-Identifier: MIT

import Testing

struct ModuleTableTests {
    private let table = Surroundings.repository.moduleTable

    @Test func everyModuleHasARowAndEveryRowAModule() {
        let listed = table.rows.map(\.module)
        let modules = Set(
            Repository.paths.filter { $0.hasPrefix("Sources/") }
                .map { String($0.split(separator: "/")[1]) }
        )
        #expect(Set(listed) == modules)
        #expect(listed.count == Set(listed).count)
    }

    @Test func everyImportGoesUpTheTable() {
        #expect(table.upwardImports == [])
    }

    @Test func readsRowsBetweenTheMarksOnly() {
        let sample = ModuleTable(markdown: ModuleTable.sample)
        #expect(sample.rows.map(\.module) == ["CThing", "JSON", "Features"])
        #expect(sample.allowed("JSON") == ["Synchronization"])
        #expect(sample.allowed("Stray") == nil)
    }

    @Test func seesAnImportOfSomethingBelow() {
        let rows = "<!-- module table -->\n| `A` | `B` | |\n| `B` | | |\n"
        #expect(ModuleTable(markdown: rows).upwardImports == ["A -> B"])
    }
}
