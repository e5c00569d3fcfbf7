// SPDX-License-Identifier: MIT

import Testing
import Training

struct TableFuzzTests {
    private static let table = #"""
        \#u{FEFF}timestamp,equipment_id,"temp ""C""",failure\#r
        2024-01-15T10:30:00Z,EQ001,85.5,0\#r
        2024-01-15 11:30:00,"EQ,002",-1.25e1,1\#r
        2024-01-15T12:30:00.5+01:00,"EQ\#n003",,0\#r
        2024-01-15T13:30:00Z,EQ001,0.12345678901234567,0\#r

        """#

    private static let requests = [
        ColumnRequest(index: 0, .timestamp(.text(naiveOffsetMinutes: 0))),
        ColumnRequest(index: 1, .category), ColumnRequest(index: 2, .number),
        ColumnRequest(index: 3, .text),
    ]

    /// Reads; a table or an error are both fine, a trap is not.
    private func rowCount(_ bytes: [UInt8], _ format: TableFormat = .csv) -> Int? {
        guard
            let table = try? TableReader.read(bytes, format: format, columns: Self.requests)
        else { return nil }
        for column in table.columns {
            let count =
                column.numbers?.count ?? column.texts?.count ?? column.timestamps?.count
                ?? column.categories?.codes.count
            #expect(count == table.rowCount)
        }
        return table.rowCount
    }

    @Test func survivesEveryTruncation() {
        let bytes = Array(Self.table.utf8)
        #expect(rowCount(bytes) == 4)
        for count in 0..<bytes.count {
            let found = rowCount(Array(bytes[..<count])) ?? 0
            #expect(found <= 4)
            // Nothing but the last line end may be missing without an error or a shorter table.
            #expect(found < 4 || count > bytes.count - 20)
        }
    }

    @Test func survivesMutations() {
        let bytes = Array(Self.table.utf8)
        let alphabet = Array("\"\",\r\n \t.-e9Z\0\u{FEFF}".utf8)
        var generator = SeededGenerator(seed: 20_240_115)
        for _ in 0..<20_000 {
            var mutated = bytes
            for _ in 0...generator.uniform(below: 4) {
                let index = generator.uniform(below: mutated.count)
                let byte = alphabet[generator.uniform(below: alphabet.count)]
                switch generator.uniform(below: 4) {
                case 0: mutated[index] = byte
                case 1: mutated.insert(byte, at: index)
                case 2 where mutated.count > 1: mutated.remove(at: index)
                default: mutated[index] = UInt8(truncatingIfNeeded: generator.next())
                }
            }
            _ = rowCount(mutated)
            _ = rowCount(mutated, TableFormat(separator: .blanks, names: []))
        }
    }
}
