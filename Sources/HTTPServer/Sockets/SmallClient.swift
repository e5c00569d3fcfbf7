// SPDX-License-Identifier: MIT

internal import CLinux
internal import Glibc
package import Platform

/// A client of HTTP/1.1 that sends one request, reads the answer and blocks meanwhile: for checks
/// and telemetry, not for a loop.
package enum SmallClient {
    /// How often a wait asks anew whether it is over.
    private static let sliceMilliseconds = 50
    private static let blockBytes = 4096

    /// What a GET of a path is answered with, or with a body a POST of JSON; nil where no HTTP
    /// answer came.
    ///
    /// `millisecondsLeft` bounds all of it together, connection, request and answer, however slowly
    /// they move: it is asked before each wait and every 50 ms of one.
    ///
    /// - Throws: `SystemError` where there is no connection, it breaks or the time is over.
    package static func answer(
        host: String,
        port: UInt16,
        path: String,
        body: [UInt8]? = nil,
        millisecondsLeft: () -> Int
    ) throws(SystemError) -> SmallAnswer? {
        guard let connection = try connect(host, port, millisecondsLeft) else { return nil }
        var head = "\(body == nil ? "GET" : "POST") \(path) HTTP/1.1\r\nHost: \(host)\r\n"
        if let body {
            head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        }
        let request = Array((head + "Connection: close\r\n\r\n").utf8) + (body ?? [])
        var sent = 0
        while sent < request.count {
            try wait(connection.rawValue, for: POLLOUT, millisecondsLeft)
            sent += try connection.send(request, from: sent) ?? 0
        }
        return try receive(connection, millisecondsLeft)
    }

    private static func receive(
        _ connection: borrowing Socket,
        _ millisecondsLeft: () -> Int
    ) throws(SystemError) -> SmallAnswer? {
        var reader = SmallAnswerReader()
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: blockBytes)
        var fallback: SmallAnswer?
        while true {
            do throws(SystemError) {
                try wait(connection.rawValue, for: POLLIN, millisecondsLeft)
                guard let count = try connection.receive(into: &block, from: 0) else { continue }
                bytes += block[..<count]
                switch reader.read(bytes, isEnd: count == 0) {
                case .done(let answer): return answer
                case .refused: return nil
                case .more(let answer):
                    fallback = answer
                    if count == 0 { return fallback }
                }
            } catch {
                // The status is known, and only the body stays away.
                if let fallback { return fallback }
                throw error
            }
        }
    }

    /// A connection; nil for a host that is no address.
    private static func connect(
        _ host: String,
        _ port: UInt16,
        _ millisecondsLeft: () -> Int
    ) throws(SystemError) -> Socket? {
        let kind = Int32(
            SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        )
        guard let address = SocketAddress(host: host, port: port),
            let raw = try systemCall("socket", { socket(address.family, kind, 0) })
        else { return nil }
        let connection = Socket(FileDescriptor(owning: raw))
        do throws(SystemError) {
            _ = try systemCall("connect") {
                // SAFETY: the address outlives the call.
                unsafe address.withSystemAddress { unsafe Glibc.connect(raw, $0, $1) }
            }
        } catch {
            guard error.errno == EINPROGRESS else { throw error }
            try wait(raw, for: POLLOUT, millisecondsLeft)
            var code: Int32 = 0
            var byteCount = socklen_t(MemoryLayout<Int32>.size)
            // SAFETY: code and count are valid for the call, and the count is the code's.
            unsafe getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &byteCount)
            if code != 0 { throw SystemError(call: "connect", errno: code) }
        }
        return connection
    }

    /// Waits until a socket can be written or read.
    ///
    /// - Throws: `SystemError`, also where the time is over.
    private static func wait(
        _ raw: Int32,
        for events: Int32,
        _ millisecondsLeft: () -> Int
    ) throws(SystemError) {
        while true {
            let left = millisecondsLeft()
            guard left > 0 else { throw SystemError(call: "poll", errno: ETIMEDOUT) }
            var entry = pollfd(fd: raw, events: Int16(events), revents: 0)
            let slice = Int32(min(left, sliceMilliseconds))
            // SAFETY: the structure lives for the call, and there is one.
            let count = try systemCall("poll") { unsafe poll(&entry, 1, slice) }
            if count == 1 { return }
        }
    }
}
