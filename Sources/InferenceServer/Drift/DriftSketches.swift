// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
internal import Synchronization

/// The sketches of one model's readings: each scorer counts into one of its own.
///
/// - Note: Thread-safe.
final class DriftSketches: Sendable {
    /// A scorer's sketch.
    ///
    /// The scorer never waits for the lock: a row that comes while a window is collected is left
    /// out.
    final class Part: Sendable {
        struct Content: Sendable {
            var sketch: FleetSketch
            /// Rows of this window.
            var rowCount = 0
        }

        let content: Mutex<Content>

        init(_ shape: SketchShape) {
            content = Mutex(Content(sketch: FleetSketch(shape)))
        }
    }

    private let shape: SketchShape
    private let parts = Mutex<[Part]>([])

    init(_ shape: SketchShape) { self.shape = shape }

    /// A tap for a scorer.
    func makeTap() -> DriftTap {
        let part = Part(shape)
        parts.withLock { $0.append(part) }
        return DriftTap(part)
    }

    /// What has been counted since the last call.
    func collect() -> FleetSketch {
        var sum = FleetSketch(shape)
        parts.withLock { parts in
            var kept: [Part] = []
            while var part = parts.popLast() {
                let isUsed = !isKnownUniquelyReferenced(&part)
                part.content.withLock { content in
                    sum.merge(content.sketch)
                    content.sketch.reset()
                    content.rowCount = 0
                }
                // What a scorer leaves behind that has gone is counted once more and forgotten.
                if isUsed { kept.append(part) }
            }
            parts = kept
        }
        return sum
    }
}

/// Puts a scorer's rows into its sketch: all while they are few, the more there are the fewer.
struct DriftTap {
    /// Rows of a window after which one in two goes in, after twice as many one in three, and so
    /// on.
    private static let rowsPerStep = 128

    private let part: DriftSketches.Part
    /// Rows to pass over.
    private var skipped = 0
    private var random: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(_ part: DriftSketches.Part) { self.part = part }

    /// Whether one of the next rows, as many as that, is to go in; else they have been passed over.
    mutating func isDue(_ rowCount: Int) -> Bool {
        if skipped < rowCount { return true }
        skipped -= rowCount
        return false
    }

    /// Takes note of a block of scored rows, whose scaled features and logits follow each other.
    mutating func take(
        _ block: Range<Int>,
        _ rows: borrowing ReadingRows,
        _ outcomes: [RowPredictor.Outcome],
        _ features: [Float],
        _ logits: [Float]
    ) {
        var index = block.lowerBound + skipped
        let width = features.count / block.count
        while index < block.upperBound {
            let place = index - block.lowerBound
            if isCounted(index, rows, outcomes) {
                let machine = hash(rows.ids.span.extracting(rows.rows[index].id))
                let values = features.span
                let taken = part.content.withLockIfAvailable { content in
                    content.sketch.add(
                        values,
                        at: place * width,
                        score: logits[place],
                        machine: machine
                    )
                    content.rowCount += 1
                    return content.rowCount
                }
                index += pause(after: taken ?? 0)
            }
            index += 1
        }
        skipped = index - block.upperBound
    }

    /// Whether a row is one that its machine's record took in.
    private func isCounted(
        _ index: Int,
        _ rows: borrowing ReadingRows,
        _ outcomes: [RowPredictor.Outcome]
    ) -> Bool {
        guard rows.refused.isEmpty || rows.refused[index] == nil else { return false }
        let admission = outcomes[index].admission
        return admission == .inOrder || admission == .late
    }

    /// A hash of a machine; rows without one are each taken for a machine of their own.
    private mutating func hash(_ id: Span<UInt8>) -> UInt64 {
        guard !id.isEmpty else { return next() }
        // FNV-1a, whose upper bits a last step mixes with the lower ones.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in id.indices { hash = (hash ^ UInt64(id[index])) &* 0x0000_0100_0000_01B3 }
        return (hash ^ hash >> 32) &* 0x9E37_79B9_7F4A_7C15
    }

    /// How many rows to pass over: at random, or machines that take turns would be left out.
    private mutating func pause(after rowCount: Int) -> Int {
        let mean = rowCount / Self.rowsPerStep
        return mean == 0 ? 0 : Int(next() >> 33) % (2 * mean + 1)
    }

    /// Marsaglia's xorshift.
    private mutating func next() -> UInt64 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random
    }
}
