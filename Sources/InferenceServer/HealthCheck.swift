// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// Asks the server of this machine that the settings describe how it is: what `--health-check`
/// does, for an image that has no other client.
enum HealthCheck {
    /// Longest wait for all of it: a container's health check is given 3 s by default here.
    private static let timeoutNanoseconds: Int64 = 2_000_000_000

    /// Why the server does not count as healthy; nil where it does.
    static func failure(_ settings: Settings) -> String? {
        let (host, port) =
            settings.port.map { (settings.host, $0) }
            ?? (settings.adminHost, settings.adminPort ?? 0)
        guard port != 0 else { return "no port is set to ask at" }
        let address = reachable(host)
        let clock = MonotonicClock.system
        let end = clock.nowNanoseconds + timeoutNanoseconds
        do throws(SystemError) {
            let answer = try SmallClient.answer(
                host: address,
                port: port,
                path: "/health",
                millisecondsLeft: { Int((end - clock.nowNanoseconds) / 1_000_000) }
            )
            guard let answer else { return "no answer from \(address) port \(port)" }
            return answer.status == 200 ? nil : "/health answered \(answer.status)"
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
