// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// Settings that are each in order and cannot be had together.
extension Settings {
    /// Two listeners of one address and port; nil where there are none.
    var listenerConflict: SettingError? {
        let listeners: [(flag: String, host: String, port: UInt16?)] = [
            ("port", host, port), ("tls-port", host, tlsPort), ("admin-port", adminHost, adminPort),
        ]
        for (index, second) in listeners.enumerated() {
            for first in listeners[..<index] {
                // 0 is another port for each.
                guard let port = second.port, port != 0, port == first.port,
                    Self.shareAddresses(first.host, second.host)
                else { continue }
                return SettingError(
                    source: "--\(second.flag)",
                    text: "\(port)",
                    accepted: "a port of its own: it is that of --\(first.flag) too",
                    isEnvironment: false
                )
            }
        }
        return nil
    }

    /// Whether listeners on two hosts meet: on the same, or where one of them is every address,
    /// which for IPv6 those of IPv4 belong to.
    private static func shareAddresses(_ first: String, _ second: String) -> Bool {
        let hosts = [first, second].map { host in
            host == "localhost" ? "127.0.0.1" : host.filter { $0 != "[" && $0 != "]" }
        }
        guard hosts[0] != hosts[1], !hosts.contains("::") else { return true }
        return hosts.contains("0.0.0.0") && !hosts.contains { $0.contains(":") }
    }

    /// One directory for two things: state and decision log, whose locks exclude each other, or
    /// bundles and what is not one; nil where each has its own.
    ///
    /// Of directories that are there, the links are followed.
    var directoryConflict: SettingError? {
        let directories: [(flag: String, path: String?)] = [
            ("model-dir", modelDirectory), ("state-dir", stateDirectory),
            ("decision-log", decisionDirectory),
        ]
        for (index, second) in directories.enumerated() {
            for first in directories[..<index] {
                guard let path = second.path, let other = first.path,
                    Self.parts(path) == Self.parts(other) || FileAccess.isSame(path, other)
                else { continue }
                return SettingError(
                    source: "--\(second.flag)",
                    text: path,
                    accepted: "a directory of its own: it is that of --\(first.flag) too",
                    isEnvironment: false
                )
            }
        }
        return nil
    }

    /// Client certificates that are asked for where no client speaks TLS; nil where some can.
    var authorityConflict: SettingError? {
        guard let tlsClientAuthority, tlsPort == nil else { return nil }
        return SettingError(
            source: "--tls-client-ca",
            text: tlsClientAuthority,
            accepted: "possible without --tls-port: clients in the clear show no certificate",
            isEnvironment: false
        )
    }

    private static func parts(_ path: String) -> [Substring] {
        let root: [Substring] = path.hasPrefix("/") ? ["/"] : []
        return root + path.split(separator: "/").filter { $0 != "." }
    }
}
