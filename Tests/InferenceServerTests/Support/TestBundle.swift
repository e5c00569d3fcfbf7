// SPDX-License-Identifier: MIT

import Features
import JSON
import ModelRuntime
import Platform
import Testing

/// A directory of its own under the system's temporary one, removed with its owner.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = "/tmp/pdm-service-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(path)
    }

    deinit { try? FileAccess.remove(path) }
}

/// Small bundles with fixed weights.
enum TestBundle {
    static let firstVersion = "20260101_000000"
    static let secondVersion = "20260201_000000"

    /// Writes a bundle; `bias` moves all its probabilities, so that versions can be told apart.
    ///
    /// One that `explodes` has no finite answer to readings far from the usual ones. Only those of
    /// the standard network may have a fleet.
    @discardableResult
    static func write(
        to directory: String,
        version: String = firstVersion,
        model: String = "pump",
        schema: Schema = .standard,
        spec: FeatureSpec = .standard,
        hidden: [Int] = [8],
        bias: Float = 0,
        horizonHours: Double? = 24,
        threshold: Double = 0.5,
        riskLevels: RiskLevels = RiskLevels(),
        backgroundCount: Int = 0,
        alarm: AlarmRule? = nil,
        hasFleet: Bool = false,
        explodes: Bool = false
    ) throws -> LoadedModel {
        precondition(!hasFleet || hidden == [8] && bias == 0 && !explodes)
        let transform = try transform(schema, spec)
        let layers = layers(inputs: transform.features.count, hidden: hidden)
        var tensors = tensors(layers, bias: bias)
        if explodes {
            let last = layers.count - 1
            tensors[last].weight = tensors[last].weight.map { $0 < 0 ? -1e38 : 1e38 }
        }
        let engine = try FeatureEngine(transform)
        let network = try Network(layers: layers, tensors: tensors)
        let reading = GoldenCase.Reading(
            timestamp: 1_767_225_600_000_000,
            values: schema.sensors.map { $0.kind == .category ? 0 : 1 }
        )
        let manifest = Manifest(
            model: model,
            version: try #require(BundleVersion(version)),
            createdMicroseconds: 1_767_225_600_000_000,
            framework: "test",
            transform: transform,
            layers: layers,
            horizonHours: horizonHours,
            threshold: threshold,
            riskLevels: riskLevels,
            alarm: alarm,
            trainingData: Manifest.TrainingData(
                sha256: String(repeating: "0", count: 64),
                rowCount: 100
            ),
            evaluation: JSONObject()
        )
        let row = [Float](repeating: 0, count: transform.features.count)
        return try BundleWriter.write(
            BundleContents(
                manifest: manifest,
                members: [tensors],
                reference: ReferenceData(
                    featureCount: transform.features.count,
                    sample: row,
                    quantiles: row + row,
                    fleet: hasFleet ? try fleet.get() : nil
                ),
                golden: [
                    GoldenCase(history: [], reading: reading, engine: engine, network: network)
                ],
                background: background(schema, count: backgroundCount),
                evaluation: JSONObject()
            ),
            to: directory
        )
    }

    /// What the standard network makes of a fleet, counted once for all tests.
    private static let fleet = Result {
        let transform = try Self.transform(.standard, .standard)
        let layers = Self.layers(inputs: transform.features.count, hidden: [8])
        let network = try Network(layers: layers, tensors: tensors(layers, bias: 0))
        return try TestFleet.counts(transform, network)
    }

    private static func layers(inputs: Int, hidden: [Int]) -> [Layer] {
        var layers: [Layer] = []
        for outputs in hidden + [1] {
            let inputs = layers.last?.outputs ?? inputs
            let activation: Layer.Activation = outputs == 1 ? .sigmoid : .relu
            layers.append(Layer(inputs: inputs, outputs: outputs, activation: activation))
        }
        return layers
    }

    /// A spec fitted to nothing: means of 0 to 100, scales of 50.
    static func transform(_ schema: Schema, _ spec: FeatureSpec) throws -> FeatureTransform {
        let features = try spec.resolved(for: schema)
        return FeatureTransform(
            schema: schema,
            layout: StateLayout(
                features: features,
                paneSeconds: spec.paneSeconds,
                ranges: schema.sensors.map { $0.range ?? 0...1000 }
            ),
            specName: spec.name,
            forwardFill: true,
            cleaning: schema.sensors.map { _ in
                FeatureTransform.Cleaning(imputed: 50, clip: nil)
            },
            features: features,
            scaling: features.map { _ in FeatureTransform.Scaling(center: 20, scale: 50) },
            scaledClip: 10
        )
    }

    /// Hourly readings of machines that differ in their level.
    private static func background(_ schema: Schema, count: Int) -> [BackgroundRecord] {
        (0..<count).map { machine in
            let readings = (0..<4).map { hour in
                GoldenCase.Reading(
                    timestamp: 1_767_225_600_000_000 + Int64(hour) * 3_600_000_000,
                    values: schema.sensors.map {
                        $0.kind == .category ? 0 : Double(20 + machine + hour)
                    }
                )
            }
            return BackgroundRecord(history: Array(readings.dropLast()), reading: readings[3])
        }
    }

    /// Weights from a fixed sequence, small enough that probabilities stay off 0 and 1.
    private static func tensors(_ layers: [Layer], bias: Float) -> [LayerTensors] {
        var seed: UInt32 = 1
        func next() -> Float {
            seed = seed &* 1_664_525 &+ 1_013_904_223
            return (Float(seed >> 8) / Float(1 << 24) - 0.5) * 0.2
        }
        return layers.enumerated().map { index, layer in
            LayerTensors(
                weight: (0..<layer.inputs * layer.outputs).map { _ in next() },
                bias: (0..<layer.outputs).map { _ in index == layers.count - 1 ? bias : next() }
            )
        }
    }
}
