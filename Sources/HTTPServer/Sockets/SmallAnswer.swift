// SPDX-License-Identifier: MIT

/// What a server has answered to a ``SmallClient``.
package struct SmallAnswer: Equatable, Sendable {
    /// The status, of the final answer.
    package let status: Int
    /// The body; empty where it did not come whole or is longer than 64 KiB.
    package var body: [UInt8] = []
}

/// Reads an answer of HTTP/1.1 from what has come of it so far.
struct SmallAnswerReader {
    /// How far an answer has come.
    enum Progress: Equatable {
        /// More is to be read; with the answer that counts where no more comes.
        case more(SmallAnswer?)
        case done(SmallAnswer)
        /// This is not HTTP, or beyond the bounds.
        case refused
    }

    /// Interim answers that are read past: RFC 9110 §15.2 bounds them nowhere.
    static let interimCountMax = 8
    static let headBytesMax = 16 << 10
    static let bodyBytesMax = 64 << 10

    /// Where the head begins that is read next.
    private var start = 0
    private var interimCount = 0

    /// Reads on in all bytes that have come; `isEnd` says that no more will.
    mutating func read(_ bytes: [UInt8], isEnd: Bool) -> Progress {
        while true {
            guard let end = headEnd(bytes) else {
                let isTooLong = bytes.count - start > Self.headBytesMax
                return isEnd || isTooLong ? .refused : .more(nil)
            }
            guard end - start <= Self.headBytesMax,
                let head = Head(String(decoding: bytes[start..<end], as: UTF8.self))
            else { return .refused }
            // RFC 9110 §15.2: a client reads past interim answers. It has asked for no other
            // protocol (101).
            guard (100..<200).contains(head.status), head.status != 101 else {
                return body(of: head, bytes[end...], isEnd: isEnd)
            }
            interimCount += 1
            guard interimCount <= Self.interimCountMax else { return .refused }
            start = end
        }
    }

    /// The first byte after the empty line.
    private func headEnd(_ bytes: [UInt8]) -> Int? {
        var index = start
        while index + 4 <= bytes.count {
            let isEnd = bytes[index..<index + 4].elementsEqual([0x0D, 0x0A, 0x0D, 0x0A])
            index += isEnd ? 4 : 1
            if isEnd { return index }
        }
        return nil
    }

    private func body(of head: Head, _ rest: ArraySlice<UInt8>, isEnd: Bool) -> Progress {
        let empty = SmallAnswer(status: head.status)
        // RFC 9112 §6.3 rules 1, 4, 6 and 8.
        if head.status == 204 || head.status == 304 { return .done(empty) }
        guard rest.count <= 2 * Self.bodyBytesMax else { return .done(empty) }
        if head.isChunked {
            var buffer = Array(rest)
            var chunks = ChunkedBody(start: 0)
            let isWhole = try? chunks.decode(
                &buffer,
                base: 0,
                end: rest.count,
                bodyBytesMax: Self.bodyBytesMax,
                limits: ServerLimits()
            )
            guard let isWhole else { return .done(empty) }
            let body = Array(buffer[chunks.body])
            return isWhole ? .done(SmallAnswer(status: head.status, body: body)) : .more(empty)
        }
        if let length = head.contentLength {
            guard length <= Self.bodyBytesMax else { return .done(empty) }
            guard rest.count >= length else { return .more(empty) }
            return .done(SmallAnswer(status: head.status, body: Array(rest.prefix(length))))
        }
        guard rest.count <= Self.bodyBytesMax else { return .done(empty) }
        return isEnd ? .done(SmallAnswer(status: head.status, body: Array(rest))) : .more(empty)
    }
}

/// What matters of an answer's head.
private struct Head {
    let status: Int
    var contentLength: Int?
    var isChunked = false

    /// Nil where the first line is none of an answer (RFC 9112 §4).
    init?(_ text: String) {
        // A line end is one character.
        let lines = text.split(separator: "\r\n")
        guard let line = lines.first, line.hasPrefix("HTTP/1."),
            let status = Int(line.dropFirst(9).prefix(3)), (100...999).contains(status)
        else { return nil }
        self.status = status
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].filter { $0 != " " && $0 != "\t" }
            switch parts[0].lowercased() {
            case "content-length": contentLength = Int(value).map { max(0, $0) }
            case "transfer-encoding": isChunked = value.lowercased().hasSuffix("chunked")
            default: break
            }
        }
    }
}
