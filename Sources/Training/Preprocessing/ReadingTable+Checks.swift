// SPDX-License-Identifier: MIT

internal import Features

// What a table is refused for although each of its fields is well formed.
extension ReadingTable {
    /// A record has room for a machine's name of so many bytes, and a client has to send one.
    ///
    /// `column` is the number of the machine's column among those that were read.
    func checkMachines(_ table: Table, column: Int?) throws(TableError) {
        guard let entities, let column else { return }
        let longest = SpecLimits.equipmentIDBytesMax
        for (code, name) in entities.categories.enumerated()
        where name.isEmpty || name.utf8.count > longest {
            let row = entities.codes.firstIndex(of: Int32(code)) ?? 0
            let what = name.isEmpty ? "no machine" : "a name of \(name.utf8.count) bytes"
            let why = "expected 1 to \(longest) bytes, found \(what)"
            throw table.refusal(row: row, request: column, why)
        }
    }

    /// Few late rows are what a plant sends; many say that the file was never sorted.
    ///
    /// `column` is the number of the time's column among those that were read.
    func checkOrder(_ table: Table, column: Int?) throws(TableError) {
        let late = lateRows
        guard let column, let first = late.first, late.count * 100 > rowCount else { return }
        throw table.refusal(
            row: first,
            request: column,
            "no later than a row of its machine before it, as \(late.count) of \(rowCount) rows"
                + " are: sort each machine's rows by time"
        )
    }

    /// The rows that come no later than an earlier one of their machine: late or repeated.
    var lateRows: [Int] {
        guard let entities, let timestamps else { return [] }
        var latest = Array(repeating: Int64.min, count: entities.categories.count)
        var late: [Int] = []
        for (row, code) in entities.codes.enumerated() {
            if timestamps[row] > latest[Int(code)] {
                latest[Int(code)] = timestamps[row]
            } else {
                late.append(row)
            }
        }
        return late
    }
}
