// SPDX-License-Identifier: MIT

internal import COpenSSL
internal import Glibc
internal import Platform

/// One connection's TLS, on its socket: an owned `SSL`.
@safe struct TLSSession: ~Copyable {
    /// How far a handshake has come.
    enum Progress {
        case complete
        case needsInput
        case needsOutput
        case failed
        /// The client speaks HTTP in the clear.
        case isPlainHTTP
    }

    private let raw: OpaquePointer?

    /// Records that a client may send without a byte for the application before it is cut off: one
    /// that changes its keys sends one.
    private static let recordCountMax = 16
    /// Records of a handshake that come together; most are one or two.
    private static let handshakeRecordCountMax = 256

    /// Makes what a connection in the clear has in its place.
    init() {
        // SAFETY: no pointer at all.
        unsafe raw = nil
    }

    /// Takes a session over.
    init(owning raw: OpaquePointer) {
        // SAFETY: the caller gives its only use of a valid session away.
        unsafe self.raw = raw
    }

    deinit {
        // SAFETY: owned since init; the socket's descriptor is not closed by it.
        unsafe SSL_free(raw)
    }

    /// Whether it is none, and must not be asked for anything else.
    // SAFETY: the pointer is compared only.
    var isPlain: Bool { unsafe raw == nil }

    /// Goes on with the handshake.
    func shakeHands() -> Progress {
        ERR_clear_error()
        allowRecords(Self.handshakeRecordCountMax)
        // SAFETY: here and below the session is valid.
        let result = unsafe SSL_do_handshake(raw)
        if result == 1 { return .complete }
        // SAFETY: as above.
        switch unsafe SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_WANT_WRITE: return .needsOutput
        default:
            let isHTTP = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST
            return isHTTP ? .isPlainHTTP : .failed
        }
    }

    /// Gives back what a failed handshake has taken, of which nothing comes any more.
    func abandon() {
        // SAFETY: the session is valid, and nobody asks it for anything else.
        unsafe SSL_clear(raw)
        unsafe SSL_free_buffers(raw)
    }

    /// Whether the certificate that the client has shown, in this session or in the one that it
    /// takes up again, has not ended at a time in seconds since the epoch; so it is where there is
    /// none.
    func isPeerCurrent(at seconds: Int64) -> Bool {
        // SAFETY: the session is valid, and the certificate its own.
        guard let certificate = unsafe SSL_get0_peer_certificate(raw) else { return true }
        var time = time_t(seconds)
        // SAFETY: as above; the time is valid for the call.
        return unsafe X509_cmp_time(X509_get0_notAfter(certificate), &time) > 0
    }

    /// Whether the handshake took an earlier session up again.
    // SAFETY: the session is valid.
    var isResumed: Bool { unsafe SSL_session_reused(raw) == 1 }

    /// Whether bytes have been read from the socket that ``receive(into:from:)`` has not given.
    // SAFETY: the session is valid.
    var hasBufferedInput: Bool { unsafe SSL_has_pending(raw) == 1 }

    /// Whether the last operation waits for the socket to have room.
    // SAFETY: the session is valid.
    var wantsOutput: Bool { unsafe SSL_want(raw) == SSL_WRITING }

    /// What the client chose by ALPN.
    var applicationProtocol: ApplicationProtocol {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        // SAFETY: both are valid for the call; the name belongs to the session and is copied.
        unsafe SSL_get0_alpn_selected(raw, &name, &count)
        // SAFETY: as above.
        let bytes = unsafe UnsafeBufferPointer(start: name, count: Int(count))
        let text = unsafe String(decoding: bytes, as: UTF8.self)
        return ApplicationProtocol(rawValue: text) ?? .http1
    }

    /// Receives into the buffer from `offset` up, as ``Socket/receive(into:from:)`` does.
    ///
    /// The end of the stream is taken as such with or without the client's word for it: HTTP tells
    /// itself what is complete.
    ///
    /// - Throws: `SystemError`, `EPROTO` where the client breaks the protocol, `EBADF` where it
    ///   sends records without end and nothing in them.
    func receive(into buffer: inout [UInt8], from offset: Int) throws(SystemError) -> Int? {
        precondition(offset < buffer.count)
        ERR_clear_error()
        allowRecords(Self.recordCountMax)
        // SAFETY: the room from `offset` to the buffer's end is given, checked above.
        let result = unsafe buffer.withUnsafeMutableBytes { bytes in
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
            return unsafe SSL_read(raw, room.baseAddress, Int32(clamping: room.count))
        }
        return try outcome(result, "SSL_read")
    }

    /// Sends from the buffer's bytes from `offset` up, as ``Socket/send(_:from:)`` does.
    ///
    /// - Returns: The number of bytes taken, never 0, or nil where none are.
    /// - Throws: `SystemError`.
    func send(_ buffer: borrowing [UInt8], from offset: Int) throws(SystemError) -> Int? {
        precondition(offset < buffer.count)
        let span = buffer.span.extracting(offset..<buffer.count)
        ERR_clear_error()
        // SAFETY: the span's bytes live for the call and its count is given.
        let result = unsafe span.withUnsafeBytes { bytes in
            unsafe SSL_write(raw, bytes.baseAddress, Int32(clamping: bytes.count))
        }
        let count = try outcome(result, "SSL_write")
        // Of a socket that has gone, the library tells that the client had said goodbye, if it had.
        if count == 0 { throw SystemError(call: "SSL_write", errno: EPIPE) }
        return count
    }

    /// Says that nothing more comes (RFC 8446 §6.1), if the socket takes that.
    func shutDownSending() {
        ERR_clear_error()
        // SAFETY: the session is valid; the library refuses what its state does not allow.
        _ = unsafe SSL_shutdown(raw)
    }

    /// Lets the next operation read so many records and the one that ends it; at another, the
    /// session loses its socket.
    private func allowRecords(_ count: Int) {
        // SAFETY: the session is valid; the pointer carries a number and is never followed.
        _ = unsafe SSL_set_ex_data(raw, 0, UnsafeMutableRawPointer(bitPattern: count + 2))
    }

    private func outcome(_ result: Int32, _ call: String) throws(SystemError) -> Int? {
        if result > 0 { return Int(result) }
        let error = errno
        // SAFETY: the session is valid.
        switch unsafe SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return nil
        case SSL_ERROR_ZERO_RETURN: return 0
        case SSL_ERROR_SYSCALL: throw SystemError(call: call, errno: error)
        default: throw SystemError(call: call, errno: EPROTO)
        }
    }
}
