// SPDX-License-Identifier: MIT

package import JSON

/// Why bytes are not a safetensors file of float32 tensors.
package enum SafeTensorsError: Error, Equatable, CustomStringConvertible {
    /// The file ends before its header does.
    case truncated(byteCount: Int)
    /// The header is longer than the limit.
    case headerTooLong(limit: Int)
    /// The header is no JSON text; offsets count from the header's start.
    case json(JSONError)
    /// A value of the header has not the form that it should have.
    case shape(JSONShapeError)
    /// There are more tensors than the limit.
    case tensorCount(actual: Int, limit: Int)
    /// A tensor's bytes do not begin where those of the one before end.
    case notContiguous(tensor: String, offset: Int)
    /// A tensor's bytes end beyond the file.
    case outside(tensor: String, end: Int, byteCount: Int)
    /// A tensor's bytes are not as many as its shape needs.
    case byteCount(tensor: String, actual: Int)
    /// Bytes follow the last tensor.
    case trailingBytes(offset: Int)
    /// A tensor that must be there is not.
    case missing(tensor: String)
    /// A tensor is there that has no meaning.
    case unexpected(tensor: String)
    /// A tensor's shape is not the one it must have.
    case dimensions(tensor: String, actual: [Int], expected: [Int])
    /// A value is not finite; the index is row-major.
    case notFinite(tensor: String, index: Int)
    /// A column's quantiles do not ascend.
    case notAscending(tensor: String, index: Int)
    /// A value is no whole number from 0 to 2^32 - 1.
    case notCount(tensor: String, index: Int)

    package var description: String {
        switch self {
        case .truncated(let count): "it ends after \(count) bytes, before its header does"
        case .headerTooLong(let limit): "its header is longer than the limit of \(limit) bytes"
        case .json(let error): "its header: \(error)"
        case .shape(let error): "its header: \(error)"
        case .tensorCount(let actual, let limit): "\(actual) tensors, the limit is \(limit)"
        case .notContiguous(let tensor, let offset):
            "\(tensor): its data begin at \(offset), not where those before end"
        case .outside(let tensor, let end, let count):
            "\(tensor): its data end at \(end), but there are \(count) bytes"
        case .byteCount(let tensor, let actual):
            "\(tensor): \(actual) bytes do not hold its shape"
        case .trailingBytes(let offset): "bytes from \(offset) on belong to no tensor"
        case .missing(let tensor): "\(tensor): missing"
        case .unexpected(let tensor): "\(tensor): no tensor of that name belongs here"
        case .dimensions(let tensor, let actual, let expected):
            "\(tensor): shape \(actual), expected \(expected)"
        case .notFinite(let tensor, let index): "\(tensor): value \(index) is not finite"
        case .notAscending(let tensor, let index):
            "\(tensor): value \(index) is below the one before"
        case .notCount(let tensor, let index): "\(tensor): value \(index) is no count"
        }
    }
}
