// SPDX-License-Identifier: MIT

extension LayerTensors {
    /// The bytes of `weights.safetensors` for layers and their tensors.
    package static func bytes(_ tensors: [LayerTensors], of layers: [Layer]) -> [UInt8] {
        var list: [Tensor] = []
        for (index, layer) in layers.enumerated() {
            for name in Name.allCases {
                guard let shape = shape(of: name, in: layer) else { continue }
                let key = "layers.\(index).\(name.rawValue)"
                list.append(Tensor(name: key, shape: shape, values: tensors[index][name]))
            }
        }
        return SafeTensors.write(list)
    }

    /// Reads `weights.safetensors`: exactly the tensors that the layers have, in their shapes, all
    /// finite.
    ///
    /// - Throws: ``SafeTensorsError``.
    package static func read(
        _ bytes: [UInt8],
        of layers: [Layer],
        limits: BundleLimits = BundleLimits()
    ) throws(SafeTensorsError) -> [LayerTensors] {
        var tensors = TensorSet(try SafeTensors.read(bytes, limits: limits))
        var groups: [LayerTensors] = []
        for (index, layer) in layers.enumerated() {
            func take(_ name: Name) throws(SafeTensorsError) -> [Float] {
                guard let shape = shape(of: name, in: layer) else { return [] }
                return try tensors.take("layers.\(index).\(name.rawValue)", shape: shape)
            }
            groups.append(
                LayerTensors(
                    weight: try take(.weight),
                    bias: try take(.bias),
                    gamma: try take(.gamma),
                    beta: try take(.beta),
                    mean: try take(.mean),
                    variance: try take(.variance)
                )
            )
        }
        try tensors.requireEmpty()
        return groups
    }
}
