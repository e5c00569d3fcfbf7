// SPDX-License-Identifier: MIT

extension HTTP1Connection {
    /// What has come and has not been answered, within `input`.
    var unread: Range<Int> { inputStart..<inputEnd }

    /// Whether the connection begins as RFC 9113 §3.4 has it; false for a part of that, nil for
    /// anything else, and where TLS has chosen the version (§3.3).
    ///
    /// No request of HTTP/1.1 begins with these bytes.
    func hasHTTP2Preface() -> Bool? {
        if isEncrypted { return nil }
        let preface = Self.http2Preface
        let count = min(inputEnd - inputStart, preface.count)
        for index in 0..<count where input[inputStart + index] != preface[index] { return nil }
        return count == preface.count ? true : count > 0 ? false : nil
    }

    private static let http2Preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
}
