// SPDX-License-Identifier: MIT

internal import Synchronization

/// Something that a family has one of per combination of label values.
package protocol Metric: Sendable {
    /// The word on the TYPE line.
    static var kind: String { get }

    /// What stands before each value of a page, with the labels as they stand between the braces.
    func prefixes(_ name: [UInt8], _ labels: [UInt8]) -> [[UInt8]]

    /// Appends the samples of this metric, each behind its prefix.
    func render(
        _ prefixes: [[UInt8]],
        _ format: ExpositionFormat,
        into output: inout [UInt8]
    )
}

/// One writer's share of a counter or gauge, on cache lines of its own.
final class Slot: Sendable {
    /// A count, or the bits of a double.
    let word = Atomic<UInt64>(0)
    // Object header and word take 24 bytes; two lines of 64, since processors fetch pairs.
    private let padding = InlineArray<13, UInt64>(repeating: 0)
}

extension Atomic where Value == UInt64 {
    /// Adds to the double whose bits these are.
    func addDouble(_ amount: Double) {
        var current = load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: current) + amount).bitPattern
            let (exchanged, original) = weakCompareExchange(
                expected: current,
                desired: sum,
                ordering: .relaxed
            )
            if exchanged { return }
            current = original
        }
    }
}
