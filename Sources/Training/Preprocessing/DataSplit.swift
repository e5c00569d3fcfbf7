// SPDX-License-Identifier: MIT

internal import Features

/// How a data set is parted into rows to train on and rows to judge on.
package enum DataSplit: Equatable, Sendable {
    /// By machine: no machine is on both sides. Rows without machine stand for themselves.
    case group(testSize: Double, seed: UInt64)
    /// By row, keeping the failure rate on both sides: the same machine is on both, which leaks.
    case stratified(testSize: Double, seed: UInt64)
    /// By time: the latest part of the rows is judged on.
    case time(testSize: Double)
    /// Machine or row number i, from 0 in order of appearance, is judged on where
    /// i mod count = index.
    case fold(index: Int, count: Int)

    /// Which rows are judged on.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where a side would be empty.
    package func isTest(_ table: ReadingTable) throws(TrainingError) -> [Bool] {
        let flags =
            switch self {
            case .group(let size, let seed): byGroup(table, size, seed)
            case .stratified(let size, let seed): byStratum(table, size, seed)
            case .time(let size): try byTime(table, size)
            case .fold(let index, let count): groups(table).map { Int($0) % count == index }
            }
        guard flags.contains(true), flags.contains(false) else {
            throw .unusable("the split leaves one side empty: more machines or rows are needed")
        }
        return flags
    }

    /// Which rows are trained on: the others, but for a split by time without those whose label
    /// looks past the border, since it tells of failures in the part that is judged on.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` where none is left.
    package func isTrain(_ table: ReadingTable, isTest: [Bool]) throws(TrainingError) -> [Bool] {
        guard case .time = self, let timestamps = table.timestamps,
            let horizonHours = table.schema.horizonHours
        else { return isTest.map { !$0 } }
        let border = timestamps.indices.lazy.filter { isTest[$0] }.map { timestamps[$0] }.min()
        let horizon = Int64(horizonHours * Double(Timestamp.microsecondsPerHour))
        let flags = timestamps.map { $0 < (border ?? .max) - horizon }
        guard flags.contains(true) else {
            throw .unusable(
                "no training row is \(horizonHours) h, the label's horizon, before the test part"
            )
        }
        return flags
    }

    private func groups(_ table: ReadingTable) -> [Int32] {
        table.entities?.codes ?? (0..<Int32(table.rowCount)).map { $0 }
    }

    private func byGroup(_ table: ReadingTable, _ size: Double, _ seed: UInt64) -> [Bool] {
        let groups = groups(table)
        let count = table.entities?.categories.count ?? table.rowCount
        var order = Array(0..<count)
        var generator = SeededGenerator(seed: seed)
        generator.shuffle(&order)
        let testCount = min(max(Int((Double(count) * size).rounded()), 1), count - 1)
        let chosen = Set(order.prefix(max(testCount, 0)).map { Int32($0) })
        return groups.map { chosen.contains($0) }
    }

    private func byStratum(_ table: ReadingTable, _ size: Double, _ seed: UInt64) -> [Bool] {
        var flags = Array(repeating: false, count: table.rowCount)
        var generator = SeededGenerator(seed: seed)
        for label: UInt8 in [0, 1] {
            var rows = table.labels.indices.filter { table.labels[$0] == label }
            generator.shuffle(&rows)
            for row in rows.prefix(Int((Double(rows.count) * size).rounded())) { flags[row] = true }
        }
        return flags
    }

    private func byTime(_ table: ReadingTable, _ size: Double) throws(TrainingError) -> [Bool] {
        guard let timestamps = table.timestamps else {
            throw .unusable("a split by time needs a timestamp column in the schema")
        }
        let sorted = timestamps.sorted()
        let place = min(Int(Double(sorted.count) * (1 - size)), sorted.count - 1)
        return timestamps.map { $0 >= sorted[max(place, 0)] }
    }
}
