// SPDX-License-Identifier: MIT

internal import Glibc

/// A file that grows at its end only, open for writing.
package struct AppendFile: ~Copyable, Sendable {
    /// The file's place.
    package let path: String
    /// Bytes that it holds.
    package private(set) var byteCount: Int
    /// Whether it ends with a part of something that could not be cut off again.
    package private(set) var isTorn = false
    private let file: FileDescriptor

    /// Opens a file, which is made where it is missing.
    ///
    /// - Throws: ``FileError``, also where what is there is no regular file.
    package init(_ path: String) throws(FileError) {
        // A pipe is not waited for.
        let opened = try FileAccess.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK)
        let status = try FileAccess.status(of: opened, path)
        guard status.isRegularFile else { throw .notRegular(path: path) }
        file = opened
        byteCount = Int(status.byteCount)
        self.path = path
    }

    /// Appends bytes; what of them has come into the file before an error is cut off again.
    ///
    /// - Throws: ``FileError``.
    package mutating func append(_ bytes: [UInt8]) throws(FileError) {
        // SAFETY: the bytes outlive the call.
        let failure = unsafe bytes.withUnsafeBytes { unsafe write(all: $0) }
        try finish(bytes.count, failure)
    }

    /// Appends words, each lowest byte first, as ``append(_:)-([UInt8])`` does.
    ///
    /// - Throws: ``FileError``.
    package mutating func append(_ words: [UInt64]) throws(FileError) {
        // Both processors that the program is built for keep words so in memory.
        // SAFETY: the words outlive the call.
        let failure = unsafe words.withUnsafeBytes { unsafe write(all: $0) }
        try finish(words.count * 8, failure)
    }

    /// Cuts the file off after so many bytes.
    ///
    /// - Throws: ``FileError``.
    package mutating func truncate(to byteCount: Int) throws(FileError) {
        do throws(SystemError) {
            _ = try systemCall("ftruncate") { ftruncate(file.rawValue, byteCount) }
        } catch {
            throw .system(path: path, error)
        }
        self.byteCount = byteCount
    }

    /// Writes to the disk what was appended.
    ///
    /// - Throws: ``FileError``.
    package func sync() throws(FileError) {
        do throws(SystemError) {
            _ = try systemCall("fdatasync") { fdatasync(file.rawValue) }
        } catch {
            throw .system(path: path, error)
        }
    }

    private mutating func finish(_ count: Int, _ failure: SystemError?) throws(FileError) {
        guard let failure else {
            byteCount += count
            return
        }
        isTorn = true
        try truncate(to: byteCount)
        isTorn = false
        throw .system(path: path, failure)
    }

    private func write(all bytes: UnsafeRawBufferPointer) -> SystemError? {
        var offset = 0
        while offset < bytes.count {
            do throws(SystemError) {
                let count = try systemCall("write") { () -> Int in
                    // SAFETY: the rest lies within the caller's bytes, which outlive the call.
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset...])
                    return unsafe Glibc.write(file.rawValue, rest.baseAddress, rest.count)
                }
                guard let count else { return SystemError(call: "write", errno: EAGAIN) }
                offset += count
            } catch {
                return error
            }
        }
        return nil
    }
}
