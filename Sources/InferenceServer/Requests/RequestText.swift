// SPDX-License-Identifier: MIT

internal import JSON
internal import Platform

/// Copies of a request's bytes, for messages and for work that outlives the request.
enum RequestText {
    /// The bytes of a range as text.
    static func string(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        String(decoding: copy(bytes, range), as: UTF8.self)
    }

    /// The bytes of a range as an array of their own.
    static func copy(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        [UInt8](capacity: range.count) { $0.append(copying: bytes.extracting(range)) }
    }
}

extension JSONToken {
    /// The kind of the value that begins with the token, in words for a message.
    var words: String {
        switch self {
        case .objectBegin: "an object"
        case .arrayBegin: "an array"
        case .string: "a string"
        case .number: "a number"
        case .bool: "a boolean"
        case .null: "null"
        case .objectEnd, .arrayEnd, .key, .end: "nothing"
        }
    }
}
