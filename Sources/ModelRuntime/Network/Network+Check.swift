// SPDX-License-Identifier: MIT

extension Network {
    /// Checks that the layers chain and that a member's tensors fit them.
    static func check(
        _ layers: [Layer],
        _ tensors: [LayerTensors]
    ) throws(NetworkError) {
        guard (1...layerCountMax).contains(layers.count) else {
            throw .layerCount(actual: layers.count, limit: layerCountMax)
        }
        guard tensors.count == layers.count else {
            throw .tensorGroups(actual: tensors.count, expected: layers.count)
        }
        for (index, layer) in layers.enumerated() {
            for width in [layer.inputs, layer.outputs] where !(1...widthMax).contains(width) {
                throw .width(layer: index, actual: width, limit: widthMax)
            }
            if index > 0, layers[index - 1].outputs != layer.inputs {
                let before = layers[index - 1].outputs
                throw .chain(layer: index, inputs: layer.inputs, outputsBefore: before)
            }
            try check(layer, tensors[index], index)
        }
        let last = layers[layers.count - 1]
        guard last.outputs == 1, last.activation == .sigmoid,
            last.normalization?.position != .afterActivation
        else { throw .lastLayer(layer: layers.count - 1) }
    }

    private static func check(
        _ layer: Layer,
        _ tensors: LayerTensors,
        _ index: Int
    ) throws(NetworkError) {
        for name in LayerTensors.Name.allCases {
            let values = tensors[name]
            let expected = LayerTensors.shape(of: name, in: layer)?.reduce(1, *) ?? 0
            guard values.count == expected else {
                throw .shape(
                    layer: index,
                    tensor: name,
                    actual: values.count,
                    expected: expected
                )
            }
            if let position = values.firstIndex(where: { !$0.isFinite }) {
                throw .notFinite(layer: index, tensor: name, index: position)
            }
        }
    }
}
