// SPDX-License-Identifier: MIT

import COpenSSL
@testable import HTTPServer

/// A blocking TLS client whose bytes go out in pieces of a size.
@safe final class TLSTestClient {
    private let raw: TestClient
    private let pieces: Int
    private let context: OpaquePointer?
    private let session: OpaquePointer?
    private let input: OpaquePointer?
    private let output: OpaquePointer?

    init?(
        port: UInt16,
        pieces: Int = .max,
        protocols: [ApplicationProtocol] = [],
        receiveBytes: Int32? = nil
    ) {
        guard let raw = TestClient(port: port, receiveBytes: receiveBytes) else { return nil }
        self.raw = raw
        self.pieces = pieces
        // SAFETY: here and below context and session are owned until deinit; the session owns
        // both BIOs.
        unsafe context = SSL_CTX_new(TLS_client_method())
        unsafe session = SSL_new(context)
        unsafe input = BIO_new(BIO_s_mem())
        unsafe output = BIO_new(BIO_s_mem())
        unsafe SSL_set_bio(session, input, output)
        unsafe SSL_set_connect_state(session)
        let names = protocols.flatMap { [UInt8($0.rawValue.utf8.count)] + Array($0.rawValue.utf8) }
        unsafe SSL_set_alpn_protos(session, names, UInt32(names.count))
    }

    deinit {
        // SAFETY: as above.
        unsafe SSL_free(session)
        unsafe SSL_CTX_free(context)
    }

    /// Does the handshake; false where the server refuses.
    func shakeHands() -> Bool {
        // SAFETY: the session is valid.
        run { unsafe SSL_do_handshake(session) } == 1
    }

    /// The bytes that a handshake starts with.
    func firstFlight() -> [UInt8] {
        // SAFETY: the session is valid.
        _ = unsafe SSL_do_handshake(session)
        return pendingOutput()
    }

    func send(_ text: String) { write(Array(text.utf8)) }

    func write(_ bytes: [UInt8]) {
        // SAFETY: the bytes are valid for the call.
        _ = run { unsafe SSL_write(session, bytes, Int32(bytes.count)) }
    }

    /// Sends a last text and, in the same segment, that nothing more comes.
    func sendLast(_ text: String) {
        let bytes = Array(text.utf8)
        // SAFETY: the session is valid, and the bytes are for the call.
        _ = unsafe SSL_write(session, bytes, Int32(bytes.count))
        _ = unsafe SSL_shutdown(session)
        send(pendingOutput())
    }

    /// Makes the end of this client a reset.
    func reset() { raw.reset() }

    /// Says that nothing more comes and sends bytes all the same, in one segment.
    func sendGoodbye(followedBy bytes: [UInt8]) {
        // SAFETY: the session is valid.
        _ = unsafe SSL_shutdown(session)
        send(pendingOutput() + bytes)
    }

    /// Changes the keys so many times, and asks the server to; then sends a last text, if any.
    func changeKeys(_ count: Int, then text: String = "") {
        for _ in 0..<count {
            // SAFETY: here and below the session is valid.
            unsafe SSL_key_update(session, SSL_KEY_UPDATE_REQUESTED)
            _ = unsafe SSL_do_handshake(session)
        }
        let bytes = Array(text.utf8)
        // SAFETY: the bytes are valid for the call.
        if !bytes.isEmpty { _ = unsafe SSL_write(session, bytes, Int32(bytes.count)) }
        send(pendingOutput())
    }

    /// Waits for anything from the server, which is not read.
    func waitForBytes() -> Bool {
        guard let bytes = raw.receive() else { return false }
        // SAFETY: the bytes are valid for the call.
        unsafe BIO_write(input, bytes, Int32(bytes.count))
        return true
    }

    /// What comes next, or nil at the end of the stream or on failure.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // SAFETY: the buffer is valid for the call and its count is given.
        let count = run { unsafe SSL_read(session, &buffer, Int32(buffer.count)) }
        return count > 0 ? Array(buffer[..<Int(count)]) : nil
    }

    /// Everything up to the end of the stream.
    func receiveAll() -> String {
        var all: [UInt8] = []
        while let bytes = receive() { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// What comes until it holds that many answers with the given last bytes.
    func receive(until ending: String, count: Int = 1) -> String {
        received(until: ending, count: count) { receive() }
    }

    /// Whether the server has said that nothing more comes.
    // SAFETY: the session is valid.
    var isShutDown: Bool { unsafe SSL_get_shutdown(session) & SSL_RECEIVED_SHUTDOWN != 0 }

    /// Calls an operation until it is done, moving bytes in between.
    private func run(_ body: () -> Int32) -> Int32 {
        while true {
            let result = body()
            // SAFETY: the session is valid.
            let error = unsafe SSL_get_error(session, result)
            send(pendingOutput())
            guard result <= 0, error == SSL_ERROR_WANT_READ else { return result }
            guard let bytes = raw.receive() else { return result }
            // SAFETY: the bytes are valid for the call.
            unsafe BIO_write(input, bytes, Int32(bytes.count))
        }
    }

    private func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            raw.send(Array(rest.prefix(pieces)))
            rest = rest.dropFirst(pieces)
        }
    }

    private func pendingOutput() -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            // SAFETY: the chunk is valid for the call and its count is given.
            let count = unsafe BIO_read(output, &chunk, Int32(chunk.count))
            guard count > 0 else { return all }
            all += chunk[..<Int(count)]
        }
    }
}
