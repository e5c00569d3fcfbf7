// SPDX-License-Identifier: MIT

import CLinux
import Glibc
import JSON
import Platform
import Testing

/// An answer as it came.
struct Answer {
    let status: Int
    let head: String
    let body: String

    /// The body as JSON.
    var json: JSONValue {
        get throws { try JSONValue.parse(Array(body.utf8)) }
    }

    /// The value of a header field, by its lower-case name.
    func field(_ name: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            if line[..<colon].lowercased() == name {
                return String(line[line.index(after: colon)...].drop { $0 == " " })
            }
        }
        return nil
    }
}

/// A blocking client that speaks raw bytes to a port of loopback; a read ends after 20 seconds at
/// the latest, so that a broken server fails a test instead of hanging it.
final class TestClient {
    private let descriptor: FileDescriptor
    private var received: [UInt8] = []

    init(port: UInt16) throws {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptor = FileDescriptor(owning: raw)
        var timeout = timeval(tv_sec: 20, tv_usec: 0)
        // SAFETY: the timeout is valid for the call and its size is given.
        unsafe setsockopt(
            raw,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &timeout,
            socklen_t(MemoryLayout<timeval>.size)
        )
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // SAFETY: the address outlives the call and its size is given.
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
                unsafe connect(raw, rebound, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == 0)
    }

    /// Sends a request and waits for its answer.
    func request(
        _ method: String,
        _ target: String,
        body: String? = nil,
        type: String? = "application/json",
        fields: [String] = []
    ) throws -> Answer {
        send(Self.bytes(method, target, body: body, type: type, fields: fields))
        return try #require(try receiveAnswer())
    }

    /// The bytes of a request.
    static func bytes(
        _ method: String,
        _ target: String,
        body: String? = nil,
        type: String? = "application/json",
        fields: [String] = []
    ) -> String {
        var head = "\(method) \(target) HTTP/1.1\r\nHost: test\r\n"
        if let body {
            if let type { head += "Content-Type: \(type)\r\n" }
            head += "Content-Length: \(body.utf8.count)\r\n"
        }
        for field in fields { head += field + "\r\n" }
        return head + "\r\n" + (body ?? "")
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var offset = 0
        while offset < bytes.count {
            // SAFETY: the rest of the array is valid for the call.
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
                return unsafe Glibc.send(
                    descriptor.rawValue,
                    rest.baseAddress,
                    rest.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard sent > 0 else { return }
            offset += sent
        }
    }

    /// The next answer, by its Content-Length or its chunks; nil where the stream ends before.
    func receiveAnswer() throws -> Answer? {
        let end = Array("\r\n\r\n".utf8)
        var headEnd = 0
        while true {
            if let found = received.firstRange(of: end) {
                headEnd = found.upperBound
                break
            }
            guard receive() else { return nil }
        }
        let head = String(decoding: received[..<headEnd], as: UTF8.self)
        let answer = Answer(status: Int(head.split(separator: " ")[1]) ?? 0, head: head, body: "")
        if answer.field("transfer-encoding") == "chunked" {
            received.removeFirst(headEnd)
            guard let body = receiveChunks() else { return nil }
            return Answer(
                status: answer.status,
                head: head,
                body: String(decoding: body, as: UTF8.self)
            )
        }
        let length = answer.field("content-length").flatMap { Int($0) } ?? 0
        while received.count < headEnd + length { guard receive() else { return nil } }
        let body = String(decoding: received[headEnd..<headEnd + length], as: UTF8.self)
        received.removeFirst(headEnd + length)
        return Answer(status: answer.status, head: head, body: body)
    }

    /// The content of chunks; nil where the stream ends before.
    private func receiveChunks() -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = received.firstRange(of: Array("\r\n".utf8)) else {
                guard receive() else { return nil }
                continue
            }
            let text = String(decoding: received[..<line.lowerBound], as: UTF8.self)
            let count = Int(text, radix: 16) ?? 0
            let end = line.upperBound + count
            while received.count < end + 2 { guard receive() else { return nil } }
            body += received[line.upperBound..<end]
            received.removeFirst(end + 2)
            if count == 0 { return body }
        }
    }

    /// What comes up to a text and with it, or up to the end of the stream.
    func receive(until text: String) -> String {
        let end = Array(text.utf8)
        while true {
            if let found = received.firstRange(of: end) {
                let taken = String(decoding: received[..<found.upperBound], as: UTF8.self)
                received.removeFirst(found.upperBound)
                return taken
            }
            guard receive() else { return String(decoding: received, as: UTF8.self) }
        }
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // SAFETY: the buffer is valid for the call and its count is given.
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor.rawValue, bytes.baseAddress, bytes.count, 0)
        }
        guard count > 0 else { return false }
        received += buffer[..<count]
        return true
    }
}
