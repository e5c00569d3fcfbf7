// SPDX-License-Identifier: MIT

internal import Synchronization

/// Counts observations in buckets with upper bounds, and sums them.
///
/// Updates take no lock and allocate nothing, from any thread. `_count` is the sum of the buckets
/// that the same scrape has read, so it always equals the bucket of `+Inf`.
package final class Histogram: Metric {
    /// How many bounds there may be, `+Inf` not counted.
    package static let boundCountMax = 31

    /// One writer's share.
    private final class Share: Sendable {
        let counts = InlineArray<32, Atomic<UInt64>> { _ in Atomic(0) }
        let sum = Atomic<UInt64>(0)
        private let padding = InlineArray<13, UInt64>(repeating: 0)
    }

    /// The upper bounds, included in their buckets; ascending.
    package let bounds: [Double]
    /// What stands between the quotes of `le`, bound by bound and then `+Inf`.
    private let spellings: [[UInt8]]
    private let shares: [Share]

    /// Makes a histogram with one slot per concurrent writer; the bounds are finite and ascend.
    package init(bounds: [Double], slots: Int = 1) {
        precondition(slots > 0)
        precondition((1...Self.boundCountMax).contains(bounds.count))
        precondition(bounds.allSatisfy(\.isFinite), "the bucket of +Inf is added here")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.bounds = bounds
        spellings = (bounds + [.infinity]).map { Array(TextFormat.boundSpelling(of: $0).utf8) }
        shares = (0..<slots).map { _ in Share() }
    }

    /// Counts a value in the first bucket whose bound is not below it; NaN is not counted.
    package func observe(_ value: Double, slot: Int = 0) {
        if value.isNaN { return }
        var bucket = 0
        while bucket < bounds.count, bounds[bucket] < value { bucket += 1 }
        let share = shares[slot]
        share.counts[bucket].wrappingAdd(1, ordering: .relaxed)
        share.sum.addDouble(value)
    }

    /// How many values each bucket has by itself, over all slots; the last one is `+Inf`'s.
    package var counts: [UInt64] {
        (0...bounds.count).map { bucket in
            shares.reduce(0) { $0 &+ $1.counts[bucket].load(ordering: .relaxed) }
        }
    }

    /// The sum of all values, over all slots.
    package var sum: Double {
        shares.reduce(0) { $0 + Double(bitPattern: $1.sum.load(ordering: .relaxed)) }
    }

    /// The word on the TYPE line.
    package static let kind = "histogram"

    /// Appends the samples, with the labels as they stand between the braces.
    package func render(_ name: [UInt8], _ labels: [UInt8], into output: inout [UInt8]) {
        var cumulative: UInt64 = 0
        for (count, spelling) in zip(counts, spellings) {
            cumulative &+= count
            output.append(contentsOf: name)
            output.append(contentsOf: "_bucket{".utf8)
            output.append(contentsOf: labels)
            output.append(contentsOf: labels.isEmpty ? "le=\"".utf8 : ",le=\"".utf8)
            output.append(contentsOf: spelling)
            output.append(contentsOf: "\"} ".utf8)
            TextFormat.appendValue(cumulative, to: &output)
        }
        TextFormat.appendSeries(name + "_sum".utf8, labels, to: &output)
        TextFormat.appendValue(sum, to: &output)
        TextFormat.appendSeries(name + "_count".utf8, labels, to: &output)
        TextFormat.appendValue(cumulative, to: &output)
    }
}
