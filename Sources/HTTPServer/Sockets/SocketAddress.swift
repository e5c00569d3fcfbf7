// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc

/// An IPv4 or IPv6 address with a port.
struct SocketAddress {
    private var storage = sockaddr_storage()
    private let byteCount: socklen_t
    /// `AF_INET` or `AF_INET6`.
    let family: Int32

    /// Reads a numeric address, with or without brackets, or `localhost`; nil for anything else.
    init?(host: String, port: UInt16) {
        let bare =
            host.hasPrefix("[") && host.hasSuffix("]")
            ? String(host.dropFirst().dropLast()) : host == "localhost" ? "127.0.0.1" : host
        var four = sockaddr_in()
        var six = sockaddr_in6()
        // SAFETY: each destination is the address field of its structure, of the size inet_pton
        // writes for that family.
        if unsafe inet_pton(AF_INET, bare, &four.sin_addr) == 1 {
            family = AF_INET
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            byteCount = socklen_t(MemoryLayout<sockaddr_in>.size)
            SocketAddress.store(four, in: &storage)
        } else if unsafe inet_pton(AF_INET6, bare, &six.sin6_addr) == 1 {
            family = AF_INET6
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            byteCount = socklen_t(MemoryLayout<sockaddr_in6>.size)
            SocketAddress.store(six, in: &storage)
        } else {
            return nil
        }
    }

    /// Calls `body` with the address as the system takes it.
    func withSystemAddress<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        // SAFETY: sockaddr_storage is laid out to be read as any sockaddr; the count is the
        // family's own.
        unsafe withUnsafePointer(to: storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe body(address, byteCount)
            }
        }
    }

    private static func store<Address>(_ address: Address, in storage: inout sockaddr_storage) {
        precondition(MemoryLayout<Address>.size <= MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the storage is large enough, as checked above, and aligned for any address.
        unsafe withUnsafeMutableBytes(of: &storage) { buffer in
            unsafe buffer.storeBytes(of: address, as: Address.self)
        }
    }
}
