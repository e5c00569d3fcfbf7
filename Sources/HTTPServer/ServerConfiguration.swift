// SPDX-License-Identifier: MIT

internal import Platform

/// An address to listen on.
package struct ListenerConfiguration: Sendable, Equatable {
    /// Which of the server's listeners it is.
    package var listener: Listener
    /// A numeric IPv4 or IPv6 address, or `localhost`.
    package var host: String
    /// The port; 0 lets the system pick a free one.
    package var port: UInt16
    /// What TLS needs; nil speaks in the clear.
    package var tls: TLSConfiguration?

    /// Makes an address.
    package init(
        _ listener: Listener = .main,
        host: String = "127.0.0.1",
        port: UInt16,
        tls: TLSConfiguration? = nil
    ) {
        self.listener = listener
        self.host = host
        self.port = port
        self.tls = tls
    }

    /// Whether a text is a host that can be listened on, as far as its form tells.
    package static func isAddress(_ host: String) -> Bool {
        SocketAddress(host: host, port: 0) != nil
    }
}

/// What a server is told at its start.
package struct ServerConfiguration: Sendable {
    /// Each loop has one of Dispatch's 255 threads for itself, and other work needs some as well.
    package static let eventLoopCountMax = 128

    /// The addresses, at most one in the clear and one with TLS for each ``Listener``.
    package var listeners: [ListenerConfiguration]
    /// The number of event loops, up to ``eventLoopCountMax``; by default one for each core that
    /// this process may use.
    package var eventLoopCount = min(UsableCores.count, Self.eventLoopCountMax)
    /// Whether the ports may be those of another server of the same user, with which this one
    /// then shares the clients; without it such a port is an error.
    package var sharesPorts = false
    /// All bounds.
    package var limits = ServerLimits()

    /// Makes a configuration with default loops and limits.
    package init(listeners: [ListenerConfiguration]) {
        self.listeners = listeners
    }
}
