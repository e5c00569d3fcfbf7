// SPDX-License-Identifier: MIT

/// A protocol that a client can ask for by ALPN (RFC 7301).
package enum ApplicationProtocol: String, Sendable, CaseIterable {
    /// HTTP/2.
    case http2 = "h2"
    /// HTTP/1.1.
    case http1 = "http/1.1"
}

/// What a listener needs to speak TLS.
package struct TLSConfiguration: Sendable, Equatable {
    /// A PEM file of the certificate, followed by those between it and a known authority.
    package var certificatePath: String
    /// A PEM file of the certificate's private key, not encrypted.
    package var keyPath: String
    /// A PEM file of the authorities one of which has to have signed the client's certificate; nil
    /// asks for none.
    package var clientAuthorityPath: String?
    /// What is offered by ALPN, the preferred first.
    package var protocols: [ApplicationProtocol] = [.http2, .http1]

    /// Makes a configuration that asks for no client certificate.
    package init(certificatePath: String, keyPath: String, clientAuthorityPath: String? = nil) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.clientAuthorityPath = clientAuthorityPath
    }

    /// Loads the files as a server would.
    ///
    /// - Throws: ``TLSError`` where one cannot be used, or the key is not the certificate's.
    package func check() throws(TLSError) {
        _ = try TLSContext(self)
    }
}

/// Why certificate, key and authorities cannot be used.
package enum TLSError: Error, Equatable, CustomStringConvertible {
    /// A file that cannot be read, or holds no such thing.
    case unusable(what: String, path: String, reason: String)
    /// The key belongs to another certificate.
    case mismatch(certificatePath: String, keyPath: String)
    /// A changed certificate has ended, and the one in use has not.
    case ended(certificatePath: String)
    /// OpenSSL has refused a setting of ours, or got no memory.
    case library(call: String, reason: String)

    package var description: String {
        switch self {
        case .unusable(let what, let path, let reason): "\(path): no usable \(what): \(reason)"
        case .mismatch(let certificate, let key):
            "\(key): not the key of the certificate in \(certificate)"
        case .ended(let path): "\(path): the certificate has ended, the one in use has not"
        case .library(let call, let reason): "\(call): \(reason)"
        }
    }
}
