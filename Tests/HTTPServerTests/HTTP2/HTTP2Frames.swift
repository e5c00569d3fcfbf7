// SPDX-License-Identifier: MIT

import CNghttp2

/// Frames by hand, as RFC 9113 §4.1 and §6 lay them out.
enum Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    enum Flag {
        static let endStream: UInt8 = 1
        static let acknowledgement: UInt8 = 1
        static let endHeaders: UInt8 = 4
    }

    static func frame(
        _ type: UInt8,
        flags: UInt8 = 0,
        stream: UInt32 = 0,
        _ payload: [UInt8] = []
    ) -> [UInt8] {
        let count = UInt32(payload.count)
        return bytes(count).dropFirst() + [type, flags] + bytes(stream) + payload
    }

    static func data(
        _ stream: UInt32,
        _ text: String,
        flags: UInt8 = Flag.endStream
    ) -> [UInt8] {
        frame(0, flags: flags, stream: stream, Array(text.utf8))
    }

    static func headers(
        _ stream: UInt32,
        _ fields: [(String, String)],
        flags: UInt8 = Flag.endStream | Flag.endHeaders
    ) -> [UInt8] {
        frame(1, flags: flags, stream: stream, block(fields))
    }

    static func continuation(
        _ stream: UInt32,
        _ fields: [(String, String)],
        flags: UInt8 = Flag.endHeaders
    ) -> [UInt8] {
        frame(9, flags: flags, stream: stream, block(fields))
    }

    static func reset(_ stream: UInt32) -> [UInt8] { frame(3, stream: stream, bytes(8)) }

    static func settings(_ entries: [(UInt16, UInt32)] = [], flags: UInt8 = 0) -> [UInt8] {
        let payload = entries.flatMap { id, value in
            [UInt8(id >> 8), UInt8(id & 255)] + bytes(value)
        }
        return frame(4, flags: flags, payload)
    }

    static func ping(flags: UInt8 = 0) -> [UInt8] {
        frame(6, flags: flags, [UInt8](repeating: 0, count: 8))
    }

    static func goAway() -> [UInt8] { frame(7, bytes(0) + bytes(0)) }

    static func windowUpdate(_ stream: UInt32, _ increment: UInt32) -> [UInt8] {
        frame(8, stream: stream, bytes(increment))
    }

    /// The head of a request, followed by further fields.
    static func request(
        _ method: String,
        _ path: String,
        _ fields: [(String, String)] = [],
        scheme: String = "http"
    ) -> [(String, String)] {
        [(":method", method), (":path", path), (":scheme", scheme), (":authority", "a")] + fields
    }

    /// Literal fields without indexing and without Huffman (RFC 7541 §6.2.2).
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { name, value in [0] + string(name) + string(value) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var prefix: [UInt8] = [127]
        while rest >= 128 {
            prefix.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return prefix + [UInt8(rest)] + bytes
    }

    static func bytes(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}

/// What a server has sent, read frame by frame.
struct HTTP2Reader {
    struct Answer: Equatable {
        var statuses: [Int] = []
        var fields: [String: String] = [:]
        var body: [UInt8] = []
        var isComplete = false
        /// The code of a RST_STREAM.
        var reset: Int?

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private(set) var answers: [UInt32: Answer] = [:]
    /// Last stream and error code of every GOAWAY.
    private(set) var goAways: [(lastStream: UInt32, code: Int)] = []
    private(set) var settings: [UInt16: UInt32] = [:]
    private(set) var pingCount = 0
    private(set) var pingAnswerCount = 0
    private(set) var settingsAnswerCount = 0
    /// The bytes that were let in beyond the first window, by stream.
    private(set) var windows: [UInt32: Int] = [:]
    private var pending: [UInt8] = []
    private let inflater = Inflater()

    var statuses: [UInt32: Int] { answers.compactMapValues(\.statuses.last) }
    var resets: [UInt32: Int] { answers.compactMapValues(\.reset) }

    mutating func read(_ bytes: [UInt8]) {
        pending += bytes
        var start = 0
        while pending.count - start >= 9 {
            let length = HTTP2Reader.number(pending[start..<(start + 3)])
            guard pending.count - start >= 9 + Int(length) else { break }
            let stream = HTTP2Reader.number(pending[(start + 5)..<(start + 9)])
            let payload = Array(pending[(start + 9)..<(start + 9 + Int(length))])
            take(pending[start + 3], pending[start + 4], stream, payload)
            start += 9 + Int(length)
        }
        pending.removeFirst(start)
    }

    private mutating func take(
        _ type: UInt8,
        _ flags: UInt8,
        _ stream: UInt32,
        _ payload: [UInt8]
    ) {
        switch type {
        case 0:
            answers[stream, default: Answer()].body += payload
            answers[stream]?.isComplete = flags & 1 != 0
        case 1:
            var answer = answers[stream] ?? Answer()
            for (name, value) in inflater.inflate(payload) {
                if name == ":status" {
                    answer.statuses.append(Int(value) ?? 0)
                } else {
                    answer.fields[name] = value
                }
            }
            answer.isComplete = flags & 1 != 0
            answers[stream] = answer
        case 3: answers[stream, default: Answer()].reset = Int(HTTP2Reader.number(payload[...]))
        case 4 where flags & 1 != 0: settingsAnswerCount += 1
        case 4:
            for index in stride(from: 0, to: payload.count, by: 6) {
                let id = UInt16(HTTP2Reader.number(payload[index..<(index + 2)]))
                settings[id] = HTTP2Reader.number(payload[(index + 2)..<(index + 6)])
            }
        case 6 where flags & 1 != 0: pingAnswerCount += 1
        case 6: pingCount += 1
        case 7:
            let code = Int(HTTP2Reader.number(payload[4..<8]))
            goAways.append((HTTP2Reader.number(payload[0..<4]), code))
        case 8: windows[stream, default: 0] += Int(HTTP2Reader.number(payload[...]))
        default: break
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}

/// nghttp2's HPACK decoder: header blocks of a server use tables and Huffman as they like.
// SAFETY: the decoder lives as long as its owner and is used by it alone.
@safe private final class Inflater {
    private var inflater: OpaquePointer?

    init() {
        // SAFETY: the decoder is made here and freed below.
        unsafe nghttp2_hd_inflate_new(&inflater)
    }

    deinit { unsafe nghttp2_hd_inflate_del(inflater) }

    func inflate(_ block: [UInt8]) -> [(String, String)] {
        var fields: [(String, String)] = []
        var offset = 0
        while offset < block.count {
            var field = unsafe nghttp2_nv()
            var flags: Int32 = 0
            // SAFETY: the rest of the block is valid for the call; the field until the next one.
            let used = unsafe block.withUnsafeBufferPointer { bytes in
                unsafe nghttp2_hd_inflate_hd2(
                    inflater,
                    &field,
                    &flags,
                    bytes.baseAddress.map { unsafe $0 + offset },
                    bytes.count - offset,
                    1
                )
            }
            guard used >= 0 else { return [] }
            offset += used
            if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
                unsafe fields.append(
                    (text(field.name, field.namelen), text(field.value, field.valuelen))
                )
            }
        }
        unsafe nghttp2_hd_inflate_end_headers(inflater)
        return fields
    }

    private func text(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
        unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
