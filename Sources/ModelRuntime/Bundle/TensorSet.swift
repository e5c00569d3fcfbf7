// SPDX-License-Identifier: MIT

/// The tensors of a file, taken out one by one so that none is missing and none left over.
struct TensorSet {
    private var tensors: [String: Tensor] = [:]

    init(_ tensors: [Tensor]) {
        for tensor in tensors { self.tensors[tensor.name] = tensor }
    }

    /// Whether there is a tensor of this name.
    func contains(_ name: String) -> Bool { tensors[name] != nil }

    /// Takes the finite values of the tensor with this name and shape.
    mutating func take(_ name: String, shape: [Int]) throws(SafeTensorsError) -> [Float] {
        try take(name) { actual in actual == shape ? nil : shape }
    }

    /// Takes the finite values of a matrix with so many columns and any number of rows.
    mutating func take(_ name: String, columns: Int) throws(SafeTensorsError) -> [Float] {
        try take(name) { actual in
            actual.count == 2 && actual[1] == columns ? nil : [actual.first ?? 1, columns]
        }
    }

    func requireEmpty() throws(SafeTensorsError) {
        if let name = tensors.keys.min() { throw .unexpected(tensor: name) }
    }

    private mutating func take(
        _ name: String,
        wrong: (_ shape: [Int]) -> [Int]?
    ) throws(SafeTensorsError) -> [Float] {
        guard let tensor = tensors.removeValue(forKey: name) else { throw .missing(tensor: name) }
        if let expected = wrong(tensor.shape) {
            throw .dimensions(tensor: name, actual: tensor.shape, expected: expected)
        }
        if let index = tensor.values.firstIndex(where: { !$0.isFinite }) {
            throw .notFinite(tensor: name, index: index)
        }
        return tensor.values
    }
}
