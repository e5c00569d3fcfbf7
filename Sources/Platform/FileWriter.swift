// SPDX-License-Identifier: MIT

internal import Glibc

/// A file that is written piece by piece under a temporary name and takes its own name when done.
///
/// Readers see the old file or the whole new one; a symbolic link stays, and what it names is
/// replaced. A writer that goes away before ``commit()``
/// leaves nothing behind.
package struct FileWriter: ~Copyable {
    private let file: FileDescriptor
    private let path: String
    private let temporary: String
    private var isCommitted = false

    /// Opens a new temporary file beside `path`.
    ///
    /// - Throws: ``FileError`` where the directory is missing or may not be written, or what is
    ///   there is no regular file.
    package init(_ path: String) throws(FileError) {
        let target = try FileAccess.replaceable(path)
        let name = "\(target).tmp-\(getpid())"
        let opened = try Self.open(name, for: target)
        self.path = target
        temporary = name
        file = opened
    }

    private static func open(
        _ temporary: String,
        for path: String
    ) throws(FileError) -> FileDescriptor {
        do throws(FileError) {
            return try FileAccess.open(temporary, O_WRONLY | O_CREAT | O_TRUNC)
        } catch .system(_, let error) {
            // Whoever reads this knows the file by its own name.
            throw .system(path: path, error)
        }
    }

    /// Appends bytes at the end.
    ///
    /// - Throws: ``FileError``.
    package func append(_ bytes: [UInt8]) throws(FileError) {
        var offset = 0
        while offset < bytes.count {
            do throws(SystemError) {
                let count = try systemCall("write") { () -> Int in
                    // SAFETY: the slice from `offset` lies within `bytes`, which outlives the call.
                    unsafe bytes.withUnsafeBytes { buffer in
                        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                        return unsafe write(file.rawValue, rest.baseAddress, rest.count)
                    }
                }
                guard let count else { throw SystemError(call: "write", errno: EAGAIN) }
                offset += count
            } catch {
                throw .system(path: path, error)
            }
        }
    }

    /// Syncs what was written to the disk and gives it its name.
    ///
    /// - Throws: ``FileError``; then the file of that name is what it was before.
    package consuming func commit() throws(FileError) {
        do throws(SystemError) {
            _ = try systemCall("fsync") { fsync(file.rawValue) }
        } catch {
            throw .system(path: path, error)
        }
        try FileAccess.rename(temporary, to: path)
        isCommitted = true
    }

    deinit {
        if !isCommitted { try? FileAccess.remove(temporary) }
    }
}
