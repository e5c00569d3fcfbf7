// SPDX-License-Identifier: MIT

internal import Glibc

/// What went wrong with a file, with its path.
package enum FileError: Error, Equatable, CustomStringConvertible {
    /// The system refused a call.
    case system(path: String, SystemError)
    /// The file holds more bytes than its limit allows.
    case tooLarge(path: String, limit: Int)
    /// What has that name is a directory, a pipe or a device, where a file is read or written.
    case notRegular(path: String)

    package var description: String {
        switch self {
        case .system(let path, let error): "\(path): \(error)"
        case .tooLarge(let path, let limit): "\(path): larger than the limit of \(limit) bytes"
        case .notRegular(let path): "\(path): not a regular file"
        }
    }
}

/// Identity and age of a file, to notice that it was replaced.
package struct FileStatus: Equatable, Sendable {
    /// Number of the file system.
    package let device: UInt64
    /// Inode number.
    package let inode: UInt64
    /// Size in bytes.
    package let byteCount: Int64
    /// Time of the last change of its content, nanoseconds since the epoch.
    package let modifiedNanoseconds: Int64
    /// Time of the last change of that or of its owner, mode or links.
    package let changedNanoseconds: Int64
    /// Whether it is a directory.
    package let isDirectory: Bool
    /// Whether it is a plain file, which can be read without waiting for anyone.
    package let isRegularFile: Bool
}

