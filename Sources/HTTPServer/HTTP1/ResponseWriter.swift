// SPDX-License-Identifier: MIT

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
        output.append(contentsOf: StatusLine.all[response.status - 100])
        output.append(contentsOf: date)
        let hasBody = !response.body.isEmpty
        if hasBody {
            output.append(contentsOf: Text.contentType)
            output.append(contentsOf: response.contentType.bytes)
            output.append(0x0D)
            output.append(0x0A)
        }
        // RFC 9110 §8.6: no Content-Length in a 204 or 304 without a body.
        if hasBody || response.status != 204 && response.status != 304 {
            output.append(contentsOf: Text.contentLength)
            output.append(decimal: response.body.count)
            output.append(0x0D)
            output.append(0x0A)
        }
        if !response.fieldBytes.isEmpty { output.append(contentsOf: response.fieldBytes) }
        switch persistence {
        case .standard: break
        case .keepAlive: output.append(contentsOf: Text.keepAlive)
        case .close: output.append(contentsOf: Text.close)
        }
        output.append(0x0D)
        output.append(0x0A)
        if hasBody && !omitsBody { output.append(contentsOf: response.body) }
    }

    private enum Text {
        static let contentType = Array("content-type: ".utf8)
        static let contentLength = Array("content-length: ".utf8)
        static let keepAlive = Array("connection: keep-alive\r\n".utf8)
        static let close = Array("connection: close\r\n".utf8)
    }
}
