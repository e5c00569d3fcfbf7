// SPDX-License-Identifier: MIT

internal import Platform

/// A thread's share of a step: whole slices of the rows, and some of each matrix of weights.
struct StepShare {
    /// The rows that it takes forward and backward.
    let rows: Range<Int>
    /// The halves of the batch by which it computes gradients, and which of so many parts of each.
    let halves: [(half: Int, rows: Range<Int>)]
    let part: (index: Int, count: Int)
    /// Its part of the weights as the optimiser sees them.
    let step: (index: Int, count: Int)

    init(of member: borrowing WorkTeam.Member, rows: Int, size: Int) {
        let (index, count) = (member.part, member.partCount)
        let slices = (rows + size - 1) / size
        func border(_ place: Int, of parts: Int) -> Int { min(place * slices / parts * size, rows) }
        self.rows = border(index, of: count)..<border(index + 1, of: count)
        let both = (0..<2).map { ($0, border($0, of: 2)..<border($0 + 1, of: 2)) }
        halves = count == 1 ? both : [both[index % 2]]
        part = (index / 2, max(count / 2, 1))
        step = (index, count)
    }

    /// Some of `count` things: one of equal parts in multiples of 16, whole cache lines of floats.
    static func some(_ part: (index: Int, count: Int), of count: Int) -> Range<Int> {
        let size = (count + 16 * part.count - 1) / (16 * part.count) * 16
        return min(part.index * size, count)..<min((part.index + 1) * size, count)
    }
}
