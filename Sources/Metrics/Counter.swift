// SPDX-License-Identifier: MIT

internal import Synchronization

/// A count that only grows.
///
/// Updates take no lock and allocate nothing. Any thread may update any slot; event loops take
/// one each so that they don't share a cache line. Relaxed order: a scrape may see two counters
/// at slightly different moments.
package final class Counter: Metric {
    private let slots: [Slot]

    /// Makes a counter with one slot per concurrent writer.
    package init(slots: Int = 1) {
        precondition(slots > 0)
        self.slots = (0..<slots).map { _ in Slot() }
    }

    /// Adds to the count.
    package func add(_ amount: UInt64 = 1, slot: Int = 0) {
        slots[slot].word.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The sum over all slots.
    package var value: UInt64 {
        slots.reduce(0) { $0 &+ $1.word.load(ordering: .relaxed) }
    }

    /// The word on the TYPE line.
    package static let kind = "counter"

    /// What stands before the value of a page.
    package func prefixes(_ name: [UInt8], _ labels: [UInt8]) -> [[UInt8]] {
        [TextFormat.series(name, labels)]
    }

    /// Appends the sample behind its prefix.
    package func render(
        _ prefixes: [[UInt8]],
        _ format: ExpositionFormat,
        into output: inout [UInt8]
    ) {
        output.append(contentsOf: prefixes[0])
        TextFormat.appendValue(value, to: &output)
    }
}
