// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// Asks the server of this machine that the settings describe how it is: what `--health-check`
/// does, for an image that has no other client.
enum HealthCheck {
    /// Longest wait for each step: a container's health check is given 3 s by default here.
    private static let timeoutSeconds = 2

    /// Why the server does not count as healthy; nil where it does.
    static func failure(_ settings: Settings) -> String? {
        let (host, port) =
            settings.port.map { (settings.host, $0) }
            ?? (settings.adminHost, settings.adminPort ?? 0)
        guard port != 0 else { return "no port is set to ask at" }
        let address = reachable(host)
        do throws(SystemError) {
            let status = try SmallClient.status(
                host: address,
                port: port,
                path: "/health",
                timeoutSeconds: timeoutSeconds
            )
            guard let status else { return "no answer from \(address) port \(port)" }
            return status == 200 ? nil : "/health answered \(status)"
        } catch {
            return "\(address) port \(port): \(error)"
        }
    }

    /// An address to connect to; a server that listens on every address is met on loopback.
    private static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::", "[::]": "::1"
        default: host
        }
    }
}
