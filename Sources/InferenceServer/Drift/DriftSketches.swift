// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
internal import Platform

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
            /// The rows and machines, and the values of earlier ones.
            var sketch: FleetSketch
            /// The values of the rows.
            var counts: BorderCounts
            /// Rows of this window.
            var rowCount = 0

            /// Counts a row.
            mutating func add(_ values: Span<Float>, at start: Int, score: Float, machine: UInt64) {
                let group = sketch.note(values, at: start, machine: machine)
                counts.add(values, at: start, last: score, group: group)
                rowCount += 1
            }

            /// What has been counted, which is then forgotten.
            mutating func take() -> FleetSketch {
                var taken = sketch
                if rowCount > 0 { taken.addAbove(counts.above) }
                sketch.reset()
                counts.reset()
                rowCount = 0
                return taken
            }
        }

        let content: Lock<Content>

        /// Goes on with a sketch, or begins with an empty one.
        init(_ sketch: FleetSketch, _ counts: BorderCounts) {
            content = Lock(Content(sketch: sketch, counts: counts))
        }
    }

    /// How rows are counted.
    let shape: SketchShape
    private let counts: BorderCounts
    private let parts = Lock<[Part]>([])

    init(_ shape: SketchShape) {
        self.shape = shape
        counts = BorderCounts(borders: shape.paddedBorders, groupCount: SketchShape.groupCount)
    }

    /// A tap for a scorer.
    func makeTap() -> DriftTap {
        let part = Part(FleetSketch(shape), counts)
        parts.withLock { $0.append(part) }
        return DriftTap(part)
    }

    /// Adds what was counted before.
    func add(_ sketch: FleetSketch) {
        // A part that no scorer holds is counted once and forgotten.
        parts.withLock { $0.append(Part(sketch, counts)) }
    }

    /// What has been counted since the last call.
    func collect() -> FleetSketch {
        var sum = FleetSketch(shape)
        parts.withLock { parts in
            var kept: [Part] = []
            while var part = parts.popLast() {
                let isUsed = !isKnownUniquelyReferenced(&part)
                sum.merge(part.content.withLock { $0.take() })
                // What a scorer leaves behind that has gone is counted once more and forgotten.
                if isUsed { kept.append(part) }
            }
            parts = kept
        }
        return sum
    }
}

/// Puts a scorer's rows into its sketch: one in two, and the more there are the fewer.
struct DriftTap {
    /// Rows that are passed over on average between two that go in: a machine's readings resemble
    /// each other, and all of them would cost more than they tell.
    private static let pauseMin = 1
    /// Rows of a window after each of which, from the second time on, one more is passed over.
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
                    content.add(
                        values,
                        at: place * width,
                        score: logits[place],
                        machine: machine
                    )
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
        let mean = max(Self.pauseMin, rowCount / Self.rowsPerStep)
        return Int(next() >> 33) % (2 * mean + 1)
    }

    /// Marsaglia's xorshift.
    private mutating func next() -> UInt64 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random
    }
}
