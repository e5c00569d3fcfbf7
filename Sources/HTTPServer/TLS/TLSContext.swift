// SPDX-License-Identifier: MIT

internal import COpenSSL
internal import Platform

/// Certificate, key and rules of a TLS listener: an owned `SSL_CTX`.
///
/// - Note: Thread safety: nothing changes after `init`, and OpenSSL locks what sessions share.
// SAFETY: as the note says; the reference count of an SSL_CTX is atomic.
@safe struct TLSContext: ~Copyable, @unchecked Sendable {
    private let raw: OpaquePointer
    /// When the certificate ends, in seconds since the epoch.
    let expirySeconds: Int64

    /// What marks the code of an error that is one of the system (ERR_SYSTEM_FLAG).
    private static let systemErrorFlag: UInt = 1 << 31
    /// Ciphers of TLS 1.2: authenticated encryption with forward secrecy, and nothing else.
    ///
    /// Those of TLS 1.3 are all of that kind.
    private static let ciphers = """
        ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:\
        ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:\
        ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
        """
    /// The cheaper one first; the library prefers 256 bits, which no one can tell from 128.
    private static let ciphersOfTLS13 = """
        TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
        """
    /// The library's own list has groups that cost a server ten times as much.
    private static let groups = "X25519:P-256:P-384"

