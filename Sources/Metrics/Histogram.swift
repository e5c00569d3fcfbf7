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
    private let shares: [Share]

    /// Makes a histogram with one slot per concurrent writer; the bounds are finite and ascend.
    package init(bounds: [Double], slots: Int = 1) {
        precondition(slots > 0)
        precondition((1...Self.boundCountMax).contains(bounds.count))
        precondition(bounds.allSatisfy(\.isFinite), "the bucket of +Inf is added here")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.bounds = bounds
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
        var sums = [UInt64](repeating: 0, count: bounds.count + 1)
        for share in shares {
            for bucket in sums.indices {
                sums[bucket] &+= share.counts[bucket].load(ordering: .relaxed)
            }
        }
        return sums
    }

    /// The sum of all values, over all slots.
    package var sum: Double {
        shares.reduce(0) { $0 + Double(bitPattern: $1.sum.load(ordering: .relaxed)) }
    }

    /// The word on the TYPE line.
    package static let kind = "histogram"

    /// What stands before each value of a page: buckets, sum and count.
    package func prefixes(_ name: [UInt8], _ labels: [UInt8]) -> [[UInt8]] {
        let buckets = (bounds + [.infinity]).map { bound in
            let label = "le=\"\(TextFormat.boundSpelling(of: bound))\""
            let all = labels + (labels.isEmpty ? label : "," + label).utf8
            return TextFormat.series(name + "_bucket".utf8, all)
        }
        let rest = ["_sum", "_count"].map { TextFormat.series(name + $0.utf8, labels) }
        return buckets + rest
    }

    /// Appends the samples, each behind its prefix.
    package func render(_ prefixes: [[UInt8]], into output: inout [UInt8]) {
        var cumulative: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            cumulative &+= count
            output.append(contentsOf: prefixes[bucket])
            TextFormat.appendValue(cumulative, to: &output)
        }
        output.append(contentsOf: prefixes[prefixes.count - 2])
        TextFormat.appendValue(sum, to: &output)
        output.append(contentsOf: prefixes[prefixes.count - 1])
        TextFormat.appendValue(cumulative, to: &output)
    }
}
