// SPDX-License-Identifier: MIT

internal import Platform

/// The bytes of the head that a connection read last: most clients send it again, and change at
/// most the length of the body in it.
///
/// What a head means depends on its bytes alone, so what was read in equal bytes still holds. Of
/// the digits of Content-Length only the number may differ, not how many they are.
struct KnownHead {
    /// Longer heads are read again, so that idle connections hold little.
    private static let byteCountMax = 512
    /// Digits of a length that cannot overflow.
    private static let digitCountMax = 18

    private var bytes: [UInt8] = []
    /// Where the digits are; empty where the head says no length.
    private var digits = 0..<0

    /// Whether there is none.
    var isEmpty: Bool { bytes.isEmpty }

    /// Keeps a head that has been read to its end.
    mutating func keep(_ head: Span<UInt8>, digits place: Range<Int>) {
        forget()
        guard head.count <= Self.byteCountMax, place.count <= Self.digitCountMax else { return }
        bytes.append(copying: head)
        digits = place
    }

    /// Forgets it and keeps its memory.
    mutating func forget() {
        if !bytes.isEmpty { bytes.removeAll(keepingCapacity: true) }
    }

    /// The Content-Length, 0 for none, of a message that begins with this head; nil where it begins
    /// with another, or not all of the head has come.
    func contentLength(of message: Span<UInt8>) -> Int? {
        let head = bytes.span
        guard !head.isEmpty, message.count >= head.count,
            isEqual(head, message, in: 0..<digits.lowerBound),
            isEqual(head, message, in: digits.upperBound..<head.count)
        else { return nil }
        var length = 0
        for index in digits {
            guard isDigit(message[index]) else { return nil }
            length = length &* 10 &+ Int(message[index] & 0x0F)
        }
        return length
    }

    private func isEqual(
        _ head: Span<UInt8>,
        _ message: Span<UInt8>,
        in range: Range<Int>
    ) -> Bool {
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            guard head.word(at: index) == message.word(at: index) else { return false }
            index += 8
        }
        while index < range.upperBound {
            guard head[index] == message[index] else { return false }
            index += 1
        }
        return true
    }
}

extension HTTP1Connection {
    /// Whether what is known of a head is that of the request before.
    var isHeadUnread: Bool {
        guard case .head = phase else { return false }
        return !knownHead.isEmpty
    }

    /// Takes the head for read where it equals the last one.
    mutating func takeKnownHead(of bytes: Span<UInt8>) -> Bool {
        // A body that is too large is refused in the ordinary way.
        guard let count = knownHead.contentLength(of: bytes), count <= routing.bodyBytesMax else {
            return false
        }
        bodyByteCount = count
        phase = .body
        return true
    }
}
