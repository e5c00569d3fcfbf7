// SPDX-License-Identifier: MIT

internal import COpenSSL

/// An Ed25519 private key, which signs; its owner frees it.
@safe package struct Ed25519PrivateKey: ~Copyable {
    // SAFETY: the key never leaves the value that owns it, hence @safe.
    private let key: OpaquePointer
    /// The key that checks its signatures.
    package let publicKey: Ed25519PublicKey

    /// Reads a PEM text as `openssl genpkey -algorithm ed25519` writes it, without a password.
    ///
    /// - Throws: ``KeyError``.
    package init(_ pem: [UInt8]) throws(KeyError) {
        let bytes = try Self.encoded(in: pem)
        // SAFETY: the pointer into `bytes` is used during the call only, with their count.
        let read = unsafe bytes.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return unsafe d2i_AutoPrivateKey(nil, &next, buffer.count)
        }
        guard let key = unsafe read else { throw .unreadable(reason: LibraryError.text()) }
        do throws(KeyError) {
            // SAFETY: as above.
            publicKey = unsafe try Ed25519PublicKey(of: key)
        } catch {
            // SAFETY: nobody else has it.
            unsafe EVP_PKEY_free(key)
            throw error
        }
        // SAFETY: as above.
        unsafe self.key = key
    }

    /// The first private key of a PEM text.
    private static func encoded(in pem: [UInt8]) throws(KeyError) -> [UInt8] {
        let text = try PEMText(pem)
        while let block = try text.next() {
            if block.name == "PRIVATE KEY" { return block.bytes }
            if block.name == "ENCRYPTED PRIVATE KEY" {
                throw .unreadable(reason: "it is under a password")
            }
        }
        throw .none(kind: "private key")
    }

    deinit {
        // SAFETY: made in init, and nobody else has it.
        unsafe EVP_PKEY_free(key)
    }

    /// The signature of some bytes, the same each time.
    ///
    /// - Throws: ``KeyError`` where the library cannot.
    package func signature(of message: [UInt8]) throws(KeyError) -> [UInt8] {
        // SAFETY: freed once, below.
        guard let context = unsafe EVP_MD_CTX_new() else {
            throw .unreadable(reason: LibraryError.text())
        }
        // SAFETY: as above.
        defer { unsafe EVP_MD_CTX_free(context) }
        var count = Ed25519PublicKey.signatureByteCount
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: the lengths are those of the arrays; Ed25519 takes no digest.
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            unsafe EVP_DigestSign(context, &bytes, &count, message, message.count) == 1,
            count == bytes.count
        else { throw .unreadable(reason: LibraryError.text()) }
        return bytes
    }
}
