// SPDX-License-Identifier: MIT

import ModelRuntime
import Platform
import Testing

@testable import Training

/// Gradients of the trainer against central differences of the loss in Double.
struct GradientTests {
    /// The loss of a batch by the scalar reference, as a function of all parameters.
    private struct ReferenceLoss {
        let inputs: Int
        let options: TrainerOptions
        let dropoutSeed: UInt64
        let rows: [Double]
        let labels: [UInt8]
        let weights: (Double, Double)

        func callAsFunction(_ tensors: [[String: [Double]]]) -> Double {
            var a = rows
            var width = inputs
            for (index, size) in options.hiddenSizes.enumerated() {
                let layer = tensors[index]
                let z = ScalarReference.multiply(
                    a,
                    layer["weight"] ?? [],
                    m: labels.count,
                    k: width,
                    n: size
                )
                a =
                    ScalarReference.normalize(
                        z,
                        gamma: layer["gamma"] ?? [],
                        beta: layer["beta"] ?? [],
                        epsilon: options.normalizationEpsilon,
                        dropout: DropoutMask(
                            rate: options.dropout,
                            seed: dropoutSeed &* (2 * UInt64(index) + 0x9e37_79b9_7f4a_7c15)
                        )
                    ).output
                width = size
            }
            let last = tensors[tensors.count - 1]
            let weight = last["weight"] ?? []
            var loss = 0.0
            for (row, label) in labels.enumerated() {
                var logit = last["bias"]?[0] ?? 0
                for column in 0..<width { logit += a[row * width + column] * weight[column] }
                let sample = PortableMath.softplus(label == 1 ? -logit : logit)
                loss += (label == 1 ? weights.1 : weights.0) * sample
            }
            return loss
        }
    }

    private func tensors(_ state: TrainingState) -> [[String: [Double]]] {
        state.tensors.map { layer in
            Dictionary(
                uniqueKeysWithValues: LayerTensors.Name.allCases.map {
                    ($0.rawValue, layer[$0].map(Double.init))
                }
            )
        }
    }

    /// The place of a tensor's element in the flat storage.
    private func place(_ state: TrainingState, _ layer: Int, _ name: String, _ index: Int) -> Int {
        guard layer < state.hidden.count else {
            return state.lastOffset + (name == "bias" ? state.lastWidth : index)
        }
        let hidden = state.hidden[layer]
        switch name {
        case "gamma": return hidden.gammaOffset + index
        case "beta": return hidden.betaOffset + index
        default:
            let (row, column) = index.quotientAndRemainder(dividingBy: hidden.outputs)
            return hidden.weightOffset + row * TrainingState.stride(hidden.outputs) + column
        }
    }

    // The mask's index counts padded columns, so widths with dropout are multiples of 32 here.
    @Test(
        arguments: KernelVariant.available,
        [
            (inputs: 5, hidden: [7, 33, 4], dropout: 0.0),
            (inputs: 6, hidden: [32, 64], dropout: 0.3),
            (inputs: 3, hidden: [], dropout: 0.0), (inputs: 40, hidden: [32], dropout: 0.5),
        ]
    )
    func equalCentralDifferences(
        variant: KernelVariant,
        network: (inputs: Int, hidden: [Int], dropout: Double)
    ) {
        let (inputs, hidden, dropout) = network
        var options = TrainerOptions()
        options.hiddenSizes = hidden
        options.dropout = dropout
        // Two slices, so that each half of the batch has a gradient of its own.
        let rowCount = 40
        options.batchSize = rowCount
        let state = TrainingState(inputs: inputs, options: options, kernels: Kernels(variant))
        var generator = SeededGenerator(seed: 8)
        state.start(with: &generator)
        for layer in state.hidden {
            for column in 0..<layer.outputs {
                state.parameters[layer.gammaOffset + column] = Float(1 + 0.3 * generator.normal())
                state.parameters[layer.betaOffset + column] = Float(0.3 * generator.normal())
            }
        }
        state.parameters[state.lastOffset + state.lastWidth] = 0.2
        let features = (0..<rowCount * inputs).map { _ in Float(generator.normal()) }
        let labels = (0..<rowCount).map { UInt8($0 % 3 == 0 ? 1 : 0) }
        let order = (0..<Int32(rowCount)).reversed().map { $0 }
        let block = TrainingBlock(
            features: features,
            labels: labels,
            order: order,
            places: 0..<rowCount,
            batchSize: rowCount,
            classWeights: (0.75, 1.5),
            dropoutSeeds: [77],
            rates: nil
        )
        let loss = WorkTeam.run(threadCount: 1) { state.run(block, &$0) }
        let reference = ReferenceLoss(
            inputs: inputs,
            options: options,
            dropoutSeed: 77,
            rows: order.flatMap { row in
                (0..<inputs).map { Double(features[Int(row) * inputs + $0]) }
            },
            labels: order.map { labels[Int($0)] },
            weights: (0.75, 1.5)
        )
        var parameters = tensors(state)
        #expect(abs(loss - reference(parameters)) <= 1e-4)
        for layer in parameters.indices {
            for name in ["weight", "gamma", "beta", "bias"] {
                if name == "bias", layer < state.hidden.count { continue }
                let count = parameters[layer][name]?.count ?? 0
                for index in Swift.stride(from: 0, to: count, by: max(1, count / 40)) {
                    let step = 1e-5
                    parameters[layer][name]?[index] += step
                    let above = reference(parameters)
                    parameters[layer][name]?[index] -= 2 * step
                    let below = reference(parameters)
                    parameters[layer][name]?[index] += step
                    let expected = (above - below) / (2 * step) / Double(rowCount)
                    let place = place(state, layer, name, index)
                    let actual = Double(state.gradients.0[place] + state.gradients.1[place])
                    // Float sums over 40 rows; a ReLU whose sign the step turns shifts differences.
                    #expect(
                        abs(actual - expected) <= 2e-5 + 2e-4 * abs(expected),
                        "layer \(layer) \(name)[\(index)] of \(network)"
                    )
                }
            }
        }
    }

    @Test(arguments: KernelVariant.available)
    func paddingStaysZero(variant: KernelVariant) {
        var options = TrainerOptions()
        options.hiddenSizes = [5, 3]
        options.batchSize = 16
        let state = TrainingState(inputs: 4, options: options, kernels: Kernels(variant))
        var generator = SeededGenerator(seed: 1)
        state.start(with: &generator)
        let features = (0..<16 * 4).map { _ in Float(generator.normal()) }
        let labels = (0..<16).map { UInt8($0 % 2) }
        let order = (0..<16).map { Int32($0) }
        let rate = state.adamRate(0.01, step: 1)
        let block = TrainingBlock(
            features: features,
            labels: labels,
            order: order,
            places: 0..<16,
            batchSize: 16,
            classWeights: (1, 1),
            dropoutSeeds: [1],
            rates: [rate]
        )
        for _ in 0..<5 { _ = WorkTeam.run(threadCount: 1) { state.run(block, &$0) } }
        for layer in state.hidden {
            for column in layer.outputs..<layer.width {
                #expect(state.parameters[layer.gammaOffset + column] == 0)
                #expect(state.parameters[layer.betaOffset + column] == 0)
                for row in 0..<layer.inputs {
                    let start = layer.weightOffset + row * TrainingState.stride(layer.outputs)
                    #expect(state.parameters[start + column] == 0)
                }
            }
        }
    }
}
