// SPDX-License-Identifier: MIT

import CLinux
import Glibc
@testable import HTTPServer
import Platform

/// A blocking client that speaks raw bytes to a port of loopback.
///
/// Every read ends after ten seconds at the latest, so that a broken server fails a test instead of
/// hanging it.
final class TestClient: Sendable {
    private let descriptor: FileDescriptor

    /// Connects; `receiveBytes` is the size of the socket's buffer.
    init?(port: UInt16, receiveBytes: Int32? = nil) {
        let raw = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        descriptor = FileDescriptor(owning: raw)
        guard raw >= 0, let address = SocketAddress(host: "127.0.0.1", port: port) else {
            return nil
        }
        var timeout = timeval(tv_sec: 10, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        // SAFETY: the timeout is valid for the call and its size is given.
        unsafe setsockopt(raw, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        if var receiveBytes {
            let size = socklen_t(MemoryLayout<Int32>.size)
            // SAFETY: the number is valid for the call and its size is given.
            unsafe setsockopt(raw, SOL_SOCKET, SO_RCVBUF, &receiveBytes, size)
        }
        // SAFETY: the address outlives the call.
        let result = unsafe address.withSystemAddress { unsafe connect(raw, $0, $1) }
        guard result == 0 else { return nil }
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
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

    func finishSending() {
        shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }

    /// Makes the end of this client a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        // SAFETY: the option is valid for the call and its size is given.
        unsafe setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &option, size)
    }

    /// What comes next, or nil at the end of the stream or on failure.
    func receive() -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        // SAFETY: the buffer is valid for the call and its count is given.
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor.rawValue, bytes.baseAddress, bytes.count, 0)
        }
        return count > 0 ? Array(buffer[..<count]) : nil
    }

    /// Everything up to the end of the stream.
    func receiveAll() -> String {
        var all: [UInt8] = []
        while let bytes = receive() { all += bytes }
        return String(decoding: all, as: UTF8.self)
    }

    /// What comes until it holds that many answers with the given last bytes.
    func receive(until ending: String, count: Int = 1) -> String {
        received(until: ending, count: count) { receive() }
    }
}

/// What comes until it holds a text that many times, without overlap, or ends.
func received(until text: String, count: Int, _ receive: () -> [UInt8]?) -> String {
    let word = Array(text.utf8)
    var all: [UInt8] = []
    var found = 0
    // Where the last one ended, and how far was looked.
    var (start, index) = (0, 0)
    while found < count, let bytes = receive() {
        all += bytes
        while let last = firstIndex(of: word[word.count - 1], in: all, from: index) {
            index = last + 1
            if index - start >= word.count, all[..<index].suffix(word.count).elementsEqual(word) {
                found += 1
                start = index
            }
        }
        index = all.count
    }
    return String(decoding: all, as: UTF8.self)
}

/// Where a byte comes first, from a place on: by `memchr`, since tests look through megabytes under
/// sanitizers.
private func firstIndex(of byte: UInt8, in bytes: [UInt8], from start: Int) -> Int? {
    // SAFETY: the array is valid for the call, and so many bytes of it follow the place.
    unsafe bytes.withUnsafeBytes { buffer -> Int? in
        guard let base = buffer.baseAddress, start < buffer.count else { return nil }
        let found = unsafe memchr(base + start, Int32(byte), buffer.count - start)
        return unsafe found.map { unsafe UnsafeRawPointer($0) - base }
    }
}
