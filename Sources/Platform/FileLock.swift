// SPDX-License-Identifier: MIT

internal import Glibc

/// A lock that one process at a time holds; it ends with its owner, however that ends.
package struct FileLock: ~Copyable, Sendable {
    private let file: FileDescriptor
    private let path: String

    /// Opens the lock's file, which is made where it is missing; the lock is not taken yet.
    ///
    /// - Throws: ``FileError``.
    package init(_ path: String) throws(FileError) {
        self.path = path
        do throws(SystemError) {
            let raw = try systemCall("open") {
                // SAFETY: Swift passes the string NUL-terminated for the duration of the call.
                unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            }
            guard let raw else { throw SystemError(call: "open", errno: EAGAIN) }
            file = FileDescriptor(owning: raw)
        } catch {
            throw .system(path: path, error)
        }
    }

    /// Takes the lock; false where another holds it.
    ///
    /// - Throws: ``FileError``.
    package func take() throws(FileError) -> Bool {
        do throws(SystemError) {
            return try systemCall("flock") { flock(file.rawValue, LOCK_EX | LOCK_NB) } != nil
        } catch {
            throw .system(path: path, error)
        }
    }
}
