// SPDX-License-Identifier: MIT

internal import Glibc

// SAFETY: what is unsafe is the memory itself, and whoever touches it says so.
/// A file whose bytes are memory, shared with the system's page cache.
///
/// What was stored survives the process; ``sync()`` makes it survive the machine.
@safe package struct MappedFile: ~Copyable {
    /// The first byte.
    ///
    /// Bytes beyond what was allocated must not be touched.
    package let base: UnsafeMutableRawPointer
    private let file: FileDescriptor
    private let path: String
    private let mappedBytes: Int

    /// Maps an opened file, from its first byte on, as far as it may grow.
    ///
    /// - Throws: ``FileError``.
    package init(_ opened: consuming OpenedFile, byteCount: Int) throws(FileError) {
        path = opened.path
        file = opened.takeDescriptor()
        mappedBytes = byteCount
        let access = PROT_READ | PROT_WRITE
        // SAFETY: the system picks the place; the result is checked.
        let region = unsafe mmap(nil, byteCount, access, MAP_SHARED, file.rawValue, 0)
        guard let region = unsafe region, unsafe region != MAP_FAILED else {
            throw .system(path: path, SystemError(call: "mmap", errno: errno))
        }
        // SAFETY: `byteCount` bytes from here are mapped until `deinit`.
        unsafe base = region
    }

    deinit {
        // SAFETY: mapped by `init`, and nobody is left who could use it.
        unsafe munmap(base, mappedBytes)
    }

    /// Gives the file at least this size, with its space on the disk taken for good.
    ///
    /// A hole under a mapping would be a signal when the disk is full.
    ///
    /// - Throws: ``FileError`` where the disk is full.
    package func allocate(_ byteCount: Int) throws(FileError) {
        try OpenedFile.allocate(file.rawValue, byteCount, path)
    }

    /// Writes to the disk what has changed.
    ///
    /// - Throws: ``FileError``.
    package func sync() throws(FileError) {
        do throws(SystemError) {
            _ = try systemCall("fdatasync") { fdatasync(file.rawValue) }
        } catch {
            throw .system(path: path, error)
        }
    }
}

/// A file that is open for reading and writing, before it is mapped.
package struct OpenedFile: ~Copyable {
    /// Its path.
    package let path: String
    private let file: FileDescriptor

    /// Opens a file that exists.
    ///
    /// - Throws: ``FileError``.
    package init(_ path: String) throws(FileError) {
        self.path = path
        do throws(SystemError) {
            // SAFETY: Swift passes the string NUL-terminated for the duration of the call.
            let raw = try systemCall("open") { unsafe open(path, O_RDWR | O_CLOEXEC) }
            guard let raw else { throw SystemError(call: "open", errno: EAGAIN) }
            file = FileDescriptor(owning: raw)
        } catch {
            throw .system(path: path, error)
        }
    }

    /// The first bytes, fewer where the file ends before.
    ///
    /// - Throws: ``FileError``.
    package func firstBytes(_ count: Int) throws(FileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        do throws(SystemError) {
            let read = try systemCall("pread") { () -> Int in
                // SAFETY: the buffer outlives the call and its count is given.
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    unsafe pread(file.rawValue, buffer.baseAddress, buffer.count, 0)
                }
            }
            return Array(bytes.prefix(read ?? 0))
        } catch {
            throw .system(path: path, error)
        }
    }

    /// As ``MappedFile/allocate(_:)``.
    ///
    /// - Throws: ``FileError``.
    package func allocate(_ byteCount: Int) throws(FileError) {
        try Self.allocate(file.rawValue, byteCount, path)
    }

    static func allocate(_ file: Int32, _ byteCount: Int, _ path: String) throws(FileError) {
        var code = EINTR
        // The call returns its error instead of setting `errno`.
        while code == EINTR { code = posix_fallocate(file, 0, byteCount) }
        if code != 0 {
            throw .system(path: path, SystemError(call: "posix_fallocate", errno: code))
        }
    }

    consuming func takeDescriptor() -> FileDescriptor { file }
}
