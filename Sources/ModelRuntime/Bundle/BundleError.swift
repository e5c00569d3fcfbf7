// SPDX-License-Identifier: MIT

package import Features
package import Integrity
package import JSON
package import Platform

/// Why a bundle is refused or cannot be written; the description names the file.
package enum BundleError: Error, Equatable, CustomStringConvertible {
    /// The system refused a call.
    case file(FileError)
    /// The directory holds more files than the limit.
    case fileCount(count: Int, limit: Int)
    /// The file is larger than its limit in bytes.
    case tooLarge(file: String, limit: Int)
    /// The name belongs to a directory, a socket or the like.
    case notAFile(file: String)
    /// The file is listed in SHA256SUMS, or belongs to every bundle, and is not there.
    case missing(file: String)
    /// The file is there and not listed in SHA256SUMS.
    case unlisted(file: String)
    /// A line of SHA256SUMS, counted from 1, has not the form that `sha256sum` writes.
    case sums(line: Int, why: String)
    /// The file's SHA-256 is not the one in SHA256SUMS.
    case digest(file: String)
    /// A signature is asked for, and there is none.
    case unsigned
    /// The signature is by none of the known keys, or not of these sums.
    case signature
    /// The library refused to sign.
    case key(KeyError)
    /// The file is no JSON text.
    case json(file: String, JSONError)
    /// A value in the file has not the form that it should have.
    case shape(file: String, JSONShapeError)
    /// The file is of another format.
    case format(file: String, actual: Int, expected: Int)
    /// The manifest requires a reader to understand a key that this one does not know.
    case requirement(String)
    /// A part of the manifest does not fit.
    case manifest(what: String, why: String)
    /// The manifest's transform does not fit.
    case transform(SpecError)
    /// The file is no safetensors file of the accepted kind.
    case tensors(file: String, SafeTensorsError)
    /// The tensors make no network.
    case network(NetworkError)
    /// The golden case, counted from 0, gets another answer.
    case golden(index: Int, what: String, expected: Float, actual: Float)
    /// The bundle that is to be written is there already.
    case exists(path: String)

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .fileCount(let count, let limit):
            "\(count) files in the bundle, the limit is \(limit)"
        case .tooLarge(let file, let limit): "\(file): larger than the limit of \(limit) bytes"
        case .notAFile(let file): "\(file): not a regular file"
        case .missing(let file) where file == BundleFile.sums: "\(file): missing"
        case .missing(let file): "\(file): listed in SHA256SUMS or required, but missing"
        case .unlisted(let file): "\(file): not listed in SHA256SUMS"
        case .sums(let line, let why): "SHA256SUMS: line \(line): \(why)"
        case .digest(let file): "\(file): SHA-256 differs from SHA256SUMS"
        case .unsigned: "\(BundleFile.signature): missing, and only signed bundles are taken"
        case .signature:
            "\(BundleFile.signature): no signature of SHA256SUMS by a key that is known here"
        case .key(let error): "\(BundleFile.signature): \(error)"
        case .json(let file, let error): "\(file): \(error)"
        case .shape(let file, let error): "\(file): \(error)"
        case .format(let file, let actual, let expected):
            "\(file): format \(actual), this program reads format \(expected)"
        case .requirement(let key): "manifest.json: requires \"\(key)\", which is not known here"
        case .manifest(let what, let why): "manifest.json: \(what): \(why)"
        case .transform(let error): "manifest.json: transform: \(error)"
        case .tensors(let file, let error): "\(file): \(error)"
        case .network(let error): "weights.safetensors: \(error)"
        case .golden(let index, let what, let expected, let actual):
            "golden.json: case \(index): \(what) is \(actual), expected \(expected)"
        case .exists(let path): "\(path): there already; a version is never replaced"
        }
    }
}
