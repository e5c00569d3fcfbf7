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

    /// Receives into the buffer from `offset` up.
    ///
    /// - Returns: The number of bytes, 0 at the end of the stream, nil where none are there.
    /// - Throws: `SystemError`.
    func receive(into buffer: inout [UInt8], from offset: Int) throws(SystemError) -> Int? {
        precondition(offset < buffer.count)
        let raw = descriptor.rawValue
        return try systemCall("recv") {
            // SAFETY: the room from `offset` to the buffer's end is given, checked above.
            unsafe buffer.withUnsafeMutableBytes { bytes in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
                return unsafe recv(raw, room.baseAddress, room.count, 0)
            }
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
                unsafe Glibc.send(raw, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    /// Tells the peer that nothing more comes; an error means that it has gone already.
    func shutDownSending() {
        _ = shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }
}
