// SPDX-License-Identifier: MIT

/// The name of a member as it is written, escaped and with its colon: for names that many texts
/// share.
package struct JSONKey: Sendable {
    let bytes: [UInt8]

    /// Prepares a name.
    package init(_ name: String) {
        var bytes: [UInt8] = []
        JSONEscape.append(name.utf8.span, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        self.bytes = bytes
    }
}

extension JSONEscape {
    /// Appends a string with its quotes; the bytes are valid UTF-8.
    static func append(_ text: Span<UInt8>, to output: inout [UInt8]) {
        // An escape takes at most six bytes, so what is planned here never grows twice.
        let escapeCount = escapeCount(of: text)
        output.append(addingCapacity: text.count + 5 * escapeCount + 2) { output in
            output.append(UInt8(ascii: "\""))
            if escapeCount == 0 {
                for index in text.indices { output.append(text[index]) }
            } else {
                for index in text.indices { append(text[index], to: &output) }
            }
            output.append(UInt8(ascii: "\""))
        }
    }

    private static func escapeCount(of text: Span<UInt8>) -> Int {
        var count = 0
        for index in text.indices where isEscaped(text[index]) { count += 1 }
        return count
    }

    // RFC 8259 §7: the quote, the backslash and U+0000 to U+001F must be escaped.
    static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func append(_ byte: UInt8, to output: inout OutputSpan<UInt8>) {
        guard isEscaped(byte) else {
            output.append(byte)
            return
        }
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case ..<0x20:
            let digit = byte & 15
            output.append(UInt8(ascii: "u"))
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: byte < 0x10 ? "0" : "1"))
            output.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        default: output.append(byte)
        }
    }
}
