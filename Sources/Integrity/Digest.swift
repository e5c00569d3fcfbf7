// SPDX-License-Identifier: MIT

/// A SHA-256 digest: 32 bytes, written as 64 lower-case hexadecimal digits.
package struct Digest: Sendable {
    /// How many bytes a digest has.
    package static let byteCount = 32

    /// The bytes, first one first.
    package let bytes: InlineArray<32, UInt8>

    /// Makes a digest of its bytes.
    package init(bytes: InlineArray<32, UInt8>) {
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits of either case; nil for anything else.
    package init?(hex: String) {
        let digits = hex.utf8
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        for (index, digit) in digits.enumerated() {
            guard let value = Self.value(ofDigit: digit) else { return nil }
            bytes[index / 2] = bytes[index / 2] << 4 | value
        }
        self.bytes = bytes
    }

    /// The digest in lower-case hexadecimal digits, as `sha256sum` prints it.
    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * Self.byteCount)
        for index in bytes.indices {
            text.append(digits[Int(bytes[index] >> 4)])
            text.append(digits[Int(bytes[index] & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func value(ofDigit digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Digest: Hashable, CustomStringConvertible {
    /// Whether all bytes are equal; digests are no secrets, so the time may depend on them.
    package static func == (left: Digest, right: Digest) -> Bool {
        for index in left.bytes.indices where left.bytes[index] != right.bytes[index] {
            return false
        }
        return true
    }

    /// Feeds the bytes to the hasher.
    package func hash(into hasher: inout Hasher) {
        for index in bytes.indices { hasher.combine(bytes[index]) }
    }

    /// The hexadecimal digits.
    package var description: String { hex }
}
