// SPDX-License-Identifier: MIT

internal import Glibc

/// Counts of rows by machine group, column and bin, in memory that does not grow.
///
/// A caller gives each writer one of its own and merges them.
package struct FleetSketch: Equatable, Sendable {
    /// How rows are counted.
    package let shape: SketchShape
    /// By group, then column, then bin.
    package internal(set) var counts: [UInt32]
    /// Rows by group, then stratum.
    package internal(set) var rows: [UInt32]
    /// A bit of each machine, chosen by its hash.
    var machines: [UInt64]

    private static let machineWords = 64

    /// Counts nothing yet.
    package init(_ shape: SketchShape) {
        self.shape = shape
        let cells = SketchShape.groupCount * shape.columnCount * SketchShape.binCount
        counts = Array(repeating: 0, count: cells)
        rows = Array(repeating: 0, count: SketchShape.groupCount * shape.stratumCount)
        machines = Array(repeating: 0, count: Self.machineWords)
    }

    /// All rows.
    package var rowCount: Int { rows.reduce(0) { $0 + Int($1) } }

    /// Rows of a group.
    package func rowCount(group: Int) -> Int {
        (0..<shape.stratumCount).reduce(0) { $0 + Int(rows[group * shape.stratumCount + $1]) }
    }

    /// How many machines there are, by linear counting: to some per cent up to 10,000, and less
    /// than there are where there are many more.
    package var machineCount: Double {
        let bits = Double(Self.machineWords * 64)
        let free = bits - Double(machines.reduce(0) { $0 + $1.nonzeroBitCount })
        return bits * log(bits / max(free, 1))
    }

    /// The groups that have rows.
    package var groupCount: Int {
        (0..<SketchShape.groupCount).count { rowCount(group: $0) > 0 }
    }

    /// Counts a row: its features from a place on, its score, and a hash of its machine.
    ///
    /// It allocates nothing.
    ///
    /// - Complexity: O(columns).
    package mutating func add(_ values: Span<Float>, at start: Int, score: Float, machine: UInt64) {
        let features = shape.columnCount - 1
        precondition(start >= 0 && start + features <= values.count, "a whole row is needed")
        let group = note(values, at: start, machine: machine)
        let kept = shape.borders
        let borders = kept.span
        var cell = group * shape.columnCount * SketchShape.binCount
        var cells = counts.mutableSpan
        var border = 0
        for column in 0..<features {
            let bin = Self.bin(of: values[start + column], borders, from: border)
            cells[cell + bin] &+= 1
            cell += SketchShape.binCount
            border += SketchShape.binCount - 1
        }
        cells[cell + Self.bin(of: score, borders, from: border)] &+= 1
    }

    /// Counts a row and its machine, but not its values, which the caller counts for the group that
    /// this returns, and brings with ``addAbove(_:)``.
    package mutating func note(_ values: Span<Float>, at start: Int, machine: UInt64) -> Int {
        let group = Int(machine >> 60)
        machines[Int(machine >> 48 & 63)] |= 1 << (machine >> 54 & 63)
        let stratum = shape.stratum(of: values, at: start)
        rows[group * shape.stratumCount + stratum] &+= 1
        return group
    }

    /// Takes the values of all rows that were noted: by group, then column, how many of them lie
    /// above each border, and above the sixteenth none.
    package mutating func addAbove(_ above: [UInt32]) {
        precondition(above.count == counts.count)
        for group in 0..<SketchShape.groupCount {
            let total = UInt32(truncatingIfNeeded: rowCount(group: group))
            for column in 0..<shape.columnCount {
                let first = (group * shape.columnCount + column) * SketchShape.binCount
                var before = total
                for bin in first..<first + SketchShape.binCount {
                    counts[bin] &+= before &- above[bin]
                    before = above[bin]
                }
            }
        }
    }

    /// How many of the fifteen borders from a place on lie below a value.
    @inline(__always)
    private static func bin(of value: Float, _ borders: Span<Float>, from first: Int) -> Int {
        // Four steps without a branch that depends on the value, which nothing could foresee.
        var bin = value > borders[first + 7] ? 8 : 0
        bin += value > borders[first + bin + 3] ? 4 : 0
        bin += value > borders[first + bin + 1] ? 2 : 0
        bin += value > borders[first + bin] ? 1 : 0
        return bin
    }

    /// Adds what another sketch of the same shape counted.
    package mutating func merge(_ other: FleetSketch) {
        precondition(shape == other.shape)
        for index in counts.indices { counts[index] &+= other.counts[index] }
        for index in rows.indices { rows[index] &+= other.rows[index] }
        for index in machines.indices { machines[index] |= other.machines[index] }
    }

    /// Forgets all counts and keeps the memory.
    package mutating func reset() {
        for index in counts.indices { counts[index] = 0 }
        for index in rows.indices { rows[index] = 0 }
        for index in machines.indices { machines[index] = 0 }
    }
}
