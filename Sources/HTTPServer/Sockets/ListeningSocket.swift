// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc
internal import Platform

/// A socket that takes connections; every loop has one of its own on the same port.
struct ListeningSocket: ~Copyable {
    let descriptor: FileDescriptor

    /// Bytes that a socket takes in beyond what its client has room for: 32 KiB keep a gigabit busy
    /// for a turn of the loop, and one that reads nothing gets one block of answers, not three.
    private static let unsentBytesMax: Int32 = 32_768

    /// Binds and listens with `SO_REUSEPORT`.
    ///
    /// - Throws: `SystemError`.
    init(_ address: SocketAddress, backlog: Int32) throws(SystemError) {
        let descriptor = try ListeningSocket.open(family: address.family)
        let raw = descriptor.rawValue
        try ListeningSocket.set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
        try ListeningSocket.set(raw, SOL_SOCKET, SO_REUSEPORT, 1)
        // Accepted sockets inherit it, which saves a call for each.
        try ListeningSocket.set(raw, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        // As well inherited: the system would take in megabytes for a client that does not read.
        try ListeningSocket.set(
            raw,
            Int32(IPPROTO_TCP),
            TCP_NOTSENT_LOWAT,
            ListeningSocket.unsentBytesMax
        )
        try ListeningSocket.check("bind") {
            // SAFETY: the address outlives the call.
            unsafe address.withSystemAddress { unsafe bind(raw, $0, $1) }
        }
        try ListeningSocket.check("listen") { listen(raw, backlog) }
        self.descriptor = descriptor
    }

    /// Checks that no one listens on the address: `SO_REUSEPORT` alone would share it without a
    /// word with another server of the same user, and split the clients between the two.
    ///
    /// - Throws: `SystemError`.
    static func requireFree(_ address: SocketAddress) throws(SystemError) {
        let descriptor = try open(family: address.family)
        let raw = descriptor.rawValue
        // So that the last connections of a server that has ended are no hindrance.
        try set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
        try check("bind") {
            // SAFETY: the address outlives the call.
            unsafe address.withSystemAddress { unsafe bind(raw, $0, $1) }
        }
    }

    /// The port that it is bound to.
    ///
    /// - Throws: `SystemError`.
    func port() throws(SystemError) -> UInt16 {
        var storage = sockaddr_storage()
        var byteCount = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let raw = descriptor.rawValue
        try ListeningSocket.check("getsockname") {
            // SAFETY: storage and count are valid for the call, and the count is the storage's.
            unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                    unsafe getsockname(raw, address, &byteCount)
                }
            }
        }
        // SAFETY: IPv4 and IPv6 addresses have the port at the same place, as sockaddr_in says.
        return unsafe withUnsafeBytes(of: storage) { buffer in
            unsafe UInt16(bigEndian: buffer.load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// Takes the next connection, or nil where none waits.
    ///
    /// - Throws: `SystemError`.
    func accept() throws(SystemError) -> FileDescriptor? {
        let raw = descriptor.rawValue
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let accepted = try systemCall("accept4") {
            // The peer's address is not asked for.
            accept4(raw, nil, nil, flags)
        }
        return accepted.map { FileDescriptor(owning: $0) }
    }

    /// Drops what would open a new connection, while handshakes that have begun go on.
    ///
    /// Closing a listener resets connections that are between handshake and accept; after this, a
    /// little later, there are none.
    ///
    /// - Throws: `SystemError`.
    func dropNewConnections() throws(SystemError) {
        // Byte 13 of a TCP header holds the flags; SYN (0x02) without ACK (0x10) opens.
        var program = [
            sock_filter(code: 0x30, jt: 0, jf: 0, k: 13),  // ldb [13]
            sock_filter(code: 0x54, jt: 0, jf: 0, k: 0x12),  // and #0x12
            sock_filter(code: 0x15, jt: 0, jf: 1, k: 0x02),  // jeq #0x02
            sock_filter(code: 0x06, jt: 0, jf: 0, k: 0),  // ret #0: drop
            sock_filter(code: 0x06, jt: 0, jf: 0, k: 0x0004_0000),  // ret #262144: keep whole
        ]
        let raw = descriptor.rawValue
        try ListeningSocket.check("setsockopt") {
            // SAFETY: the program outlives the call and its length is told; the kernel copies it.
            unsafe program.withUnsafeMutableBufferPointer { buffer in
                var header = unsafe sock_fprog(
                    len: UInt16(buffer.count),
                    filter: buffer.baseAddress
                )
                let byteCount = unsafe socklen_t(MemoryLayout<sock_fprog>.size)
                return unsafe setsockopt(
                    raw,
                    SOL_SOCKET,
                    SO_ATTACH_FILTER,
                    &header,
                    byteCount
                )
            }
        }
    }

    private static func open(family: Int32) throws(SystemError) -> FileDescriptor {
        let type = Int32(
            SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        )
        let raw = try systemCall("socket") { socket(family, type, 0) }
        guard let raw else { throw SystemError(call: "socket", errno: EAGAIN) }
        return FileDescriptor(owning: raw)
    }

    private static func set(
        _ raw: Int32,
        _ level: Int32,
        _ option: Int32,
        _ value: Int32
    ) throws(SystemError) {
        try ListeningSocket.check("setsockopt") {
            var value = value
            // SAFETY: the value is an int, as the size says, and outlives the call.
            return unsafe setsockopt(
                raw,
                level,
                option,
                &value,
                socklen_t(MemoryLayout<Int32>.size)
            )
        }
    }

    private static func check(_ name: StaticString, _ body: () -> Int32) throws(SystemError) {
        guard try systemCall(name, body) != nil else {
            throw SystemError(call: "\(name)", errno: EAGAIN)
        }
    }
}
