// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

/// A port of loopback whose connections the system takes, and which nobody answers at.
final class HangingCollector: Sendable {
    private let listener: ListeningSocket
    /// What `--otlp-collector` is told.
    let address: String

    init() throws {
        listener = try ListeningSocket(
            #require(SocketAddress(host: "127.0.0.1", port: 0)),
            backlog: 64
        )
        address = "127.0.0.1:\(try listener.port())"
    }
}
