// SPDX-License-Identifier: MIT

package import Integrity
package import Platform

extension [Ed25519PublicKey] {
    /// The keys of a PEM file, at least one.
    ///
    /// - Throws: ``KeyFileError``.
    package init(file path: String) throws(KeyFileError) {
        // A server reads them again and again, and must not wait for a pipe.
        let bytes = try KeyFileError.bytes(of: path, FileAccess.readRegular)
        do throws(KeyError) { self = try Ed25519PublicKey.read(bytes) } catch {
            throw .key(path: path, error)
        }
    }

    /// The keys of the file that a setting names; none where it names none.
    ///
    /// - Throws: ``KeyFileError``.
    package init(settingOf path: String?) throws(KeyFileError) {
        if let path { try self.init(file: path) } else { self = [] }
    }
}

extension Ed25519PrivateKey {
    /// The key of a PEM file.
    ///
    /// - Throws: ``KeyFileError``.
    package init(file path: String) throws(KeyFileError) {
        let bytes = try KeyFileError.bytes(of: path, FileAccess.read)
        do throws(KeyError) { try self.init(bytes) } catch { throw .key(path: path, error) }
    }
}

/// Why a file of keys cannot be used.
package enum KeyFileError: Error, Equatable, CustomStringConvertible {
    /// It cannot be read.
    case file(FileError)
    /// What it holds cannot be used.
    case key(path: String, KeyError)

    package var description: String {
        switch self {
        case .file(let error): "\(error)"
        case .key(let path, let error): "\(path): \(error)"
        }
    }

    fileprivate static func bytes(
        of path: String,
        _ read: (String, Int) throws(FileError) -> [UInt8]
    ) throws(KeyFileError) -> [UInt8] {
        do throws(FileError) {
            return try read(path, Ed25519PublicKey.fileBytesMax)
        } catch {
            throw .file(error)
        }
    }
}
