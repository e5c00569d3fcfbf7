// SPDX-License-Identifier: MIT

extension LayerTensors {
    /// The bytes of `weights.safetensors` for the members' tensors, all of the same layers.
    package static func bytes(_ members: [[LayerTensors]], of layers: [Layer]) -> [UInt8] {
        var list: [Tensor] = []
        for (member, tensors) in members.enumerated() {
            for (index, layer) in layers.enumerated() {
                for name in Name.allCases {
                    guard let shape = shape(of: name, in: layer) else { continue }
                    let key = key(name, layer: index, member: member, of: members.count)
                    list.append(Tensor(name: key, shape: shape, values: tensors[index][name]))
                }
            }
        }
        return SafeTensors.write(list)
    }

    /// Reads `weights.safetensors`: exactly the tensors that the members' layers have, in their
    /// shapes, all finite.
    ///
    /// - Throws: ``SafeTensorsError``.
    package static func read(
        _ bytes: [UInt8],
        of layers: [Layer],
        memberCount: Int,
        limits: BundleLimits = BundleLimits()
    ) throws(SafeTensorsError) -> [[LayerTensors]] {
        var tensors = TensorSet(try SafeTensors.read(bytes, limits: limits))
        var members: [[LayerTensors]] = []
        for member in 0..<memberCount {
            var groups: [LayerTensors] = []
            for (index, layer) in layers.enumerated() {
                func take(_ name: Name) throws(SafeTensorsError) -> [Float] {
                    guard let shape = shape(of: name, in: layer) else { return [] }
                    let key = key(name, layer: index, member: member, of: memberCount)
                    return try tensors.take(key, shape: shape)
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
            members.append(groups)
        }
        try tensors.requireEmpty()
        return members
    }

    /// The tensor's name in the file; a network of one member has no member in it.
    private static func key(_ name: Name, layer: Int, member: Int, of memberCount: Int) -> String {
        let key = "layers.\(layer).\(name.rawValue)"
        return memberCount == 1 ? key : "members.\(member).\(key)"
    }
}
