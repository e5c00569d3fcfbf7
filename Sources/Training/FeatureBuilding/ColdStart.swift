// SPDX-License-Identifier: MIT

package import Features

/// Chooses rows whose features are computed as if their machine had just started.
///
/// A machine's time is cut into stretches as long as the longest window, from a random moment on.
/// So many of them, chosen at random, begin with an empty record; in these the windows are filled
/// from nothing to the whole, evenly. The choice depends on the seed, the machine's name and its
/// first reading alone.
package struct ColdStart: Equatable, Sendable {
    /// The share of stretches that begin with an empty record, 0 to 1.
    package let share: Double
    private let stretch: Int64
    private let seed: UInt64

    /// Describes a choice for an engine's windows; nil where nothing is to be cut.
    package init?(share: Double, transform: FeatureTransform, seed: UInt64 = 42) {
        guard share > 0, transform.schema.hasState, let hours = transform.windowHours.last else {
            return nil
        }
        self.share = share
        self.seed = seed
        stretch = Int64(hours) * Timestamp.microsecondsPerHour
    }

    /// The stretches of a machine whose first reading is of this time.
    func machine(named name: String, first timestamp: Int64) -> Machine {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var generator = SeededGenerator(seed: seed, stream: hash)
        let offset = Int64(generator.uniform(below: Int(stretch)))
        return Machine(start: timestamp - offset, stretch: stretch, share: share, generator)
    }

    /// The stretches of one machine, asked for in the order of time.
    struct Machine {
        private let share: Double
        private let stretch: Int64
        private var end: Int64
        private var generator: SeededGenerator
        /// Whether the record of the current stretch began empty.
        private(set) var isCold = false

        init(start: Int64, stretch: Int64, share: Double, _ generator: SeededGenerator) {
            self.share = share
            self.stretch = stretch
            self.generator = generator
            end = start
        }

        /// Goes on to the stretch of a reading; true where a new cold one begins.
        mutating func advance(to timestamp: Int64) -> Bool {
            guard timestamp >= end else { return false }
            end += ((timestamp - end) / stretch + 1) * stretch
            isCold = generator.uniform() < share
            return isCold
        }
    }
}

/// A machine's record as it would be had the machine started with its current stretch.
struct CutHistory {
    private let coldStart: ColdStart?
    private let engine: FeatureEngine
    private var machine: ColdStart.Machine?
    private var record: [UInt64] = []

    init(_ coldStart: ColdStart?, _ engine: FeatureEngine) {
        self.coldStart = coldStart
        self.engine = engine
        if coldStart != nil { record = Array(repeating: 0, count: engine.records.wordCount) }
    }

    /// Goes on to a machine whose first reading is of this time.
    mutating func begin(_ name: String, first timestamp: Int64) {
        machine = coldStart?.machine(named: name, first: timestamp)
    }

    /// Whether the reading of this time is answered from the short history.
    mutating func isCold(at timestamp: Int64) -> Bool {
        guard machine != nil else { return false }
        if machine?.advance(to: timestamp) == true {
            let engine = engine
            var words = record.mutableSpan
            engine.records.reset(&words, at: 0, id: [UInt8]().span)
        }
        return machine?.isCold == true
    }

    /// Takes the reading in `scratch.values` into the short history.
    mutating func observe(_ time: ReadingTime, scratch: inout FeatureScratch) {
        let engine = engine
        var words = record.mutableSpan
        _ = engine.observe(time, in: &words, at: 0, scratch: &scratch)
    }
}
