// SPDX-License-Identifier: MIT

internal import Synchronization

/// One observation of a histogram that was traced: where to look for what made it.
package struct Exemplar: Equatable, Sendable {
    /// The trace: 128 bits, never 0.
    package let traceID: UInt128
    /// What was observed.
    package let value: Double
    /// When, in microseconds since the epoch.
    package let time: Int64

    /// Puts the parts together.
    package init(traceID: UInt128, value: Double, time: Int64) {
        self.traceID = traceID
        self.value = value
        self.time = time
    }

    /// Appends what stands behind a bucket's value, in OpenMetrics only.
    func append(to output: inout [UInt8]) {
        // OpenMetrics 1.0, Exemplars: ` # {labels} value timestamp`, the time in seconds.
        let digits = String(traceID, radix: 16)
        let zeros = String(repeating: "0", count: 32 - digits.utf8.count)
        let thousandths = String(time / 1000 % 1000 + 1000).dropFirst()
        let label = "trace_id=\"\(zeros)\(digits)\""
        let seconds = "\(time / 1_000_000).\(thousandths)"
        let text = " # {\(label)} \(TextFormat.spelling(of: value)) \(seconds)"
        output.append(contentsOf: text.utf8)
    }
}

/// The last exemplar of one bucket of one writer.
///
/// Writing takes no lock and allocates nothing: where two writers meet, one of them gives up. A
/// reader that meets a writer sees none.
final class ExemplarSlot: Sendable {
    // Odd while it is written; 0 before the first.
    private let version = Atomic<UInt64>(0)
    private let words = InlineArray<4, Atomic<UInt64>> { _ in Atomic(0) }

    func store(_ exemplar: Exemplar) {
        let before = version.load(ordering: .relaxed)
        guard before & 1 == 0,
            version.compareExchange(
                expected: before,
                desired: before &+ 1,
                ordering: .acquiring
            ).exchanged
        else { return }
        // Each store is releasing, so that who sees a new word sees the odd version too.
        words[0].store(UInt64(truncatingIfNeeded: exemplar.traceID), ordering: .releasing)
        words[1].store(UInt64(truncatingIfNeeded: exemplar.traceID >> 64), ordering: .releasing)
        words[2].store(exemplar.value.bitPattern, ordering: .releasing)
        words[3].store(UInt64(bitPattern: exemplar.time), ordering: .releasing)
        version.store(before &+ 2, ordering: .releasing)
    }

    func load() -> Exemplar? {
        let before = version.load(ordering: .acquiring)
        guard before != 0, before & 1 == 0 else { return nil }
        let low = words[0].load(ordering: .acquiring)
        let high = words[1].load(ordering: .acquiring)
        let value = words[2].load(ordering: .acquiring)
        let time = words[3].load(ordering: .acquiring)
        guard version.load(ordering: .relaxed) == before else { return nil }
        return Exemplar(
            traceID: UInt128(high) << 64 | UInt128(low),
            value: Double(bitPattern: value),
            time: Int64(bitPattern: time)
        )
    }
}