/// Whole-file reading and writing on POSIX calls.
package enum FileAccess {
    /// Room for files that do not tell their size, such as those of /proc.
    private static let readByteCountMin = 1 << 12
    /// Symbolic links that are followed, as many as the system follows.
    private static let linksMax = 40

    /// Reads a whole file of up to `byteCountMax` bytes, or a pipe to its end.
    ///
    /// - Throws: ``FileError``.
    package static func read(
        _ path: String,
        byteCountMax: Int = .max
    ) throws(FileError) -> [UInt8] {
        try read(open(path, O_RDONLY), path, byteCountMax)
    }

    /// Reads a whole file of up to `byteCountMax` bytes, for whoever must not wait: what is no
    /// regular file is refused.
    ///
    /// - Throws: ``FileError``.
    package static func readRegular(
        _ path: String,
        byteCountMax: Int = .max
    ) throws(FileError) -> [UInt8] {
        // Opening a pipe would otherwise wait for a writer.
        let file = try open(path, O_RDONLY | O_NONBLOCK)
        guard try status(of: file, path).isRegularFile else { throw .notRegular(path: path) }
        return try read(file, path, byteCountMax)
    }

    /// Refuses what is there and no regular file, for a library that opens files by their names.
    ///
    /// - Throws: ``FileError``.
    package static func requireRegular(_ path: String) throws(FileError) {
        if try status(of: path)?.isRegularFile == false { throw .notRegular(path: path) }
    }

    private static func read(
        _ file: borrowing FileDescriptor,
        _ path: String,
        _ byteCountMax: Int
    ) throws(FileError) -> [UInt8] {
        let expected = Int(try status(of: file, path).byteCount)
        guard expected <= byteCountMax else {
            throw .tooLarge(path: path, limit: byteCountMax)
        }
        let raw = file.rawValue
        // One byte more than is expected: a short read into it tells the end.
        var bytes = [UInt8](repeating: 0, count: max(expected, readByteCountMin) + 1)
        var filled = 0
        while true {
            let count = try call(path, "read") {
                // SAFETY: the part from `filled` on lies within `bytes`, which outlives the call.
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    return unsafe Glibc.read(raw, rest.baseAddress, rest.count)
                }
            }
            if count == 0 { break }
            filled += count
            guard filled <= byteCountMax else { throw .tooLarge(path: path, limit: byteCountMax) }
            if filled == bytes.count {
                bytes.append(contentsOf: repeatElement(0, count: bytes.count))
            }
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Creates or replaces a file with the given bytes and syncs it to the disk.
    ///
    /// - Throws: ``FileError``.
    package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let file = try open(path, O_WRONLY | O_CREAT | O_TRUNC)
        let raw = file.rawValue
        var offset = 0
        while offset < bytes.count {
            offset += try call(path, "write") {
                // SAFETY: the slice from `offset` lies within `bytes`, which outlives the call.
                unsafe bytes.withUnsafeBytes { buffer in
                    let rest = unsafe buffer[offset...]
                    return unsafe Glibc.write(
                        raw,
                        UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                        rest.count
                    )
                }
            }
        }
        _ = try call(path, "fsync") { fsync(raw) }
    }

    /// Replaces a file by writing a temporary one beside it and renaming it: readers see the old
    /// content or the new, never a part.
    ///
    /// A symbolic link stays, and what it names is replaced.
    ///
    /// - Throws: ``FileError``, also where what is there is no regular file.
    package static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        let target = try replaceable(path)
        let temporary = "\(target).tmp-\(getpid())"
        try write(bytes, to: temporary)
        try rename(temporary, to: target)
    }

    /// What a rename has to replace for a path to name something new: the end of its symbolic
    /// links.
    ///
    /// - Throws: ``FileError``, also where that is a pipe, a device or a directory: a rename would
    ///   take it away from all that use it.
    package static func replaceable(_ path: String) throws(FileError) -> String {
        try requireRegular(path)
        var target = path
        for _ in 0..<linksMax {
            guard let next = try link(target) else { return target }
            target = next.hasPrefix("/") ? next : "\(parent(of: target))/\(next)"
        }
        throw .system(path: path, SystemError(call: "readlink", errno: ELOOP))
    }

    /// What a symbolic link says; nil where there is none of that name.
    private static func link(_ path: String) throws(FileError) -> String? {
        var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
        do {
            let count = try call(path, "readlink") { () -> Int in
                // SAFETY: the buffer outlives the call and its count is given.
                unsafe bytes.withUnsafeMutableBytes { buffer in
                    let start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
                    return unsafe start.map { unsafe readlink(path, $0, buffer.count) } ?? 0
                }
            }
            return String(decoding: bytes.prefix(count), as: UTF8.self)
        } catch .system(_, let error) where [EINVAL, ENOENT, ENOTDIR].contains(error.errno) {
            return nil
        }
    }

    /// Renames a file or directory and syncs the directory that holds it.
    ///
    /// - Throws: ``FileError``.
    package static func rename(_ path: String, to target: String) throws(FileError) {
        // SAFETY: Swift passes both strings NUL-terminated for the duration of the call.
        _ = try call(path, "rename") { unsafe Glibc.rename(path, target) }
        try syncDirectory(parent(of: target))
    }

    /// Syncs a directory's entries to the disk.
    ///
    /// - Throws: ``FileError``.
    package static func syncDirectory(_ path: String) throws(FileError) {
        let directory = try open(path, O_RDONLY | O_DIRECTORY)
        _ = try call(path, "fsync") { fsync(directory.rawValue) }
    }

    /// Makes a directory and those above it where they are missing.
    ///
    /// - Throws: ``FileError``.
    package static func makeDirectory(_ path: String) throws(FileError) {
        if try status(of: path)?.isDirectory == true { return }
        let above = parent(of: path)
        if above != path { try makeDirectory(above) }
        do {
            // SAFETY: Swift passes the string NUL-terminated for the duration of the call.
            _ = try call(path, "mkdir") { unsafe mkdir(path, 0o755) }
        } catch .system(_, let error) where error.errno == EEXIST {
            return
        }
    }

    /// Looks a path up, following symbolic links.
    ///
    /// - Returns: Nil where nothing has that name, or a link of that name leads nowhere.
    /// - Throws: ``FileError`` where the system refuses to look.
    package static func status(of path: String) throws(FileError) -> FileStatus? {
        var info = stat()
        do {
            // SAFETY: `info` is a valid stat buffer for the duration of the call.
            _ = try call(path, "stat") { unsafe stat(path, &info) }
        } catch .system(_, let error) where [ENOENT, ENOTDIR, ELOOP].contains(error.errno) {
            return nil
        }
        return status(info)
    }

    /// Looks an open file up.
    ///
    /// - Throws: ``FileError``.
    static func status(
        of file: borrowing FileDescriptor,
        _ path: String
    ) throws(FileError) -> FileStatus {
        var info = stat()
        let raw = file.rawValue
        // SAFETY: `info` is a valid stat buffer for the duration of the call.
        _ = try call(path, "fstat") { unsafe fstat(raw, &info) }
        return status(info)
    }

    private static func status(_ info: stat) -> FileStatus {
        FileStatus(
            device: UInt64(info.st_dev),
            inode: UInt64(info.st_ino),
            byteCount: Int64(info.st_size),
            modifiedNanoseconds: nanoseconds(info.st_mtim),
            changedNanoseconds: nanoseconds(info.st_ctim),
            isDirectory: info.st_mode & S_IFMT == S_IFDIR,
            isRegularFile: info.st_mode & S_IFMT == S_IFREG
        )
    }

    /// Wraps outside the years 1677 to 2262: it tells changes and no time.
    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// Whether two paths name the same file or directory, which is there.
    package static func isSame(_ path: String, _ other: String) -> Bool {
        guard let first = try? status(of: path), let second = try? status(of: other) else {
            return false
        }
        return first.device == second.device && first.inode == second.inode
    }

    /// The names in a directory but `.` and `..`, sorted by their bytes.
    ///
    /// - Throws: ``FileError``.
    package static func list(_ path: String) throws(FileError) -> [String] {
        // SAFETY: the stream is closed below and used by this function alone.
        guard let stream = unsafe opendir(path) else {
            throw .system(path: path, SystemError(call: "opendir", errno: errno))
        }
        // SAFETY: closed once, after the last use.
        defer { unsafe closedir(stream) }
        var names: [String] = []
        // SAFETY: the entry is valid until the next readdir on this stream.
        while let entry = unsafe readdir(stream) {
            // SAFETY: d_name is NUL-terminated within the entry.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe String(
                    cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self)
                )
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Removes a file, or a directory with what is in it; nothing there is no error.
    ///
    /// - Throws: ``FileError``.
    package static func remove(_ path: String) throws(FileError) {
        guard let found = try status(of: path) else { return }
        if found.isDirectory {
            for name in try list(path) { try remove("\(path)/\(name)") }
            // SAFETY: as in makeDirectory.
            _ = try call(path, "rmdir") { unsafe rmdir(path) }
        } else {
            // SAFETY: as in makeDirectory.
            _ = try call(path, "unlink") { unsafe unlink(path) }
        }
    }

    /// The directory part of a path, `.` where there is none.
    package static func parent(of path: String) -> String {
        var bytes = Array(path.utf8)
        while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
    }

    static func open(_ path: String, _ flags: Int32) throws(FileError) -> FileDescriptor {
        // SAFETY: Swift passes the string NUL-terminated for the duration of the call.
        let descriptor = try call(path, "open") {
            unsafe Glibc.open(path, flags | O_CLOEXEC, 0o644)
        }
        return FileDescriptor(owning: descriptor)
    }

    private static func call(
        _ path: String,
        _ name: StaticString,
        _ body: () -> Int
    ) throws(FileError) -> Int {
        do throws(SystemError) {
            guard let result = try systemCall(name, body) else {
                throw SystemError(call: "\(name)", errno: EAGAIN)
            }
            return result
        } catch {
            throw .system(path: path, error)
        }
    }

    private static func call(
        _ path: String,
        _ name: StaticString,
        _ body: () -> Int32
    ) throws(FileError) -> Int32 {
        Int32(try call(path, name) { Int(body()) })
    }
}
