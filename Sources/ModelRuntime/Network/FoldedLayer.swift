// SPDX-License-Identifier: MIT

/// A dense layer with the batch normalisations around it folded into weight and bias.
struct FoldedLayer {
    var inputs: Int
    var outputs: Int
    var activation: Layer.Activation
    /// W[inputs][outputs].
    var weight: [Float]
    var bias: [Float]

    /// Folds in Double: a normalisation before the activation into its own layer, one after it into
    /// the next layer.
    ///
    /// - Throws: ``NetworkError`` where a variance is not positive or a result not finite.
    static func fold(
        _ layers: [Layer],
        _ tensors: [LayerTensors]
    ) throws(NetworkError) -> [FoldedLayer] {
        var folded: [FoldedLayer] = []
        // The affine map that the layer before leaves to this one: x -> x * scale + offset.
        var pending: (scale: [Double], offset: [Double])?
        for (index, layer) in layers.enumerated() {
            var weight = tensors[index].weight.map(Double.init)
            var bias = tensors[index].bias.map(Double.init)
            if let map = pending {
                apply(map, before: &weight, &bias)
                pending = nil
            }
            if let normalization = layer.normalization {
                let map = try affine(normalization, tensors[index], index)
                switch normalization.position {
                case .beforeActivation: apply(map, after: &weight, &bias)
                case .afterActivation: pending = map
                }
            }
            folded.append(
                FoldedLayer(
                    inputs: layer.inputs,
                    outputs: layer.outputs,
                    activation: layer.activation,
                    weight: try floats(weight, index, .weight),
                    bias: try floats(bias, index, .bias)
                )
            )
        }
        return folded
    }

    private static func affine(
        _ normalization: Layer.Normalization,
        _ tensors: LayerTensors,
        _ layer: Int
    ) throws(NetworkError) -> (scale: [Double], offset: [Double]) {
        var scale: [Double] = []
        var offset: [Double] = []
        for index in tensors.variance.indices {
            let variance = Double(tensors.variance[index]) + normalization.epsilon
            guard variance > 0 else { throw .variance(layer: layer, index: index) }
            let factor = Double(tensors.gamma[index]) / variance.squareRoot()
            scale.append(factor)
            offset.append(Double(tensors.beta[index]) - Double(tensors.mean[index]) * factor)
        }
        return (scale, offset)
    }

    private static func apply(
        _ map: (scale: [Double], offset: [Double]),
        after weight: inout [Double],
        _ bias: inout [Double]
    ) {
        let outputs = bias.count
        for index in weight.indices { weight[index] *= map.scale[index % outputs] }
        for index in bias.indices {
            bias[index] = bias[index] * map.scale[index] + map.offset[index]
        }
    }

    private static func apply(
        _ map: (scale: [Double], offset: [Double]),
        before weight: inout [Double],
        _ bias: inout [Double]
    ) {
        let outputs = bias.count
        for index in weight.indices {
            let input = index / outputs
            bias[index % outputs] += weight[index] * map.offset[input]
            weight[index] *= map.scale[input]
        }
    }

    private static func floats(
        _ values: [Double],
        _ layer: Int,
        _ name: LayerTensors.Name
    ) throws(NetworkError) -> [Float] {
        let rounded = values.map { Float($0) }
        if let index = rounded.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(layer: layer, tensor: name, index: index)
        }
        return rounded
    }
}