    /// Loads the files.
    ///
    /// - Throws: ``TLSError``.
    init(_ configuration: TLSConfiguration) throws(TLSError) {
        // SAFETY: the method is a constant of the library; the context is freed in deinit.
        guard let raw = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw TLSContext.failure("SSL_CTX_new")
        }
        do throws(TLSError) {
            // SAFETY: as above.
            unsafe try TLSContext.setRules(of: raw, configuration.protocols)
            unsafe try TLSContext.load(configuration, into: raw)
        } catch {
            // SAFETY: no one else has it.
            unsafe SSL_CTX_free(raw)
            throw error
        }
        // SAFETY: as above.
        unsafe self.raw = raw
        expirySeconds = unsafe TLSContext.expiry(of: raw)
    }

    deinit {
        // SAFETY: made in init; sessions that still use it have references of their own.
        unsafe SSL_CTX_free(raw)
    }

    /// Makes a session that has not begun, or nil where there is no memory.
    func makeSession(on descriptor: Int32) -> TLSSession? {
        // SAFETY: the context is valid; the session is owned by what is returned.
        guard let session = unsafe SSL_new(raw) else { return nil }
        let owned = unsafe TLSSession(owning: session)
        // SAFETY: as above; the BIO made here does not close the descriptor.
        guard unsafe SSL_set_fd(session, descriptor) == 1 else { return nil }
        // SAFETY: as above.
        unsafe SSL_set_accept_state(session)
        return owned
    }

    private static func setRules(
        of raw: OpaquePointer,
        _ protocols: [ApplicationProtocol]
    ) throws(TLSError) {
        // SAFETY: here and below the context is valid, strings are passed NUL-terminated for the
        // call, and the library copies them.
        unsafe SSL_CTX_set_options(raw, TLS_SERVER_OPTIONS)
        // Records are sent as far as the socket takes them, from a buffer that may have moved;
        // idle sessions hold no buffers.
        let mode =
            SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
            | SSL_MODE_RELEASE_BUFFERS
        // SAFETY: as above.
        unsafe SSL_CTX_ctrl(raw, SSL_CTRL_MODE, Int(mode), nil)
        // SAFETY: as above; the function keeps nothing.
        unsafe SSL_CTX_set_msg_callback(raw, pdm_count_record)
        // SAFETY: as above. One system call takes in several records.
        unsafe SSL_CTX_ctrl(raw, SSL_CTRL_SET_READ_AHEAD, 1, nil)
        let version = unsafe SSL_CTX_ctrl(
            raw,
            SSL_CTRL_SET_MIN_PROTO_VERSION,
            Int(TLS1_2_VERSION),
            nil
        )
        guard version == 1 else { throw failure("SSL_CTX_set_min_proto_version") }
        // SAFETY: as above.
        guard unsafe SSL_CTX_set_cipher_list(raw, ciphers) == 1 else {
            throw failure("SSL_CTX_set_cipher_list")
        }
        // SAFETY: as above.
        guard unsafe SSL_CTX_set_ciphersuites(raw, ciphersOfTLS13) == 1 else {
            throw failure("SSL_CTX_set_ciphersuites")
        }
        // SAFETY: as above; the list is read during the call only.
        let result = unsafe groups.withCString { text in
            unsafe SSL_CTX_ctrl(
                raw,
                SSL_CTRL_SET_GROUPS_LIST,
                0,
                UnsafeMutableRawPointer(mutating: text)
            )
        }
        guard result == 1 else { throw failure("SSL_CTX_set1_groups_list") }
        // Without it sessions of clients with certificates could not be resumed.
        let name = Array("http".utf8)
        // SAFETY: the name is copied.
        guard unsafe SSL_CTX_set_session_id_context(raw, name, UInt32(name.count)) == 1 else {
            throw failure("SSL_CTX_set_session_id_context")
        }
        unsafe ApplicationProtocol.offer(protocols, in: raw)
    }

    private static func load(
        _ configuration: TLSConfiguration,
        into raw: OpaquePointer
    ) throws(TLSError) {
        let certificate = configuration.certificatePath
        let key = configuration.keyPath
        // The library would wait for a pipe's writer.
        try require("certificate", certificate)
        try require("private key", key)
        if let authorities = configuration.clientAuthorityPath {
            try require("certificate authority", authorities)
        }
        // A key under a password would be asked for at the terminal.
        // SAFETY: the function is a constant; it writes nothing.
        unsafe SSL_CTX_set_default_passwd_cb(raw) { _, _, _, _ in 0 }
        // SAFETY: as above.
        guard unsafe SSL_CTX_use_certificate_chain_file(raw, certificate) == 1 else {
            throw .unusable(what: "certificate", path: certificate, reason: reason())
        }
        // SAFETY: as above.
        guard unsafe SSL_CTX_use_PrivateKey_file(raw, key, SSL_FILETYPE_PEM) == 1 else {
            // The library compares the two when the second is loaded.
            if ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH {
                throw .mismatch(certificatePath: certificate, keyPath: key)
            }
            throw .unusable(what: "private key", path: key, reason: reason())
        }
        // SAFETY: as above.
        guard unsafe SSL_CTX_check_private_key(raw) == 1 else {
            throw .mismatch(certificatePath: certificate, keyPath: key)
        }
        guard let authorities = configuration.clientAuthorityPath else { return }
        // SAFETY: as above; the list of names becomes the context's.
        guard unsafe SSL_CTX_load_verify_file(raw, authorities) == 1,
            let names = unsafe SSL_load_client_CA_file(authorities)
        else {
            throw .unusable(what: "certificate authority", path: authorities, reason: reason())
        }
        // Sessions with the chain of a client take kilobytes: clients keep them, by tickets alone.
        // SAFETY: as above.
        unsafe SSL_CTX_ctrl(raw, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
        // SAFETY: as above; the function keeps nothing.
        unsafe SSL_CTX_set_session_ticket_cb(raw, nil, pdm_take_ticket, nil)
        // SAFETY: as above.
        unsafe SSL_CTX_set_client_CA_list(raw, names)
        // SAFETY: as above.
        unsafe SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// Refuses what is no regular file; what is absent the library names.
    private static func require(_ what: String, _ path: String) throws(TLSError) {
        do throws(FileError) { try FileAccess.requireRegular(path) } catch {
            let reason =
                switch error {
                case .notRegular: "not a regular file"
                case .system(_, let error): "\(error)"
                case .tooLarge: "\(error)"
                }
            throw .unusable(what: what, path: path, reason: reason)
        }
    }

    private static func expiry(of raw: OpaquePointer) -> Int64 {
        // SAFETY: numbers, and a pointer that is nil until it is set.
        var time = unsafe tm()
        // SAFETY: the certificate was loaded and belongs to the context; `time` is valid.
        guard let certificate = unsafe SSL_CTX_get0_certificate(raw),
            unsafe ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &time) == 1
        else { return 0 }
        // SAFETY: `time` is valid for the call.
        return Int64(unsafe timegm(&time))
    }

    private static func failure(_ call: String) -> TLSError {
        .library(call: call, reason: reason())
    }

    /// The reason of this thread's errors, whose queue it empties: that of the first, since those
    /// after it say only which part of the library was told.
    private static func reason() -> String {
        let code = ERR_peek_error()
        ERR_clear_error()
        if code & systemErrorFlag != 0 {
            // SAFETY: the text is NUL-terminated and copied at once.
            return unsafe String(cString: strerror(ERR_GET_REASON(code)))
        }
        // SAFETY: the text is a constant of the library.
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
        // SAFETY: as above, NUL-terminated.
        let reason = unsafe String(cString: text)
        // What the library says of a file without what is looked for, by its kind.
        return ["no start line", "unsupported"].contains(reason) ? "none in PEM is in it" : reason
    }
}
