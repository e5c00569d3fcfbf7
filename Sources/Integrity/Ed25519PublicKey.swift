// SPDX-License-Identifier: MIT

internal import COpenSSL

/// An Ed25519 public key (RFC 8032), which checks signatures.
package struct Ed25519PublicKey: Sendable, Equatable {
    /// How many bytes a signature has.
    package static let signatureByteCount = 64
    /// Keys that a file may hold: the one in use, its successor, and room for a few plants.
    package static let countMax = 16
    /// Bytes of a file of keys: each takes some 120.
    package static let fileBytesMax = 64 << 10

    private static let byteCount = 32

    /// The key itself, as RFC 8032 writes it.
    private let bytes: [UInt8]

    // SAFETY: the key is valid for the call and keeps its own memory.
    init(of key: OpaquePointer) throws(KeyError) {
        guard unsafe EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 else { throw .otherAlgorithm }
        var count = Self.byteCount
        var bytes = [UInt8](repeating: 0, count: count)
        // SAFETY: `count` says how much room there is.
        guard unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1,
            count == Self.byteCount
        else { throw .unreadable(reason: LibraryError.text()) }
        self.bytes = bytes
    }

    /// Reads a SubjectPublicKeyInfo (RFC 8410).
    private init(encoded bytes: [UInt8]) throws(KeyError) {
        // SAFETY: the pointer into `bytes` is used during the call only, with their count.
        let key = unsafe bytes.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            return unsafe d2i_PUBKEY(nil, &next, buffer.count)
        }
        guard let key = unsafe key else { throw .unreadable(reason: LibraryError.text()) }
        // SAFETY: made above, and nobody else has it.
        defer { unsafe EVP_PKEY_free(key) }
        try unsafe self.init(of: key)
    }

    /// Reads the public keys of a PEM text, at least one; `openssl pkey -pubout` writes such texts.
    ///
    /// What stands between the keys is passed over.
    ///
    /// - Throws: ``KeyError``, also for a key of another kind.
    package static func read(_ pem: [UInt8]) throws(KeyError) -> [Ed25519PublicKey] {
        let text = try PEMText(pem)
        var keys: [Ed25519PublicKey] = []
        while let block = try text.next() {
            guard block.name == "PUBLIC KEY" else { continue }
            guard keys.count < countMax else { throw .tooMany(limit: countMax) }
            keys.append(try Ed25519PublicKey(encoded: block.bytes))
        }
        guard !keys.isEmpty else { throw .none(kind: "public key") }
        return keys
    }

    /// Whether the signature is this key's, of exactly these bytes.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard signature.count == Self.signatureByteCount else { return false }
        // SAFETY: here and below lengths are those of the arrays, which outlive the calls; key and
        // context are freed once.
        guard
            let key = unsafe EVP_PKEY_new_raw_public_key(
                EVP_PKEY_ED25519,
                nil,
                bytes,
                bytes.count
            )
        else { return false }
        // SAFETY: as above.
        defer { unsafe EVP_PKEY_free(key) }
        // SAFETY: as above.
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        // SAFETY: as above.
        defer { unsafe EVP_MD_CTX_free(context) }
        // A signature that is none leaves a note, which is nobody's.
        defer { ERR_clear_error() }
        // SAFETY: as above; Ed25519 takes no digest.
        guard unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
        // SAFETY: as above.
        return unsafe EVP_DigestVerify(
            context,
            signature,
            signature.count,
            message,
            message.count
        ) == 1
    }
}
