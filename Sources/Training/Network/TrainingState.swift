// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// The parameters of a network in training with all that one step writes.
///
/// Matrices are row-major; every width is rounded up to 32 columns, which hold zeros and stay so,
/// and rows are one cache line further apart, so that a column does not meet the same cache sets.
// SAFETY: all but the floats is constant; members of a team write floats of their own share alone,
// and meet before one reads what another wrote.
final class TrainingState: @unchecked Sendable {
    /// Places of one hidden layer in the shared storage.
    struct HiddenLayer {
        let inputs: Int
        let outputs: Int
        /// `outputs` rounded up.
        let width: Int
        let weightOffset: Int
        let gammaOffset: Int
        let betaOffset: Int
        let view: NormalizationView
        /// z, later normalised; the output; and the gradient of either: [batch][width].
        let normalized: MatrixView
        let output: MatrixView
        let gradient: MatrixView
        /// W' of this layer, for the way back into the layer before.
        let transposed: MatrixView
        /// Mean and squared differences of z's columns.
        let moments: SliceSums
        /// What the gradients' columns add up to.
        let gradientSums: SliceSums
    }

    /// Makes floats or, where there are some, references to them, one after the other.
    private struct Storage {
        let shared: [AlignedFloats]
        var all: [AlignedFloats] = []

        init(shared: [AlignedFloats]) { self.shared = shared }

        mutating func floats(_ count: Int) -> AlignedFloats {
            let place = all.count
            let floats =
                place < shared.count
                ? AlignedFloats(sharing: shared[place]) : AlignedFloats(count: count)
            all.append(floats)
            return floats
        }

        mutating func matrix(_ rows: Int, _ columns: Int) -> MatrixView {
            let stride = TrainingState.stride(columns)
            let floats = floats(rows * stride)
            return MatrixView(floats, rows: rows, columns: columns, stride: stride)
        }

        mutating func sums(_ rows: Int, _ width: Int, _ size: Int) -> SliceSums {
            let count = SliceSums.count(rows: rows, width: width, size: size)
            return SliceSums(floats(count), width: width, size: size)
        }
    }

    let inputs: Int
    let options: TrainerOptions
    let kernels: Kernels
    let parameters: AlignedFloats
    /// The gradients by the first half of a batch and by the second.
    let gradients: (AlignedFloats, AlignedFloats)
    let hidden: [HiddenLayer]
    /// The rows of the batch: [batch][inputs].
    let batch: MatrixView
    /// w of the last layer, [inputs rounded up]; its bias follows.
    let lastOffset: Int
    let lastInputs: Int
    let lastWidth: Int
    /// dL/dlogit of the batch.
    let logitGradients: MatrixView
    /// The weighted loss of each row of the batch.
    let losses: AlignedFloats
    /// The rows of a slice, a function of the batch size alone.
    let sliceRows: Int
    /// Adam's moments.
    let first: AlignedFloats
    let second: AlignedFloats
    /// All of the above in the order of their making.
    private let storage: [AlignedFloats]

    static func padded(_ width: Int) -> Int { (width + 31) / 32 * 32 }
    static func stride(_ width: Int) -> Int { padded(width) + 16 }

    /// At least 32 rows, and no more than 16 slices.
    static func sliceRows(batchSize: Int) -> Int { max(32, (batchSize + 127) / 128 * 8) }

    /// Makes a network of zeros or, for another thread, references of its own to `shared`, which
    /// has the same inputs and options.
    init(
        inputs: Int,
        options: TrainerOptions,
        kernels: Kernels = Kernels(),
        sharing shared: TrainingState? = nil
    ) {
        self.inputs = inputs
        self.options = options
        self.kernels = kernels
        let rows = options.batchSize
        var storage = Storage(shared: shared?.storage ?? [])
        let offsets = Self.offsets(inputs: inputs, options.hiddenSizes)
        lastOffset = offsets.last
        lastInputs = options.hiddenSizes.last ?? inputs
        lastWidth = Self.padded(lastInputs)
        let count = lastOffset + lastWidth + 16
        parameters = storage.floats(count)
        gradients = (storage.floats(count), storage.floats(count))
        first = storage.floats(count)
        second = storage.floats(count)
        batch = storage.matrix(rows, inputs)
        logitGradients = storage.matrix(rows, 1)
        losses = storage.floats(rows)
        sliceRows = Self.sliceRows(batchSize: rows)
        var layers: [HiddenLayer] = []
        var before = inputs
        for (size, offset) in zip(options.hiddenSizes, offsets.hidden) {
            let width = Self.padded(size)
            let view = NormalizationView(
                parameters: parameters,
                gamma: offset.gamma,
                beta: offset.gamma + width,
                moments: storage.floats(3 * width)
            )
            layers.append(
                HiddenLayer(
                    inputs: before,
                    outputs: size,
                    width: width,
                    weightOffset: offset.weight,
                    gammaOffset: offset.gamma,
                    betaOffset: offset.gamma + width,
                    view: view,
                    normalized: storage.matrix(rows, width),
                    output: storage.matrix(rows, width),
                    gradient: storage.matrix(rows, width),
                    transposed: storage.matrix(size, Self.padded(before)),
                    moments: storage.sums(rows, width, sliceRows),
                    gradientSums: storage.sums(rows, width, sliceRows)
                )
            )
            before = size
        }
        hidden = layers
        self.storage = storage.all
    }

