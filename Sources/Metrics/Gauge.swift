// SPDX-License-Identifier: MIT

internal import Synchronization

/// A value that goes up and down; with several slots, the sum over them.
///
/// Updates take no lock and allocate nothing, from any thread.
package final class Gauge: Metric {
    private let slots: [Slot]

    /// Makes a gauge of 0 with one slot per concurrent writer.
    package init(slots: Int = 1) {
        precondition(slots > 0)
        self.slots = (0..<slots).map { _ in Slot() }
    }

    /// Replaces a slot's value.
    package func set(_ value: Double, slot: Int = 0) {
        slots[slot].word.store(value.bitPattern, ordering: .relaxed)
    }

    /// Adds to a slot's value; a negative amount takes away.
    package func add(_ amount: Double, slot: Int = 0) {
        slots[slot].word.addDouble(amount)
    }

    /// The sum over all slots.
    package var value: Double {
        slots.reduce(0) { $0 + Double(bitPattern: $1.word.load(ordering: .relaxed)) }
    }

    /// The word on the TYPE line.
    package static let kind = "gauge"

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
