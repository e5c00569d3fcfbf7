// SPDX-License-Identifier: MIT

/// Why keys cannot be used; no description holds anything of a key.
package enum KeyError: Error, Equatable, CustomStringConvertible {
    /// The text has more bytes than a file of keys may have.
    case tooLarge(limit: Int)
    /// The text holds more keys than it may.
    case tooMany(limit: Int)
    /// The text holds no key of the kind that is wanted.
    case none(kind: String)
    /// The library cannot read or use the key.
    case unreadable(reason: String)
    /// The key is one of another algorithm.
    case otherAlgorithm

    package var description: String {
        switch self {
        case .tooLarge(let limit): "larger than the limit of \(limit) bytes"
        case .tooMany(let limit): "more than the limit of \(limit) keys"
        case .none(let kind): "no PEM text of a \(kind) in it"
        case .unreadable(let reason): "a key that cannot be used: \(reason)"
        case .otherAlgorithm: "a key of another algorithm than Ed25519"
        }
    }
}