    /// Where each hidden layer's weights and scales stand among the parameters, and the last
    /// layer's weights.
    private static func offsets(
        inputs: Int,
        _ sizes: [Int]
    ) -> (hidden: [(weight: Int, gamma: Int)], last: Int) {
        var count = 0
        var hidden: [(weight: Int, gamma: Int)] = []
        var before = inputs
        for size in sizes {
            let weight = count
            count += before * stride(size)
            hidden.append((weight, count))
            count += 2 * padded(size)
            before = size
        }
        return (hidden, count)
    }

    /// Start weights: He-normal for the hidden layers, Glorot-uniform for the last, normalisations
    /// at 1 and 0, biases 0.
    ///
    /// The hidden layers have no bias of their own: beta takes its place.
    func start(with generator: inout SeededGenerator) {
        for layer in hidden {
            // As in Keras: cut at two standard deviations, rescaled to variance 2 / inputs.
            let deviation = (2 / Double(layer.inputs)).squareRoot() / 0.879_625_661_034_239_78
            for row in 0..<layer.inputs {
                for column in 0..<layer.outputs {
                    var value = generator.normal()
                    while abs(value) > 2 { value = generator.normal() }
                    let index = layer.weightOffset + row * Self.stride(layer.outputs) + column
                    parameters[index] = Float(value * deviation)
                }
            }
            for column in 0..<layer.outputs {
                parameters[layer.gammaOffset + column] = 1
                layer.view.moments[layer.width + column] = 1
            }
        }
        let limit = (6 / Double(lastInputs + 1)).squareRoot()
        for index in 0..<lastInputs {
            parameters[lastOffset + index] = Float((2 * generator.uniform() - 1) * limit)
        }
    }

    func weight(of layer: HiddenLayer, in floats: AlignedFloats) -> MatrixView {
        MatrixView(
            floats,
            offset: layer.weightOffset,
            rows: layer.inputs,
            columns: layer.width,
            stride: Self.stride(layer.outputs)
        )
    }
}

extension TrainingState {
    /// The layers as the bundle describes them.
    var layers: [Layer] {
        let normalization = Layer.Normalization(
            epsilon: options.normalizationEpsilon,
            position: .beforeActivation
        )
        let dense = hidden.map { layer in
            Layer(
                inputs: layer.inputs,
                outputs: layer.outputs,
                activation: .relu,
                normalization: normalization
            )
        }
        return dense + [Layer(inputs: lastInputs, outputs: 1, activation: .sigmoid)]
    }

    /// A copy of all tensors.
    var tensors: [LayerTensors] {
        func range(_ floats: AlignedFloats, _ start: Int, _ count: Int) -> [Float] {
            floats.floats(in: start..<start + count)
        }
        let dense = hidden.map { layer in
            var weight: [Float] = []
            weight.reserveCapacity(layer.inputs * layer.outputs)
            for row in 0..<layer.inputs {
                let start = layer.weightOffset + row * Self.stride(layer.outputs)
                weight += range(parameters, start, layer.outputs)
            }
            return LayerTensors(
                weight: weight,
                bias: [Float](repeating: 0, count: layer.outputs),
                gamma: range(parameters, layer.gammaOffset, layer.outputs),
                beta: range(parameters, layer.betaOffset, layer.outputs),
                mean: range(layer.view.moments, 0, layer.outputs),
                variance: range(layer.view.moments, layer.width, layer.outputs)
            )
        }
        let last = LayerTensors(
            weight: range(parameters, lastOffset, lastInputs),
            bias: [parameters[lastOffset + lastWidth]]
        )
        return dense + [last]
    }
}
