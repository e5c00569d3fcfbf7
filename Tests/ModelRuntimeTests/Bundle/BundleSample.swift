// SPDX-License-Identifier: MIT

import Features
import JSON
import ModelRuntime

/// A small model with all that a bundle can hold: two sensors, four features, layers 4-2-1.
enum BundleSample {
    static let version = sampleVersion("20260102_030405")

    static let transform = FeatureTransform(
        schema: Schema(
            name: "press",
            entityColumn: "equipment_id",
            time: Schema.TimeColumn(column: "timestamp", unit: .rfc3339),
            sensors: [
                Sensor(name: "temperature", unit: "degC", range: -50...250),
                Sensor(name: "mode", kind: .category, categories: ["idle", "press"]),
            ],
            label: .column("failure"),
            horizonHours: 24
        ),
        layout: StateLayout(
            paneSeconds: 3600,
            paneCount: 6,
            gauges: [
                StateLayout.Gauge(
                    sensor: 0,
                    range: -50...250,
                    keepsSquares: true,
                    keepsMaximum: false
                )
            ]
        ),
        specName: "sample",
        forwardFill: true,
        cleaning: [
            FeatureTransform.Cleaning(imputed: 70, clip: 0...200),
            FeatureTransform.Cleaning(imputed: 0, clip: nil),
        ],
        features: [
            .raw(sensor: 0),
            .category(sensor: 1, index: 1),
            .window(.mean, sensor: 0, hours: 6),
            .window(.standardDeviation, sensor: 0, hours: 6),
        ],
        scaling: [
            FeatureTransform.Scaling(center: 70, scale: 10),
            FeatureTransform.Scaling(center: 0, scale: 1),
            FeatureTransform.Scaling(center: 70, scale: 8),
            FeatureTransform.Scaling(center: 1.5, scale: 2.25),
        ],
        scaledClip: 10
    )

    static let layers = [
        Layer(
            inputs: 4,
            outputs: 2,
            activation: .relu,
            normalization: Layer.Normalization(epsilon: 1e-3, position: .beforeActivation)
        ),
        Layer(inputs: 2, outputs: 1, activation: .sigmoid),
    ]

    static let tensors = [
        LayerTensors(
            weight: [0.5, -0.25, 0.125, 0.75, -0.5, 1, 0.3, 0.2],
            bias: [0.1, -0.1],
            gamma: [1.5, 0.5],
            beta: [0.25, 0],
            mean: [0.2, -0.3],
            variance: [0.9, 1.1]
        ),
        LayerTensors(weight: [1.25, -0.75], bias: [-0.5]),
    ]

    static var manifest: Manifest {
        var evaluation = JSONObject()
        evaluation["pr_auc"] = 0.875
        return Manifest(
            model: "press",
            version: version,
            createdMicroseconds: version.microseconds,
            framework: "pdm",
            transform: transform,
            layers: layers,
            horizonHours: 24,
            trainingData: Manifest.TrainingData(
                sha256: String(repeating: "0a", count: 32),
                rowCount: 1000
            ),
            evaluation: evaluation
        )
    }

    static let reference = ReferenceData(
        featureCount: 4,
        sample: [0, 1, 0.5, -0.5, 1, 0, 0.25, 0.75],
        quantiles: [-2, 0, -1, -0.5, 0, 0, 0.5, 0.25, 2, 1, 1.5, 3]
    )

    /// A warm machine with a missing value and an unknown mode, and a machine's first reading.
    static func golden() throws -> [GoldenCase] {
        let engine = try FeatureEngine(transform)
        let network = try Network(layers: layers, tensors: tensors)
        let start = version.microseconds
        let history = [(71.5, 0), (.nan, 1), (74.25, 1), (90, .nan)].enumerated()
            .map { hour, values in
                GoldenCase.Reading(
                    timestamp: start + Int64(hour) * 3_600_000_000,
                    values: [values.0, values.1]
                )
            }
        let last = GoldenCase.Reading(timestamp: start + 14_400_500_000, values: [88.5, 1])
        let first = GoldenCase.Reading(timestamp: start, values: [65, 0])
        return [
            GoldenCase(history: history, reading: last, engine: engine, network: network),
            GoldenCase(history: [], reading: first, engine: engine, network: network),
        ]
    }

    /// The same with two members, the second one half as sure, and a calibration.
    static func memberContents() throws -> BundleContents {
        var second = tensors
        second[1].weight = second[1].weight.map { $0 / 2 }
        var contents = try contents()
        contents.members = [tensors, second]
        contents.manifest.memberCount = 2
        contents.manifest.calibration = .platt(slope: 1.25, offset: -0.5)
        let engine = try FeatureEngine(transform)
        let network = try Network(layers: layers, members: contents.members)
        contents.golden = contents.golden.map { golden in
            GoldenCase(
                history: golden.history,
                reading: golden.reading,
                engine: engine,
                network: network,
                calibration: contents.manifest.calibration
            )
        }
        return contents
    }

    /// The same with background records, one without history.
    static func explainedContents() throws -> BundleContents {
        var contents = try memberContents()
        contents.background = contents.golden.map { golden in
            BackgroundRecord(history: golden.history, reading: golden.reading)
        }
        return contents
    }

    /// The same with a rule for alarms.
    static func alarmContents() throws -> BundleContents {
        var contents = try explainedContents()
        contents.manifest.alarm = AlarmRule(raise: 0.5, clear: 0.25, needed: 3, of: 5)
        return contents
    }

    static func contents(_ manifest: Manifest = manifest) throws -> BundleContents {
        var evaluation = JSONObject()
        evaluation["format"] = 1
        evaluation["pr_auc"] = 0.875
        return BundleContents(
            manifest: manifest,
            members: [tensors],
            reference: reference,
            golden: try golden(),
            evaluation: evaluation
        )
    }
}

/// The version with this text, which the test knows to be one.
func sampleVersion(_ text: String) -> BundleVersion {
    guard let version = BundleVersion(text) else { preconditionFailure("\(text) is no version") }
    return version
}
