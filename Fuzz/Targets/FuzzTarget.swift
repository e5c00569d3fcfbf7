// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import JSON

/// Every function that is fed with any bytes: by the fuzzer, and by the tests with its corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Requests of HTTP/1.1.
    case http1
    /// Chunked bodies.
    case chunked
    /// Frames of HTTP/2.
    case http2
    /// Bodies in gzip.
    case gzip
    /// JSON texts.
    case json
    /// No target but the proof that a fault is found: it has one.
    case canary

    /// What is wrong with how the bytes were taken, or nil.
    package func fault(in bytes: [UInt8]) -> String? {
        switch self {
        case .http1: ProtocolProbe.http1(bytes)
        case .chunked: ProtocolProbe.chunkedBody(bytes)
        case .http2: ProtocolProbe.http2(bytes)
        case .gzip: ProtocolProbe.gzip(bytes)
        case .json: FuzzTarget.json(bytes)
        case .canary: FuzzTarget.canary(bytes)
        }
    }

    // Byte by byte, so that each right one reaches new code: that is how the fuzzer finds the next.
    private static func canary(_ bytes: [UInt8]) -> String? {
        guard bytes.count == 4 else { return nil }
        guard bytes[0] == UInt8(ascii: "b") else { return nil }
        guard bytes[1] == UInt8(ascii: "i") else { return nil }
        guard bytes[2] == UInt8(ascii: "r") else { return nil }
        guard bytes[3] == UInt8(ascii: "d") else { return nil }
        return "it sings"
    }

    /// What is read and written is read again as the same.
    private static func json(_ bytes: [UInt8]) -> String? {
        guard let value = try? JSONValue.parse(bytes) else { return nil }
        let text = value.serialized()
        guard let again = try? JSONValue.parse(text) else { return "what was written is not read" }
        return again == value && again.serialized() == text ? nil : "read again it is another"
    }
}
