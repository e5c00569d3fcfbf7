// SPDX-License-Identifier: MIT

internal import Synchronization

/// Counts observations in buckets with upper bounds, and sums them.
///
/// Updates take no lock and allocate nothing, from any thread. `_count` is the sum of the buckets
/// that the same scrape has read, so it always equals the bucket of `+Inf`. Where exemplars are
/// wanted, each bucket of each slot has room for the last one.
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
    /// By slot, then bucket; empty where none are kept.
    private let exemplars: [ExemplarSlot]

    /// Makes a histogram with one slot per concurrent writer; the bounds are finite and ascend.
    package init(bounds: [Double], slots: Int = 1, keepsExemplars: Bool = false) {
        precondition(slots > 0)
        precondition((1...Self.boundCountMax).contains(bounds.count))
        precondition(bounds.allSatisfy(\.isFinite), "the bucket of +Inf is added here")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.bounds = bounds
        shares = (0..<slots).map { _ in Share() }
        let room = keepsExemplars ? slots * (bounds.count + 1) : 0
        exemplars = (0..<room).map { _ in ExemplarSlot() }
    }

    /// Counts a value in the first bucket whose bound is not below it; NaN is not counted.
    package func observe(_ value: Double, slot: Int = 0) {
        if value.isNaN { return }
        let share = shares[slot]
        share.counts[bucket(of: value)].wrappingAdd(1, ordering: .relaxed)
        share.sum.addDouble(value)
    }

    /// Keeps what tells of a value that was observed, in the place of an earlier one.
    package func keep(_ exemplar: Exemplar, slot: Int = 0) {
        guard !exemplars.isEmpty, !exemplar.value.isNaN else { return }
        exemplars[slot * (bounds.count + 1) + bucket(of: exemplar.value)].store(exemplar)
    }

    private func bucket(of value: Double) -> Int {
        var bucket = 0
        while bucket < bounds.count, bounds[bucket] < value { bucket += 1 }
        return bucket
    }

    /// The newest exemplar of a bucket.
    private func exemplar(of bucket: Int) -> Exemplar? {
        stride(from: bucket, to: exemplars.count, by: bounds.count + 1)
            .compactMap { exemplars[$0].load() }
            .max { $0.time < $1.time }
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
    package func render(
        _ prefixes: [[UInt8]],
        _ format: ExpositionFormat,
        into output: inout [UInt8]
    ) {
        var cumulative: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            cumulative &+= count
            output.append(contentsOf: prefixes[bucket])
            TextFormat.appendValue(cumulative, to: &output)
            // The text format 0.0.4 has no place for it.
            if format == .openMetrics, let exemplar = exemplar(of: bucket) {
                output.removeLast()
                exemplar.append(to: &output)
                output.append(UInt8(ascii: "\n"))
            }
        }
        output.append(contentsOf: prefixes[prefixes.count - 2])
        TextFormat.appendValue(sum, to: &output)
        output.append(contentsOf: prefixes[prefixes.count - 1])
        TextFormat.appendValue(cumulative, to: &output)
    }
}
