// SPDX-License-Identifier: MIT

internal import COpenSSL

/// A PEM text (RFC 7468) that the library reads block by block.
@safe struct PEMText: ~Copyable {
    /// What stands between two lines, decoded, and the name in these lines.
    struct Block {
        let name: String
        let bytes: [UInt8]
    }

    // SAFETY: made in init, freed in deinit; it never leaves the value, hence @safe.
    private let source: OpaquePointer

    init(_ bytes: [UInt8]) throws(KeyError) {
        guard bytes.count <= Ed25519PublicKey.fileBytesMax else {
            throw .tooLarge(limit: Ed25519PublicKey.fileBytesMax)
        }
        // SAFETY: owned by this value from here on; freed in deinit.
        guard let source = unsafe BIO_new(BIO_s_mem()) else {
            throw .unreadable(reason: LibraryError.text())
        }
        // SAFETY: the library copies the bytes, whose number is given. What memory does not hold
        // is a text that ends early.
        _ = unsafe BIO_write(source, bytes, Int32(bytes.count))
        unsafe self.source = source
    }

    deinit {
        // SAFETY: made in init, and nobody else has it.
        unsafe BIO_free(source)
    }

    /// The next block; nil at the end.
    func next() throws(KeyError) -> Block? {
        var name: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        ERR_clear_error()
        // SAFETY: the library makes the three texts, which are freed below.
        guard unsafe PEM_read_bio(source, &name, &header, &bytes, &count) == 1 else {
            guard ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE else {
                ERR_clear_error()
                return nil
            }
            throw .unreadable(reason: LibraryError.text())
        }
        defer {
            // SAFETY: as above; each is freed once. The bytes may be a private key's.
            unsafe CRYPTO_free(name, #file, #line)
            unsafe CRYPTO_free(header, #file, #line)
            unsafe CRYPTO_clear_free(bytes, count, #file, #line)
        }
        // SAFETY: the name ends with a zero, and the bytes are as many as the library says.
        let block = unsafe Block(
            name: name.map { unsafe String(cString: $0) } ?? "",
            bytes: Array(UnsafeBufferPointer(start: bytes, count: count))
        )
        return block
    }
}

/// What the library says of its last failure.
enum LibraryError {
    /// The reason of this thread's last error, whose queue it empties.
    static func text() -> String {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        // SAFETY: the text is a constant of the library.
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
        // SAFETY: as above, NUL-terminated.
        return unsafe String(cString: text)
    }
}
