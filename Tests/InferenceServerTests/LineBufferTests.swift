// SPDX-License-Identifier: MIT

@testable import InferenceServer
import Testing

struct LineBufferTests {
    @Test(arguments: [0, 100])
    func givesMemoryBackWithTheLinesThatHadIt(rest: Int) {
        var buffer = LineBuffer(lineBytesMax: 1 << 20)
        let line = [UInt8](repeating: 0x61, count: 1 << 20) + [0x0A]
        let tail = [UInt8](repeating: 0x62, count: rest)
        buffer.add((line + tail).span, isLast: false)
        #expect(buffer.wholeEnd == line.count)
        buffer.dropWhole()
        #expect(buffer.bytes == tail && buffer.wholeEnd == 0)
        #expect(buffer.bytes.capacity < 4096)
    }

    /// The lines that come out of a text, fed in pieces.
    private func lines(_ text: String, max: Int, pieces size: Int) -> [String] {
        let bytes = Array(text.utf8)
        var buffer = LineBuffer(lineBytesMax: max)
        var lines: [String] = []
        var offset = 0
        repeat {
            let end = min(offset + size, bytes.count)
            buffer.add(bytes.span.extracting(offset..<end), isLast: end == bytes.count)
            offset = end
            let held = max + (text.utf8.contains(0x0D) ? 1 : 0)
            #expect(buffer.bytes.count <= held + size, "no more than a line and a piece")
            let whole = buffer.bytes[..<buffer.wholeEnd]
            for line in whole.split(separator: UInt8(ascii: "\n")) {
                let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
                // Of one that is too long it matters only that it is.
                let isLong = line.count > max
                lines.append(isLong ? "too long" : String(decoding: line, as: UTF8.self))
            }
        } while offset < bytes.count
        return lines
    }

    @Test(arguments: [
        ("", []),
        ("\n\n", []),
        ("ab", ["ab"]),
        ("ab\n", ["ab"]),
        ("ab\ncd", ["ab", "cd"]),
        ("\nab\n\n\ncd\n", ["ab", "cd"]),
        ("12345678", ["12345678"]),
        ("123456789", ["too long"]),
        ("ab\n12345678\ncd\n", ["ab", "12345678", "cd"]),
        ("ab\n123456789\ncd\n", ["ab", "too long", "cd"]),
        ("123456789012345678901234567890\ncd", ["too long", "cd"]),
        ("123456789\n123456789\n\n123456789", ["too long", "too long", "too long"]),
        ("12345678\r\ncd\r\n", ["12345678", "cd"]),
        ("12345678\r", ["12345678"]),
        ("12345678\r9\ncd", ["too long", "cd"]),
        ("123456789\r\ncd", ["too long", "cd"]),
        ("12345678\r\r\ncd", ["too long", "cd"]),
    ])
    func cutsAlikeInEverySplit(_ text: String, _ expected: [String]) {
        for size in 1...(text.utf8.count + 1) {
            #expect(lines(text, max: 8, pieces: size) == expected, "pieces of \(size)")
        }
    }

    @Test func findsTheNextLineEnd() {
        for count in 0..<40 {
            for place in 0..<count {
                var bytes = [UInt8](repeating: 0x0B, count: count)
                bytes[place] = 0x0A
                for start in 0..<count {
                    #expect(bytes.span.lineEnd(from: start) == (start <= place ? place : nil))
                }
            }
        }
        // Neighbours of the byte, and those with its high bit.
        #expect([0x09, 0x0B, 0x8A, 0x0B, 0xFF, 0x00, 0x8A, 0x09, 0x0A].span.lineEnd(from: 0) == 8)
    }
}
