// SPDX-License-Identifier: MIT

internal import Features

// What a table is refused for although each of its fields is well formed.
extension ReadingTable {
    /// A record has room for a machine's name of so many bytes, and a client has to send one.
    func checkMachines(_ path: String) throws(TrainingError) {
        guard let entities else { return }
        let longest = SpecLimits.equipmentIDBytesMax
        for (code, name) in entities.categories.enumerated()
        where name.isEmpty || name.utf8.count > longest {
            let row = entities.codes.firstIndex(of: Int32(code)) ?? 0
            let what = name.isEmpty ? "no machine" : "a name of \(name.utf8.count) bytes"
            throw .row(
                path: path,
                row: row + 1,
                column: schema.entityColumn ?? "",
                why: "expected 1 to \(longest) bytes, found \(what)"
            )
        }
    }

    /// Few late rows are what a plant sends; many say that the file was never sorted.
    func checkOrder(_ path: String) throws(TrainingError) {
        guard let entities, let timestamps else { return }
        var latest = Array(repeating: Int64.min, count: entities.categories.count)
        var (late, first) = (0, 0)
        for (row, code) in entities.codes.enumerated() {
            if timestamps[row] > latest[Int(code)] {
                latest[Int(code)] = timestamps[row]
            } else {
                if late == 0 { first = row }
                late += 1
            }
        }
        guard late * 100 > rowCount else { return }
        throw .row(
            path: path,
            row: first + 1,
            column: schema.time?.column ?? "",
            why: "no later than a row of its machine before it, as \(late) of \(rowCount) rows"
                + " are: sort each machine's rows by time"
        )
    }
}
