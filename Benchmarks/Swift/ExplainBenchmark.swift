// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import ModelRuntime
import Training

/// What an explanation costs, by the number of groups.
struct ExplainBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Times explanations of gauges with the standard windows, 32 background records."
    )

    @Option(help: "Seconds that each number of groups is measured for.")
    var seconds = 1.0

    func run() throws {
        for groups in [6, 8, 10, 12, 13, 24, 64] { try measure(groups) }
    }

    private func measure(_ groups: Int) throws {
        let engine = try engine(groups)
        var generator = SeededGenerator(seed: UInt64(groups))
        let records = (0..<BackgroundRecord.countMax).map { _ in record(groups, &generator) }
        let explainer = Explainer(
            engine: engine,
            network: try network(inputs: engine.transform.features.count, &generator),
            calibration: .identity,
            background: records
        )
        let reading = record(groups, &generator).observed(by: engine)
        var explanation: Explanation?
        let time = Stopwatch.shortest(seconds: seconds) { explanation = explainer.explain(reading) }
        guard let method = explanation?.method else { return }
        // Of each order, the first and the last coalition are scored too.
        let rows =
            switch method {
            case .exact(let count): count * records.count
            case .permutations(let count): count * (groups + 1)
            }
        report(
            "{\"groups\":\(groups),\"features\":\(engine.transform.features.count),"
                + "\"method\":\"\(method.name)\",\"rows\":\(rows),"
                + "\"milliseconds\":\(time * 1e3),\"us_per_row\":\(time * 1e6 / Double(rows))}"
        )
    }

    private func engine(_ groups: Int) throws -> FeatureEngine {
        let schema = Schema(
            name: "gauges",
            entityColumn: "machine",
            time: Schema.TimeColumn(column: "time", unit: .rfc3339),
            sensors: (0..<groups).map { Sensor(name: "s\($0)", range: 0...100) },
            label: .column("failure"),
            horizonHours: 24
        )
        let spec = FeatureSpec(
            name: "gauges",
            elements: [
                .raw(.all),
                .window([.mean, .standardDeviation, .maximum], hours: [6, 12, 24], .gauges),
                .rate(.gauges), .deviation(hours: 24, .gauges),
            ]
        )
        let features = try spec.resolved(for: schema)
        return try FeatureEngine(
            FeatureTransform(
                schema: schema,
                layout: StateLayout(
                    features: features,
                    paneSeconds: spec.paneSeconds,
                    ranges: schema.sensors.map(\.range)
                ),
                specName: spec.name,
                forwardFill: true,
                cleaning: schema.sensors.map { _ in .init(imputed: 50, clip: nil) },
                features: features,
                scaling: features.map { _ in .init(center: 50, scale: 50) },
                scaledClip: 10
            )
        )
    }

    private func network(
        inputs: Int,
        _ generator: inout SeededGenerator
    ) throws -> Network {
        let sizes = [inputs, 128, 64, 32, 1]
        let layers = zip(sizes, sizes.dropFirst()).map { inputs, outputs in
            Layer(inputs: inputs, outputs: outputs, activation: outputs == 1 ? .sigmoid : .relu)
        }
        let tensors = layers.map { layer in
            LayerTensors(
                weight: (0..<layer.inputs * layer.outputs).map { _ in
                    Float(generator.normal()) / Float(layer.inputs).squareRoot()
                },
                bias: Array(repeating: 0, count: layer.outputs)
            )
        }
        return try Network(layers: layers, tensors: tensors)
    }

    /// A day of hourly readings.
    private func record(_ groups: Int, _ generator: inout SeededGenerator) -> BackgroundRecord {
        var readings = (0..<24).map { hour in
            GoldenCase.Reading(
                timestamp: 1_767_225_600_000_000 + Int64(hour) * 3_600_000_000,
                values: (0..<groups).map { _ in 100 * generator.uniform() }
            )
        }
        let last = readings.removeLast()
        return BackgroundRecord(history: readings, reading: last)
    }
}
