// SPDX-License-Identifier: MIT

internal import HTTPServer

/// Where an OpenTelemetry collector takes OTLP over HTTP.
struct CollectorAddress: Sendable, Equatable, CustomStringConvertible {
    let host: String
    let port: UInt16

    /// Reads `127.0.0.1:4318` or `[::1]:4318`; names are not looked up, since a collector is beside
    /// the server.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let number = Setting.plainNumber(String(text[text.index(after: colon)...])),
            let port = UInt16(exactly: number), port != 0,
            ListenerConfiguration.isAddress(String(text[..<colon]))
        else { return nil }
        host = String(text[..<colon])
        self.port = port
    }

    var description: String { "\(host):\(port)" }
}
