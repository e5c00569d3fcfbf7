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

        /// Lets an engine take readings in order into a record of their own; `scratch` has what
        /// was noted of the last one.
        static func observe(
            _ readings: [Reading],
            engine: FeatureEngine,
            scratch: inout FeatureScratch
        ) {
            var words = [UInt64](repeating: 0, count: engine.records.wordCount)
            var record = words.mutableSpan
            let id: [UInt8] = []
            engine.records.reset(&record, at: 0, id: id.span)
            for (index, reading) in readings.enumerated() {
                scratch.values = reading.values
                let time = ReadingTime(
                    timestamp: reading.timestamp,
                    isTimestamped: true,
                    arrival: reading.timestamp
                )
                if !engine.transform.schema.hasState {
                    engine.observeAlone(time, scratch: &scratch)
                } else if index < readings.count - 1 {
                    engine.absorb(time, in: &record, at: 0, scratch: &scratch)
                } else {
                    _ = engine.observe(time, in: &record, at: 0, scratch: &scratch)
                }
            }
        }
    }

    /// The largest difference of the logit that passes; other CPUs and frameworks sum in other
    /// orders, which costs less than a tenth of this.
    package static let logitTolerance: Float = 1e-3
    /// The largest difference of a scaled feature that passes, relative to the larger of 1 and it.
    package static let featureTolerance: Float = 1e-5
    /// The largest difference of the probability that passes: what a sigmoid in single precision,
    /// as other frameworks have it, may be off.
    package static let probabilityTolerance = 1e-6

    /// The machine's readings before, in the order of their arrival.
    package var history: [Reading]
    /// The reading that is answered.
    package var reading: Reading
    /// The scaled row that the network must be given.
    package var features: [Float]
    /// The log-odds that it must answer.
    package var logit: Float
    /// The probability that calibration must make of that very logit; nil where nobody said.
    package var probability: Double?

    /// Describes a case.
    package init(
        history: [Reading],
        reading: Reading,
        features: [Float],
        logit: Float,
        probability: Double? = nil
    ) {
        self.history = history
        self.reading = reading
        self.features = features
        self.logit = logit
        self.probability = probability
    }

    /// Makes the case whose expected answer is what these give.
    package init(
        history: [Reading],
        reading: Reading,
        engine: FeatureEngine,
        network: Network,
        calibration: Calibrator = .identity
    ) {
        self.init(history: history, reading: reading, features: [], logit: 0)
        (features, logit) = answer(engine, network)
        probability = calibration.probability(ofLogit: logit)
    }

    /// Computes the answer in a record of its own and compares it.
    ///
    /// - Throws: ``BundleError/golden(index:what:expected:actual:)`` with the case's `index`.
    package func check(
        index: Int,
        engine: FeatureEngine,
        network: Network,
        calibration: Calibrator
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
        guard let probability else { return }
        let calibrated = calibration.probability(ofLogit: logit)
        guard abs(calibrated - probability) <= Self.probabilityTolerance else {
            throw .golden(
                index: index,
                what: "probability",
                expected: Float(probability),
                actual: Float(calibrated)
            )
        }
    }

    private func answer(
        _ engine: FeatureEngine,
        _ network: Network
    ) -> (row: [Float], logit: Float) {
        var scratch = engine.makeScratch()
        Reading.observe(history + [reading], engine: engine, scratch: &scratch)
        engine.finishRow(&scratch)
        var logits: [Float] = [0]
        var output = logits.mutableSpan
        let forward = ForwardScratch(for: network)
        network.forward(rows: scratch.row.span, into: &output, scratch: forward)
        return (scratch.row, logits[0])
    }
}
