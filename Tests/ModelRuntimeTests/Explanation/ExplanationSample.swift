// SPDX-License-Identifier: MIT

import Features
@testable import ModelRuntime
import TestSupport

/// A model of the standard schema, or a wider one, with readings made from a seed.
struct ExplanationSample {
    let engine: FeatureEngine
    let network: Network
    let calibration: Calibrator
    let background: [BackgroundRecord]
    /// Machines that are none of the background's.
    let machines: [[GoldenCase.Reading]]

    var explainer: Explainer {
        Explainer(
            engine: engine,
            network: network,
            calibration: calibration,
            background: background
        )
    }

    /// The standard features and sums since the start, without the windows' fill: that is the
    /// reading's own in every coalition, and mixed histories have another.
    static let spec: FeatureSpec = {
        var spec = FeatureSpec.standard
        spec.elements.removeAll { element in
            if case .windowFill = element { true } else { false }
        }
        spec.elements += [
            .sinceStart([.mean, .slope], .gauges), .difference("temperature", "current"),
            .power("vibration", exponent: 2),
        ]
        return spec
    }()

    init(
        schema: Schema = .standard,
        spec: FeatureSpec = Self.spec,
        calibration: Calibrator = .platt(slope: 1.25, offset: -0.5),
        backgroundCount: Int = 3,
        seed: UInt64
    ) throws {
        let features = try spec.resolved(for: schema)
        engine = try FeatureEngine(
            FeatureTransform(
                schema: schema,
                layout: StateLayout(
                    features: features,
                    paneSeconds: spec.paneSeconds,
                    ranges: schema.sensors.map(\.range)
                ),
                specName: spec.name,
                forwardFill: true,
                cleaning: schema.sensors.map { _ in .init(imputed: 20, clip: nil) },
                features: features,
                scaling: features.map { _ in .init(center: 20, scale: 40) },
                scaledClip: 10
            )
        )
        let layers = SampleNetwork.layers([features.count, 24, 8, 1])
        network = try Network(layers: layers, tensors: SampleNetwork.tensors(layers))
        self.calibration = calibration
        var generator = SplitMix(seed: seed)
        let start = sampleVersion("20260102_030405").microseconds
        background = (0..<backgroundCount).map { _ in
            var readings = Self.readings(schema, from: start, &generator)
            let last = readings.removeLast()
            return BackgroundRecord(history: readings, reading: last)
        }
        machines = (0..<3).map { _ in Self.readings(schema, from: start, &generator) }
    }

    /// Up to 30 hourly readings, some values of which are missing.
    private static func readings(
        _ schema: Schema,
        from start: Int64,
        _ generator: inout SplitMix
    ) -> [GoldenCase.Reading] {
        let count = Int.random(in: 3...30, using: &generator)
        let level = schema.sensors.map { sensor in
            Double.random(in: 0...60, using: &generator).clamped(to: sensor.range ?? 0...60)
        }
        return (0..<count).map { hour in
            GoldenCase.Reading(
                timestamp: start + Int64(hour - count) * 3_600_000_000,
                values: level.map { level in
                    Double.random(in: 0..<1, using: &generator) < 0.05
                        ? .nan : level * Double.random(in: 0.5...1, using: &generator)
                }
            )
        }
    }

    /// What the engine notes of a machine's last reading.
    func observed(_ readings: [GoldenCase.Reading]) -> ObservedReading {
        var scratch = engine.makeScratch()
        GoldenCase.Reading.observe(readings, engine: engine, scratch: &scratch)
        return scratch.observed
    }

    /// The log-odds of the last reading, by the way of any other prediction.
    func logOdds(_ readings: [GoldenCase.Reading]) -> Double {
        var scratch = engine.makeScratch()
        GoldenCase.Reading.observe(readings, engine: engine, scratch: &scratch)
        engine.finishRow(&scratch)
        return calibration.logOdds(ofLogit: network.logits(scratch.row)[0])
    }

    /// The worth of a coalition from whole histories, replayed: the machine's own columns for the
    /// sensors in it, those of each background record for the others, hour by hour before the last.
    func worth(_ present: Set<Int>, _ readings: [GoldenCase.Reading]) -> Double {
        let sum = background.reduce(0.0) { sum, record in
            let lent = record.history + [record.reading]
            let last = readings[readings.count - 1].timestamp
            let count = max(lent.count, readings.count)
            let mixed = (0..<count).map { index in
                let back = count - 1 - index
                let own = back < readings.count ? readings[readings.count - 1 - back].values : nil
                let other = back < lent.count ? lent[lent.count - 1 - back].values : nil
                return GoldenCase.Reading(
                    timestamp: last - Int64(back) * 3_600_000_000,
                    values: engine.transform.schema.sensors.indices.map { sensor in
                        (present.contains(sensor) ? own : other)?[sensor] ?? .nan
                    }
                )
            }
            return sum + logOdds(mixed)
        }
        return sum / Double(background.count)
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
    }
}
