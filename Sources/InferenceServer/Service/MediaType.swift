// SPDX-License-Identifier: MIT

internal import Platform

/// What a request's Content-Type says about its body.
enum MediaType: Equatable {
    case json
    case newlineDelimitedJSON
    case other

    private static let ndjson = [
        Array("application/x-ndjson".utf8), Array("application/ndjson".utf8),
        Array("application/jsonl".utf8), Array("application/x-jsonlines".utf8),
    ]
    private static let application = Array("application/".utf8)
    private static let jsonWord = Array("json".utf8)
    private static let textJSON = Array("text/json".utf8)

    /// Reads a field's value; parameters such as the charset are passed over, since JSON is UTF-8,
    /// but what is no parameter is not (RFC 9110 §8.3.1).
    init(_ value: Range<Int>, in bytes: Span<UInt8>) {
        if Self.isPlainJSON(value, bytes) {
            self = .json
            return
        }
        var end = value.lowerBound
        while end < value.upperBound, bytes[end] != UInt8(ascii: ";"), bytes[end] > 0x20 {
            end += 1
        }
        let name = value.lowerBound..<end
        while end < value.upperBound, bytes[end] == 0x20 || bytes[end] == 0x09 { end += 1 }
        guard end == value.upperBound || bytes[end] == UInt8(ascii: ";") else {
            self = .other
            return
        }
        if Self.isJSON(name, bytes) || Self.equals(Self.textJSON, name, bytes) {
            self = .json
        } else if Self.ndjson.contains(where: { Self.equals($0, name, bytes) }) {
            self = .newlineDelimitedJSON
        } else {
            self = .other
        }
    }

    /// `application/json` as nearly all clients write it.
    private static func isPlainJSON(_ value: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard value.count == 16 else { return false }
        // "applicat" and "ion/json" as little-endian words.
        return bytes.word(at: value.lowerBound) == 0x7461_6369_6C70_7061
            && bytes.word(at: value.lowerBound + 8) == 0x6E6F_736A_2F6E_6F69
    }

    /// `application/json` or `application/anything+json` (RFC 6839 §3.1).
    private static func isJSON(_ name: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard name.count >= application.count + jsonWord.count else { return false }
        let afterSlash = name.lowerBound + application.count
        let suffix = name.upperBound - jsonWord.count
        return equals(application, name.lowerBound..<afterSlash, bytes)
            && equals(jsonWord, suffix..<name.upperBound, bytes)
            && (suffix == afterSlash || bytes[suffix - 1] == UInt8(ascii: "+"))
    }

    private static func equals(_ word: [UInt8], _ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard word.count == range.count else { return false }
        for index in word.indices {
            let byte = bytes[range.lowerBound + index]
            let isUpper = byte &- UInt8(ascii: "A") < 26
            guard (isUpper ? byte | 0x20 : byte) == word[index] else { return false }
        }
        return true
    }
}
