// SPDX-License-Identifier: MIT

/// Why bytes are not the JSON text that was asked for; every case says where.
///
/// Offsets count bytes from the start of the span that was given to the reader.
package enum JSONError: Error, Equatable, Sendable {
    /// What the grammar allows at the place of an unexpected byte.
    package enum Expectation: String, Sendable {
        case value = "a value"
        case key = "a key in double quotes"
        case keyOrObjectEnd = "a key in double quotes or '}'"
        case valueOrArrayEnd = "a value or ']'"
        case colon = "':'"
        case commaOrObjectEnd = "',' or '}'"
        case commaOrArrayEnd = "',' or ']'"
        case digit = "a digit"
    }

    /// The text ends inside a value, or holds none.
    case unexpectedEnd(offset: Int)
    /// A byte that the grammar does not allow here.
    case unexpectedByte(UInt8, offset: Int, expected: Expectation)
    /// Something other than white space follows the value.
    case trailingBytes(offset: Int)
    /// A literal such as NaN or Infinity, which JSON does not have.
    case nonFiniteLiteral(offset: Int)
    /// A number such as 007.
    case leadingZero(offset: Int)
    /// A well-formed number whose value exceeds the range of a Double.
    case numberOutOfRange(offset: Int)
    /// A control character that stands unescaped in a string.
    case controlCharacter(UInt8, offset: Int)
    /// A backslash that begins no escape of RFC 8259.
    case invalidEscape(offset: Int)
    /// An escaped UTF-16 surrogate without its other half.
    case loneSurrogate(offset: Int)
    /// Bytes that are not UTF-8.
    case invalidUTF8(offset: Int)
    /// A key that its object had before; the offset is that of the second one.
    case duplicateKey(offset: Int)
    /// Containers nested deeper than the limit.
    case tooDeep(offset: Int, limit: Int)
    /// More bytes than the limit.
    case tooManyBytes(offset: Int, limit: Int)
    /// A string or key longer than the limit.
    case stringTooLong(offset: Int, limit: Int)

    /// Where it went wrong.
    package var offset: Int {
        switch self {
        case .unexpectedEnd(let offset), .unexpectedByte(_, let offset, _),
            .trailingBytes(let offset), .nonFiniteLiteral(let offset), .leadingZero(let offset),
            .numberOutOfRange(let offset), .controlCharacter(_, let offset),
            .invalidEscape(let offset), .loneSurrogate(let offset), .invalidUTF8(let offset),
            .duplicateKey(let offset), .tooDeep(let offset, _), .tooManyBytes(let offset, _),
            .stringTooLong(let offset, _):
            offset
        }
    }

    /// Whether the text is well-formed JSON whose meaning is refused (422), not bad syntax (400).
    package var isWellFormed: Bool {
        if case .numberOutOfRange = self { true } else { false }
    }

    /// Whether the text exceeds a limit of the reader, and may well be JSON.
    package var isLimit: Bool {
        switch self {
        case .tooDeep, .tooManyBytes, .stringTooLong: true
        default: false
        }
    }
}

extension JSONError: CustomStringConvertible {
    /// What is wrong and where, in one line.
    package var description: String {
        "\(problem) at byte \(offset)"
    }

    private var problem: String {
        switch self {
        case .unexpectedEnd: "the text ends too early"
        case .unexpectedByte(let byte, _, let expected):
            "expected \(expected.rawValue), found \(name(of: byte))"
        case .trailingBytes: "only white space may follow the value"
        case .nonFiniteLiteral: "JSON has no NaN or Infinity"
        case .leadingZero: "a number may not start with a superfluous zero"
        case .numberOutOfRange: "the number exceeds the range of a 64-bit float"
        case .controlCharacter(let byte, _): "unescaped control character \(name(of: byte))"
        case .invalidEscape: "invalid escape in a string"
        case .loneSurrogate: "an escaped surrogate without its other half"
        case .invalidUTF8: "invalid UTF-8"
        case .duplicateKey: "duplicate key"
        case .tooDeep(_, let limit): "nested deeper than \(limit)"
        case .tooManyBytes(_, let limit): "longer than \(limit) bytes"
        case .stringTooLong(_, let limit): "a string longer than \(limit) bytes"
        }
    }

    private func name(of byte: UInt8) -> String {
        if byte > 0x20, byte < 0x7F { return "'\(Character(UnicodeScalar(byte)))'" }
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "byte 0x0\(digits)" : "byte 0x\(digits)"
    }
}
