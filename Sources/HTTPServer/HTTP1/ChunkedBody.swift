// SPDX-License-Identifier: MIT

/// The decoder of a chunked body (RFC 9112 §7.1), resumable at any byte, in place: the data of the
/// chunks moves down until it is contiguous.
///
/// Offsets count from the start of the request, which is at `base` of the buffer.
struct ChunkedBody {
    private enum Phase {
        case sizeLine, data(left: Int), dataEnd, trailers, complete
    }

    private var phase = Phase.sizeLine
    /// First byte that has not been read.
    private(set) var position: Int
    private var scanned: Int
    private let start: Int
    /// End of the decoded data.
    private(set) var decodedEnd: Int
    private var overhead = 0
    /// Decoded data that was taken out.
    private var discardedCount = 0
    private var trailerCount = 0
    private var trailerBytes = 0

    /// Starts at the first byte after the head.
    init(start: Int) {
        self.start = start
        position = start
        scanned = start
        decodedEnd = start
    }

    /// The decoded data.
    var body: Range<Int> { start..<decodedEnd }

    /// Moves what has not been read down to the decoded data, to make room behind it.
    ///
    /// - Returns: By how many bytes `end` goes back.
    mutating func closeGap(_ buffer: inout [UInt8], base: Int, end: Int) -> Int {
        let gap = position - decodedEnd
        guard gap > 0 else { return 0 }
        buffer.moveBytes((base + position)..<end, to: base + decodedEnd)
        position -= gap
        scanned -= gap
        return gap
    }

    /// Takes note that the first bytes of the decoded data were taken out of the buffer.
    mutating func discard(_ count: Int) {
        discardedCount += count
        decodedEnd -= count
        position -= count
        scanned -= count
    }

    /// Reads on in a buffer that is filled up to `end`.
    ///
    /// - Returns: Whether the body is complete.
    /// - Throws: ``RequestError``.
    mutating func decode(
        _ buffer: inout [UInt8],
        base: Int,
        end: Int,
        bodyBytesMax: Int,
        limits: borrowing ServerLimits
    ) throws(RequestError) -> Bool {
        let count = end - base
        while true {
            switch phase {
            case .sizeLine:
                let bytes = buffer.span.extracting(base..<end)
                let limit = limits.chunkLineBytesMax
                let lineEnd = try findLineEnd(bytes, limit, .chunkLineTooLong(limit: limit))
                guard let lineEnd else { return false }
                try readSizeLine(bytes, lineEnd, bodyBytesMax: bodyBytesMax, limits: limits)
            case .data(let left):
                let taken = min(left, count - position)
                guard taken > 0 else { return false }
                buffer.moveBytes(
                    (base + position)..<(base + position + taken),
                    to: base + decodedEnd
                )
                position += taken
                decodedEnd += taken
                phase = taken == left ? .dataEnd : .data(left: left - taken)
            case .dataEnd:
                guard count > position else { return false }
                guard buffer[base + position] == 0x0D else { throw .malformedChunk }
                guard count > position + 1 else { return false }
                guard buffer[base + position + 1] == 0x0A else { throw .malformedChunk }
                position += 2
                scanned = position
                phase = .sizeLine
            case .trailers:
                let bytes = buffer.span.extracting(base..<end)
                let limit = limits.headBytesMax
                let left = limit - trailerBytes
                let lineEnd = try findLineEnd(bytes, left, .trailersTooLarge(limit: limit))
                guard let lineEnd else { return false }
                try readTrailer(bytes, lineEnd, limits: limits)
            case .complete:
                return true
            }
        }
    }

    /// Reads `chunk-size [ chunk-ext ]`; extensions are bounded and ignored.
    private mutating func readSizeLine(
        _ bytes: Span<UInt8>,
        _ lineEnd: Int,
        bodyBytesMax: Int,
        limits: borrowing ServerLimits
    ) throws(RequestError) {
        var index = position
        var size = 0
        while index < lineEnd, let digit = hexValue(bytes[index]) {
            // Fifteen digits cannot overflow; the limit of the body is far below.
            guard size < 1 << 56 else { throw .bodyTooLarge(limit: bodyBytesMax) }
            size = size << 4 | digit
            index += 1
        }
        guard index > position, areExtensions(index..<lineEnd, bytes) else {
            throw .malformedChunk
        }
        overhead += lineEnd + 2 - position
        let decodedCount = discardedCount + body.count
        guard size <= bodyBytesMax - decodedCount else {
            throw .bodyTooLarge(limit: bodyBytesMax)
        }
        guard overhead <= limits.chunkOverheadBytesMax + decodedCount else {
            throw .chunksTooSmall(limit: limits.chunkOverheadBytesMax)
        }
        position = lineEnd + 2
        scanned = position
        phase = size == 0 ? .trailers : .data(left: size)
    }

    /// Reads a trailer field, which must be well-formed and is then ignored, or the end.
    private mutating func readTrailer(
        _ bytes: Span<UInt8>,
        _ lineEnd: Int,
        limits: borrowing ServerLimits
    ) throws(RequestError) {
        if lineEnd == position {
            phase = .complete
        } else {
            trailerCount += 1
            guard trailerCount <= limits.fieldCountMax else {
                throw .tooManyFields(limit: limits.fieldCountMax)
            }
            _ = try RequestParser.parseField(position..<lineEnd, bytes)
        }
        trailerBytes += lineEnd + 2 - position
        position = lineEnd + 2
        scanned = position
    }

    /// Finds the CR of the CRLF that ends the current line of at most `limit` bytes; past them the
    /// error is thrown.
    private mutating func findLineEnd(
        _ bytes: Span<UInt8>,
        _ limit: Int,
        _ tooLong: RequestError
    ) throws(RequestError) -> Int? {
        let end = min(bytes.count, position + limit)
        let found = try HTTPServer.findLineEnd(
            bytes,
            from: &scanned,
            to: end,
            stray: .malformedChunk
        )
        if let found { return found }
        guard bytes.count < position + limit else { throw tooLong }
        return nil
    }
}

/// Whether a range reads `*( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )`
/// (RFC 9112 §7.1.1); what is read loosely here, another parser may see the end of a line in.
private func areExtensions(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
    var index = range.lowerBound
    func skipSpace() {
        while index < range.upperBound, isWhitespace(bytes[index]) { index += 1 }
    }
    func takes(_ byte: UInt8) -> Bool {
        guard index < range.upperBound, bytes[index] == byte else { return false }
        index += 1
        return true
    }
    func takesToken() -> Bool {
        let start = index
        while index < range.upperBound, isTokenByte(bytes[index]) { index += 1 }
        return index > start
    }
    func takesQuotedRest() -> Bool {
        while index < range.upperBound {
            if takes(UInt8(ascii: "\"")) { return true }
            // A quoted pair; no control character comes as far as here.
            if bytes[index] == UInt8(ascii: "\\") { index += 1 }
            index += 1
        }
        return false
    }
    while index < range.upperBound {
        skipSpace()
        guard takes(UInt8(ascii: ";")) else { return false }
        skipSpace()
        guard takesToken() else { return false }
        let end = index
        skipSpace()
        guard takes(UInt8(ascii: "=")) else {
            index = end
            continue
        }
        skipSpace()
        guard takes(UInt8(ascii: "\"")) ? takesQuotedRest() : takesToken() else { return false }
    }
    return index == range.upperBound
}
