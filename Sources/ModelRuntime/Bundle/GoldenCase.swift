// SPDX-License-Identifier: MIT

package import Features

/// A reading with its history and the answer that the model must give: the self-test at load.
package struct GoldenCase: Sendable {
    /// A reading of all sensors.
    package struct Reading: Sendable {
        /// Microseconds since the epoch.
        package var timestamp: Int64
        /// One value per sensor of the schema; NaN is missing, a category the index of its name.
        package var values: [Double]

        /// Describes a reading.
        package init(timestamp: Int64, values: [Double]) {
            self.timestamp = timestamp
            self.values = values
        }
    }

    /// The largest difference of the logit that passes; other CPUs and frameworks sum in other
    /// orders, which costs less than a tenth of this.
    package static let logitTolerance: Float = 1e-3
    /// The largest difference of a scaled feature that passes, relative to the larger of 1 and it.
    package static let featureTolerance: Float = 1e-5

    /// The machine's readings before, in the order of their arrival.
    package var history: [Reading]
    /// The reading that is answered.
    package var reading: Reading
    /// The scaled row that the network must be given.
    package var features: [Float]
    /// The log-odds that it must answer.
    package var logit: Float

    /// Describes a case.
    package init(history: [Reading], reading: Reading, features: [Float], logit: Float) {
        self.history = history
        self.reading = reading
        self.features = features
        self.logit = logit
    }

    /// Makes the case whose expected answer is what this engine and network give.
    package init(
        history: [Reading],
        reading: Reading,
        engine: FeatureEngine,
        network: Network
    ) {
        self.init(history: history, reading: reading, features: [], logit: 0)
        (features, logit) = answer(engine, network)
    }

    /// Computes the answer in a record of its own and compares it.
    ///
    /// - Throws: ``BundleError/golden(index:what:expected:actual:)`` with the case's `index`.
    package func check(
        index: Int,
        engine: FeatureEngine,
        network: Network
    ) throws(BundleError) {
        let (row, answered) = answer(engine, network)
        for (column, expected) in features.enumerated() {
            let tolerance = Self.featureTolerance * max(1, expected.magnitude)
            guard (row[column] - expected).magnitude <= tolerance else {
                throw .golden(
                    index: index,
                    what: engine.transform.features[column].name(in: engine.transform.schema),
                    expected: expected,
                    actual: row[column]
                )
            }
        }
        guard (answered - logit).magnitude <= Self.logitTolerance else {
            throw .golden(index: index, what: "logit", expected: logit, actual: answered)
        }
    }

    private func answer(
        _ engine: FeatureEngine,
        _ network: Network
    ) -> (row: [Float], logit: Float) {
        var scratch = engine.makeScratch()
        var words = [UInt64](repeating: 0, count: engine.records.wordCount)
        var record = words.mutableSpan
        let id: [UInt8] = []
        engine.records.reset(&record, at: 0, id: id.span)
        for reading in history + [reading] {
            scratch.values = reading.values
            let time = ReadingTime(
                timestamp: reading.timestamp,
                isTimestamped: true,
                arrival: reading.timestamp
            )
            if engine.transform.schema.hasState {
                _ = engine.observe(time, in: &record, at: 0, scratch: &scratch)
            } else {
                engine.observeAlone(time, scratch: &scratch)
            }
        }
        engine.finishRow(&scratch)
        var logits: [Float] = [0]
        var output = logits.mutableSpan
        let forward = ForwardScratch(for: network)
        network.forward(rows: scratch.row.span, into: &output, scratch: forward)
        return (scratch.row, logits[0])
    }
}
