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

    /// Makes an address.
    package init(_ listener: Listener = .main, host: String = "127.0.0.1", port: UInt16) {
        self.listener = listener
        self.host = host
        self.port = port
    }
}

/// What a server is told at its start.
package struct ServerConfiguration: Sendable {
    /// The addresses, at most one for each ``Listener``.
    package var listeners: [ListenerConfiguration]
    /// The number of event loops; by default one for each core that this process may use.
    package var eventLoopCount = UsableCores.count
    /// All bounds.
    package var limits = ServerLimits()

    /// Makes a configuration with default loops and limits.
    package init(listeners: [ListenerConfiguration]) {
        self.listeners = listeners
    }
}
