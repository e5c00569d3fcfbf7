// SPDX-License-Identifier: MIT

internal import Glibc
internal import Synchronization

/// The process's standard output.
package enum StandardOutput {
    /// Writes all bytes; a closed stream drops them.
    package static func write(_ bytes: [UInt8]) { writeAll(bytes, to: STDOUT_FILENO) }
}

/// The process's standard error stream.
package enum StandardError {
    /// Writes all bytes, in one call where the system takes them; a closed stream drops them.
    package static func write(_ bytes: [UInt8]) { writeAll(bytes, to: STDERR_FILENO) }

    /// Writes a line for whoever must not be held up.
    ///
    /// Where nobody reads the stream for a tenth of a second the line is dropped, and so are those
    /// after it until somebody does.
    package static func log(_ bytes: [UInt8]) {
        guard !isFile else { return writeAll(bytes, to: STDERR_FILENO) }
        var offset = 0
        while offset < bytes.count {
            let isTaken = waits(milliseconds: isUnread.load(ordering: .relaxed) ? 0 : 100)
            isUnread.store(!isTaken, ordering: .relaxed)
            guard isTaken else { return }
            let end = min(bytes.count, offset + pipeBytes)
            writeAll(Array(bytes[offset..<end]), to: STDERR_FILENO)
            offset = end
        }
    }

    /// What a pipe that is ready takes without waiting (pipe(7), `PIPE_BUF`).
    private static let pipeBytes = 4096
    /// Whether the last line found nobody who reads.
    private static let isUnread = Atomic(false)
    /// Whether it is a file, which never waits for a reader.
    private static let isFile: Bool = {
        var info = stat()
        // SAFETY: the structure is valid for the call.
        return unsafe fstat(STDERR_FILENO, &info) == 0 && info.st_mode & S_IFMT == S_IFREG
    }()

    /// Whether the stream takes bytes, or an error, within that time.
    private static func waits(milliseconds: Int32) -> Bool {
        var stream = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        // SAFETY: the structure lives for the call, and there is one.
        return unsafe poll(&stream, 1, milliseconds) == 1
    }

    /// Writes a line if the stream takes it without waiting: up to 4096 bytes, which a pipe takes
    /// whole or not at all (pipe(7), `PIPE_BUF`).
    package static func offer(_ bytes: [UInt8]) {
        var stream = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        // SAFETY: the structure lives for the call, and there is one.
        guard unsafe poll(&stream, 1, 0) == 1, Int32(stream.revents) & POLLOUT != 0 else { return }
        writeAll(Array(bytes.prefix(4096)), to: STDERR_FILENO)
    }
}

private func writeAll(_ bytes: [UInt8], to descriptor: Int32) {
    var offset = 0
    while offset < bytes.count {
        // SAFETY: the rest from `offset` lies within `bytes`, which outlives the call.
        let count = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.write(
                descriptor,
                UnsafeRawBufferPointer(rebasing: buffer[offset...]).baseAddress,
                bytes.count - offset
            )
        }
        if count < 0 {
            guard errno == EINTR else { return }
        } else {
            offset += count
        }
    }
}
