// SPDX-License-Identifier: MIT

internal import Platform

/// Writes answers as RFC 9112 §4 has them.
enum ResponseWriter {
    /// What the answer says about the connection.
    enum Persistence {
        /// Nothing: 1.1 connections stay.
        case standard
        /// It stays although the client speaks 1.0.
        case keepAlive
        /// It ends.
        case close
    }

    /// Appends head and body.
    ///
    /// `omitsBody` is for HEAD: the length is told, the body not sent.
    static func write(
        _ response: borrowing Response,
        to output: inout [UInt8],
        date: [UInt8],
        persistence: Persistence,
        omitsBody: Bool
    ) {
        let code = response.status
        // Spans, since the closure below would hold copies of the arrays.
        let (fields, body) = (response.fieldBytes.span, response.body.span)
        let type = response.contentType
        let hasBody = !body.isEmpty
        let capacity = date.count + fields.count + body.count + Text.byteCountMax
        // One piece of room for all: every append by itself would look for it again.
        output.append(addingCapacity: capacity) { output in
            if code == 200 {
                output.append(copying: Text.ok.span)
            } else {
                let line = StatusLine.all[code - 100]
                output.append(copying: line.span)
            }
            output.append(copying: date.span)
            if hasBody { append(type, to: &output) }
            // RFC 9110 §8.6: no Content-Length in a 204 or 304 without a body.
            if hasBody || code != 204 && code != 304 {
                output.append(copying: Text.contentLength.span)
                output.append(decimal: body.count)
                output.append(0x0D)
                output.append(0x0A)
            }
            output.append(copying: fields)
            switch persistence {
            case .standard: break
            case .keepAlive: output.append(copying: Text.keepAlive.span)
            case .close: output.append(copying: Text.close.span)
            }
            output.append(0x0D)
            output.append(0x0A)
            if hasBody && !omitsBody { output.append(copying: body) }
        }
    }

    private static func append(_ type: ContentType, to output: inout OutputSpan<UInt8>) {
        if case .json = type { return output.append(copying: Text.json.span) }
        output.append(copying: Text.contentType.span)
        for byte in type.rawValue.utf8 { output.append(byte) }
        output.append(0x0D)
        output.append(0x0A)
    }

    /// Appends the head of an answer whose body follows, in chunks (RFC 9112 §7.1) or up to the end
    /// of the connection.
    static func writeStreamHead(
        _ response: borrowing Response,
        to output: inout [UInt8],
        date: [UInt8],
        closes: Bool,
        isChunked: Bool
    ) {
        output.append(contentsOf: StatusLine.all[response.status - 100])
        output.append(contentsOf: date)
        output.append(contentsOf: Text.contentType)
        output.append(contentsOf: response.contentType.rawValue.utf8)
        output.append(contentsOf: isChunked ? Text.chunked : Text.lineEnd)
        output.append(contentsOf: response.fieldBytes)
        if closes { output.append(contentsOf: Text.close) }
        output.append(0x0D)
        output.append(0x0A)
    }

    /// Appends a chunk; one without bytes would be the last, which is appended where it is.
    static func writeChunk(_ body: [UInt8], isLast: Bool, to output: inout [UInt8]) {
        if !body.isEmpty {
            output.append(text: String(body.count, radix: 16))
            output.append(contentsOf: Text.lineEnd)
            output.append(contentsOf: body)
            output.append(contentsOf: Text.lineEnd)
        }
        if isLast { output.append(contentsOf: Text.lastChunk) }
    }

    private enum Text {
        /// More than a status line, a length of 20 digits and all below take.
        static let byteCountMax = 256
        static let ok = StatusLine.all[200 - 100]
        static let json = Array("content-type: application/json\r\n".utf8)
        static let contentType = Array("content-type: ".utf8)
        static let contentLength = Array("content-length: ".utf8)
        static let chunked = Array("\r\ntransfer-encoding: chunked\r\n".utf8)
        static let lastChunk = Array("0\r\n\r\n".utf8)
        static let lineEnd = Array("\r\n".utf8)
        static let keepAlive = Array("connection: keep-alive\r\n".utf8)
        static let close = Array("connection: close\r\n".utf8)
    }
}
