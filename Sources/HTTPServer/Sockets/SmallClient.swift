// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc
package import Platform

/// A client of HTTP/1.1 that sends one request, reads the status of its answer and blocks
/// meanwhile: for checks and telemetry, not for a loop.
package enum SmallClient {
    /// Bytes of `HTTP/1.1 200`.
    private static let statusByteCount = 12

    /// The status that a GET of a path is answered with, or with a body a POST of JSON; nil where
    /// no HTTP answer came.
    ///
    /// The connection and each part of request and answer are waited for up to the timeout, in
    /// seconds.
    ///
    /// - Throws: `SystemError` where there is no connection or it breaks.
    package static func status(
        host: String,
        port: UInt16,
        path: String,
        body: [UInt8]? = nil,
        timeoutSeconds: Int
    ) throws(SystemError) -> Int? {
        guard let connection = try connect(host, port, timeoutSeconds) else { return nil }
        var head = "\(body == nil ? "GET" : "POST") \(path) HTTP/1.1\r\nHost: \(host)\r\n"
        if let body {
            head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        }
        let request = Array((head + "Connection: close\r\n\r\n").utf8) + (body ?? [])
        var sent = 0
        while sent < request.count {
            guard let more = try connection.send(request, from: sent) else { return nil }
            sent += more
        }
        var answer = [UInt8](repeating: 0, count: statusByteCount)
        var count = 0
        while count < statusByteCount {
            guard let more = try connection.receive(into: &answer, from: count), more > 0 else {
                return nil
            }
            count += more
        }
        let text = String(decoding: answer, as: UTF8.self)
        return text.hasPrefix("HTTP/1.") ? Int(text.suffix(3)) : nil
    }

    /// A blocking connection whose calls end after the timeout; nil for a host that is no address.
    private static func connect(
        _ host: String,
        _ port: UInt16,
        _ timeoutSeconds: Int
    ) throws(SystemError) -> Socket? {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard let address = SocketAddress(host: host, port: port),
            let raw = try systemCall("socket", { socket(address.family, kind, 0) })
        else { return nil }
        let connection = Socket(FileDescriptor(owning: raw))
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            // SAFETY: the timeout is valid for the call and its size is given.
            unsafe setsockopt(
                raw,
                SOL_SOCKET,
                option,
                &timeout,
                socklen_t(MemoryLayout<timeval>.size)
            )
        }
        let connected = try systemCall("connect") {
            // SAFETY: the address outlives the call.
            unsafe address.withSystemAddress { unsafe Glibc.connect(raw, $0, $1) }
        }
        guard connected != nil else { return nil }
        return connection
    }
}
