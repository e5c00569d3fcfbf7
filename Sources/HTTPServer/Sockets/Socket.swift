// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc
internal import Platform

/// A connected, non-blocking stream socket.
struct Socket: ~Copyable {
    private let descriptor: FileDescriptor

    /// Takes a connected descriptor over.
    init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The number that the kernel knows it by.
    var rawValue: Int32 { descriptor.rawValue }

    /// Receives into the buffer from `offset` up, at most so many bytes.
    ///
    /// - Returns: The number of bytes, 0 at the end of the stream, nil where none are there.
    /// - Throws: `SystemError`.
    func receive(
        into buffer: inout [UInt8],
        from offset: Int,
        atMost byteCountMax: Int = .max
    ) throws(SystemError) -> Int? {
        precondition(offset < buffer.count && byteCountMax > 0)
        let byteCount = min(buffer.count - offset, byteCountMax)
        let raw = descriptor.rawValue
        return try systemCall("recv") {
            // SAFETY: the buffer has so many bytes from `offset` up, as computed above.
            unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe pdm_recv(raw, bytes.baseAddress.map { unsafe $0 + offset }, byteCount, 0)
            }
        }
    }

    /// Receives and throws away at most so many bytes, which the kernel copies nowhere, so that no
    /// buffer is needed: tcp(7), `MSG_TRUNC`.
    ///
    /// - Returns: The number of bytes, 0 at the end of the stream, nil where none are there.
    /// - Throws: `SystemError`.
    func discard(_ byteCount: Int) throws(SystemError) -> Int? {
        let raw = descriptor.rawValue
        return try systemCall("recv") {
            pdm_recv(raw, nil, byteCount, Int32(MSG_TRUNC))
        }
    }

    /// Sends from the buffer's bytes from `offset` up.
    ///
    /// - Returns: The number of bytes taken, nil where none are.
    /// - Throws: `SystemError`; a peer that has gone is `EPIPE` or `ECONNRESET`, never a signal.
    func send(_ buffer: borrowing [UInt8], from offset: Int) throws(SystemError) -> Int? {
        precondition(offset <= buffer.count)
        let raw = descriptor.rawValue
        let span = buffer.span.extracting(offset..<buffer.count)
        return try systemCall("send") {
            // SAFETY: the span's bytes live for the call and its count is given.
            unsafe span.withUnsafeBytes { bytes in
                unsafe pdm_send(raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// Tells the peer that nothing more comes; an error means that it has gone already.
    func shutDownSending() {
        _ = shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }
}
