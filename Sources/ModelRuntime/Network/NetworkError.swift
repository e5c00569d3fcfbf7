// SPDX-License-Identifier: MIT

/// Why layers and tensors make no network.
package enum NetworkError: Error, Equatable, CustomStringConvertible {
    /// The number of layers is 0, over the limit, or not that of the tensor groups.
    case layerCount(actual: Int, limit: Int)
    /// The number of members is not in 1...limit.
    case memberCount(actual: Int, limit: Int)
    /// There are not as many groups of tensors as layers.
    case tensorGroups(actual: Int, expected: Int)
    /// A width is not in 1...limit.
    case width(layer: Int, actual: Int, limit: Int)
    /// A layer's inputs are not the outputs of the one before.
    case chain(layer: Int, inputs: Int, outputsBefore: Int)
    /// The last layer is not one sigmoid output, with a normalisation before it or none.
    case lastLayer(layer: Int)
    /// A tensor holds another number of values.
    case shape(layer: Int, tensor: LayerTensors.Name, actual: Int, expected: Int)
    /// A value is not finite, or becomes so by folding; `index` is row-major.
    case notFinite(layer: Int, tensor: LayerTensors.Name, index: Int)
    /// A variance plus epsilon is not positive.
    case variance(layer: Int, index: Int)

    package var description: String {
        switch self {
        case .layerCount(let actual, let limit): "\(actual) layers, allowed are 1 to \(limit)"
        case .memberCount(let actual, let limit): "\(actual) members, allowed are 1 to \(limit)"
        case .tensorGroups(let actual, let expected):
            "tensors for \(actual) layers, expected \(expected)"
        case .width(let layer, let actual, let limit):
            "layer \(layer): width \(actual), allowed are 1 to \(limit)"
        case .chain(let layer, let inputs, let outputs):
            "layer \(layer): \(inputs) inputs, but the layer before has \(outputs) outputs"
        case .lastLayer(let layer):
            "layer \(layer): the last layer must be one sigmoid output"
        case .shape(let layer, let tensor, let actual, let expected):
            "layers.\(layer).\(tensor.rawValue): \(actual) values, expected \(expected)"
        case .notFinite(let layer, let tensor, let index):
            "layers.\(layer).\(tensor.rawValue): value \(index) is not finite"
        case .variance(let layer, let index):
            "layers.\(layer).variance: value \(index) plus epsilon is not positive"
        }
    }
}
