// SPDX-License-Identifier: MIT

import FoundationEssentials
import ModelRuntime
import Platform

/// Networks and their answers by numpy, from Fixtures/golden_network.json.
struct GoldenNetwork: Decodable {
    struct GoldenLayer: Decodable {
        var inputs: Int
        var outputs: Int
        var activation: String
        var weight: [Float]
        var bias: [Float]
        var position: String?
        var epsilon: Double?
        var gamma: [Float]?
        var beta: [Float]?
        var mean: [Float]?
        var variance: [Float]?
    }
    private struct File: Decodable { var cases: [GoldenNetwork] }

    var name: String
    var layers: [GoldenLayer]
    var rows: [Float]
    var logits: [Double]
    var probabilities: [Double]

    static func read() throws -> [GoldenNetwork] {
        let folder = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        let path = "/\(folder)/Fixtures/golden_network.json"
        let data = try Data(contentsOf: URL(filePath: path))
        return try JSONDecoder().decode(File.self, from: data).cases
    }

    func network(_ variant: KernelVariant) throws -> Network {
        try Network(
            layers: layers.map { layer in
                let position = layer.position.flatMap(Layer.Normalization.Position.init)
                return Layer(
                    inputs: layer.inputs,
                    outputs: layer.outputs,
                    activation: Layer.Activation(rawValue: layer.activation) ?? .identity,
                    normalization: position.map {
                        Layer.Normalization(epsilon: layer.epsilon ?? 0, position: $0)
                    }
                )
            },
            tensors: layers.map { layer in
                LayerTensors(
                    weight: layer.weight,
                    bias: layer.bias,
                    gamma: layer.gamma ?? [],
                    beta: layer.beta ?? [],
                    mean: layer.mean ?? [],
                    variance: layer.variance ?? []
                )
            },
            variant: variant
        )
    }
}

extension Network {
    /// The logits of whole rows, with scratch of its own.
    func logits(_ rows: [Float]) -> [Float] {
        var logits = [Float](repeating: .nan, count: rows.count / inputs)
        let scratch = ForwardScratch(for: self)
        var span = logits.mutableSpan
        forward(rows: rows.span, into: &span, scratch: scratch)
        return logits
    }
}

/// Layers with weights made from a simple sequence.
enum SampleNetwork {
    static func layers(_ sizes: [Int], _ activation: Layer.Activation = .relu) -> [Layer] {
        zip(sizes, sizes.dropFirst()).map { inputs, outputs in
            Layer(
                inputs: inputs,
                outputs: outputs,
                activation: outputs == 1 ? .sigmoid : activation
            )
        }
    }

    static func tensors(_ layers: [Layer]) -> [LayerTensors] {
        var noise = Noise()
        return layers.map { layer in
            let scale = 1.5 / Float(layer.inputs).squareRoot()
            return LayerTensors(
                weight: noise.floats(layer.inputs * layer.outputs).map { $0 * scale },
                bias: noise.floats(layer.outputs)
            )
        }
    }
}

/// Floats in -1...1 from a linear congruence: tests of this module know no other generator.
struct Noise {
    private var state: UInt64 = 0x1234_5678_9abc_def1

    mutating func float() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 32)) / 0x1p31
    }

    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in float() } }
}
