// SPDX-License-Identifier: MIT

internal import COpenSSL

/// SHA-256 (FIPS 180-4) of OpenSSL, fed piece by piece.
///
///     var hasher = SHA256()
///     hasher.update(header)
///     hasher.update(body)
///     let digest = hasher.finish()
///
/// OpenSSL fails here only without memory or without its default provider; both trap, since no
/// caller could go on with a digest that was not computed.
@safe package struct SHA256: ~Copyable {
    // SAFETY: the context never leaves the value that owns it, hence @safe.
    private let context: OpaquePointer

    /// Makes a hasher of nothing yet.
    package init() {
        // SAFETY: owned by this value alone; freed once, in deinit.
        guard let context = unsafe EVP_MD_CTX_new() else {
            preconditionFailure("OpenSSL has no memory for a digest context")
        }
        unsafe self.context = context
        // SAFETY: the context is new, the algorithm static, and no engine is given.
        let status = unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil)
        precondition(status == 1, "OpenSSL offers no SHA-256")
    }

    deinit {
        // SAFETY: made in init, and nobody else has it.
        unsafe EVP_MD_CTX_free(context)
    }

    /// Takes the next bytes in.
    package mutating func update(_ bytes: Span<UInt8>) {
        // SAFETY: the span's storage outlives the call, and its own count is given.
        let status = unsafe bytes.withUnsafeBytes { buffer in
            unsafe EVP_DigestUpdate(context, buffer.baseAddress, buffer.count)
        }
        precondition(status == 1, "OpenSSL refused bytes for a digest")
    }

    /// Takes the next bytes in.
    package mutating func update(_ bytes: [UInt8]) {
        update(bytes.span)
    }

    /// The digest of all bytes taken in.
    package consuming func finish() -> Digest {
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        // SAFETY: SHA-256 writes exactly the 32 bytes that the array has.
        let status = unsafe span.withUnsafeMutableBytes { buffer in
            unsafe EVP_DigestFinal_ex(
                context,
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self),
                nil
            )
        }
        precondition(status == 1, "OpenSSL could not finish a digest")
        return Digest(bytes: bytes)
    }

    /// The digest of some bytes.
    package static func digest(of bytes: Span<UInt8>) -> Digest {
        var hasher = SHA256()
        hasher.update(bytes)
        return hasher.finish()
    }

    /// The digest of some bytes.
    package static func digest(of bytes: [UInt8]) -> Digest {
        digest(of: bytes.span)
    }
}
