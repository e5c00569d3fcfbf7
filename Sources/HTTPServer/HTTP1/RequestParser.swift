// SPDX-License-Identifier: MIT

internal import Platform

/// The parser of one HTTP/1.1 request head (RFC 9112), resumable at any byte.
///
/// It sees the same bytes again, and more of them, on every call, and goes on where it was; so the
/// result is the same for every split of the input. Whatever two parsers could read differently is
/// refused.
struct RequestParser {
    private enum Phase {
        case requestLine, fields, complete
    }

    /// How the end of a body is found (RFC 9112 §6.3).
    enum Framing: Equatable {
        case none
        case length(Int)
        case chunked
    }

    private var phase = Phase.requestLine
    /// Start of the line that is being read.
    private(set) var position = 0
    /// How far that line has been searched for its end.
    private var scanned = 0

    // What the head says about the message itself.
    var isVersion10 = false
    var hostCount = 0
    var contentLength: Int?
    /// Where its digits are.
    var contentLengthDigits = 0..<0
    var coding = Coding.none
    var saysClose = false
    var saysKeepAlive = false
    var expectsContinue = false
    /// Whether the target is one of https.
    var wantsTLS = false
    /// Whether the request is to be done only where an entity tag matches, or nothing is there yet:
    /// what is here has no tag.
    var failsPrecondition = false
    var hasContentType = false
    /// Whether the content is encoded with gzip.
    var hasGzip = false
    /// What the server will not meet, told once the head is complete.
    var unmet: RequestError?

    /// What the Transfer-Encoding field says.
    enum Coding {
        case none, chunked, unsupported, malformed
    }

    /// Whether the head has been read to its end.
    var isComplete: Bool { phase == .complete }

    /// Goes back to the start of a request.
    mutating func reset() {
        self = RequestParser()
    }

    /// Whether the connection may take another request after this one (RFC 9112 §9.3).
    var keepsAlive: Bool {
        isVersion10 ? saysKeepAlive && !saysClose : !saysClose
    }

    /// Reads on in a head that begins at the first byte.
    ///
    /// - Returns: Whether the head is complete; then `position` is the first byte after it.
    /// - Throws: ``RequestError`` at the first byte that breaks a rule.
    mutating func parseHead(
        _ bytes: Span<UInt8>,
        into request: inout Request,
        limits: borrowing ServerLimits
    ) throws(RequestError) -> Bool {
        if phase == .complete { return true }
        while true {
            guard let end = try findLineEnd(bytes, limits) else { return false }
            let line = position..<end
            position = end + 2
            scanned = position
            switch phase {
            case .requestLine where line.isEmpty:
                // RFC 9112 §2.2: an empty line before the request line is ignored.
                continue
            case .requestLine:
                try parseRequestLine(line, bytes, into: &request, limits: limits)
                phase = .fields
            case .fields where line.isEmpty:
                phase = .complete
                return true
            case .fields, .complete:
                guard request.fields.count < limits.fieldCountMax else {
                    throw .tooManyFields(limit: limits.fieldCountMax)
                }
                let field = try RequestParser.parseField(line, bytes)
                request.fields.append(field)
                try note(field, bytes)
            }
        }
    }

    /// How the body ends, once the head is complete.
    ///
    /// - Throws: ``RequestError`` where the head contradicts itself.
    func framing() throws(RequestError) -> Framing {
        if hostCount == 0 && !isVersion10 {
            // RFC 9112 §3.2: a 1.1 request without Host is answered 400.
            throw .missingHost
        }
        if let unmet { throw unmet }
        guard coding != .none else { return contentLength.map { .length($0) } ?? .none }
        // RFC 9112 §6.1: a transfer coding in a 1.0 message is faulty framing.
        guard !isVersion10 else { throw .codingInOldVersion }
        // RFC 9112 §6.3 rule 3: both present is smuggling.
        guard contentLength == nil else { throw .lengthAndCoding }
        switch coding {
        case .none, .chunked: return .chunked
        case .unsupported: throw .unsupportedCoding
        // RFC 9112 §6.3 rule 4: without chunked last the length cannot be known, or not by all.
        case .malformed: throw .malformedCoding
        }
    }

    /// Finds the CR of the CRLF that ends the current line, or nil where it has not come.
    private mutating func findLineEnd(
        _ bytes: Span<UInt8>,
        _ limits: borrowing ServerLimits
    ) throws(RequestError) -> Int? {
        let limit = limits.headBytesMax
        let end = min(bytes.count, limit)
        let found = try HTTPServer.findLineEnd(
            bytes,
            from: &scanned,
            to: end,
            stray: .strayControlByte
        )
        if let found { return found }
        guard bytes.count >= limit else { return nil }
        if phase == .fields { throw .headTooLarge(limit: limit) }
        let targetBytesMax = limits.targetBytesMax
        throw RequestParser.longLine(position..<end, bytes, targetBytesMax: targetBytesMax)
    }

    /// Whether so many bytes are nothing but the empty lines that may stand before a request.
    func hasOnlyEmptyLines(of count: Int) -> Bool {
        phase == .requestLine && position == count
    }
}
