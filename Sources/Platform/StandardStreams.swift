// SPDX-License-Identifier: MIT

internal import Glibc

/// The process's standard output.
package enum StandardOutput {
    /// Writes all bytes; a closed stream drops them.
    package static func write(_ bytes: [UInt8]) { writeAll(bytes, to: STDOUT_FILENO) }
}

/// The process's standard error stream.
package enum StandardError {
    /// Writes all bytes, in one call where the system takes them; a closed stream drops them.
    package static func write(_ bytes: [UInt8]) { writeAll(bytes, to: STDERR_FILENO) }

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
