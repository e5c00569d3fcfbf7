// SPDX-License-Identifier: MIT

/// Computes the rows of a second model from the readings that an engine takes in.
///
/// Both models have the same schema, layout and forward fill, so what the engine notes of a reading
/// holds for the other one too; only the windows that the other one looks at may be others. Those
/// are gathered with the engine's own, under the same lock and from the same record, which changes
/// once.
package struct CompanionRows: ~Copyable {
    private let engine: FeatureEngine
    private var scratch: FeatureScratch
    private let hasOwnWindows: Bool

    /// Prepares for a model; `main` is the working memory of the engine that takes the readings in.
    package init(of engine: FeatureEngine, beside main: inout FeatureScratch) {
        self.engine = engine
        scratch = engine.makeScratch()
        hasOwnWindows = scratch.statistics.paneCounts != main.statistics.paneCounts
        main.further = hasOwnWindows ? [scratch.statistics] : []
    }

    /// Takes over what was noted of the reading that `main` observed last; its row must not have
    /// been finished.
    package mutating func take(_ main: borrowing FeatureScratch) {
        for sensor in scratch.values.indices {
            scratch.values[sensor] = main.values[sensor]
            scratch.previous[sensor] = main.previous[sensor]
        }
        for gauge in scratch.measured.indices { scratch.measured[gauge] = main.measured[gauge] }
        for place in scratch.sinceStart.indices {
            scratch.sinceStart[place] = main.sinceStart[place]
        }
        scratch.hoursSincePrevious = main.hoursSincePrevious
        scratch.timestamp = main.timestamp
        scratch.regime = main.regime
        if hasOwnWindows {
            scratch.statistics.take(main.further[0])
        } else {
            scratch.statistics.take(main.statistics)
        }
    }

    /// What was taken over, for an explanation; finishing the row makes it unusable.
    package var observed: ObservedReading { scratch.observed }

    /// Computes the row and appends it.
    package mutating func appendRow(to rows: inout [Float]) {
        engine.finishRow(&scratch)
        rows.append(contentsOf: scratch.row)
    }
}
