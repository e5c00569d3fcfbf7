// SPDX-License-Identifier: MIT

internal import Platform

extension RequestParser {
    /// Reads `name ":" OWS value OWS` (RFC 9112 §5); trailers are read by it too.
    static func parseField(
        _ line: Range<Int>,
        _ bytes: Span<UInt8>
    ) throws(RequestError) -> HeaderField {
        // RFC 9112 §5.2: a line that starts with white space continues the one before.
        guard !isWhitespace(bytes[line.lowerBound]) else { throw .foldedField }
        var colon = line.lowerBound
        // Names are letters and hyphens, eight at a time; the rare other bytes one by one.
        while colon + 8 <= line.upperBound {
            let count = leadingNameBytes(bytes.word(at: colon))
            colon += count
            if count < 8 { break }
        }
        while colon < line.upperBound, isTokenByte(bytes[colon]) { colon += 1 }
        // RFC 9112 §5.1: no white space between name and colon.
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == UInt8(ascii: ":")
        else { throw .malformedField }
        var start = colon + 1
        var end = line.upperBound
        while start < end, isWhitespace(bytes[start]) { start += 1 }
        while end > start, isWhitespace(bytes[end - 1]) { end -= 1 }
        return HeaderField(name: line.lowerBound..<colon, value: start..<end)
    }

    /// Takes in what a field says about the message.
    mutating func note(_ field: HeaderField, _ bytes: Span<UInt8>) throws(RequestError) {
        // Told apart by length first: most fields end here.
        switch field.name.count {
        case 4 where matches(KnownField.host, field.name, in: bytes):
            guard hostCount == 0 else { throw .repeatedHost }
            guard RequestParser.isHost(field.value, bytes) else { throw .invalidHost }
            hostCount = 1
        case 6 where matches(KnownField.expect, field.name, in: bytes):
            noteExpectations(field.value, bytes)
        case 8 where matches(KnownField.ifMatch, field.name, in: bytes):
            // RFC 9110 §13.1.1: with an asterisk, what is there matches.
            if !matches(KnownField.asterisk, field.value, in: bytes) { failsPrecondition = true }
        case 10 where matches(KnownField.connection, field.name, in: bytes):
            noteConnection(field.value, bytes)
        case 12 where matches(KnownField.contentType, field.name, in: bytes):
            // RFC 9110 §5.3: another parser may take the other one.
            guard !hasContentType else { throw .repeatedContentType }
            hasContentType = true
        case 13 where matches(KnownField.ifNoneMatch, field.name, in: bytes):
            // RFC 9110 §13.1.2: with an asterisk, nothing may be there yet.
            if matches(KnownField.asterisk, field.value, in: bytes) { failsPrecondition = true }
        case 14 where matches(KnownField.contentLength, field.name, in: bytes):
            guard contentLength == nil else { throw .repeatedContentLength }
            contentLength = try RequestParser.contentLength(field.value, bytes)
            contentLengthDigits = field.value
        case 16 where matches(KnownField.contentEncoding, field.name, in: bytes):
            noteContentCoding(field.value, bytes)
        case 17 where matches(KnownField.transferEncoding, field.name, in: bytes):
            noteCoding(field.value, bytes)
        default: break
        }
    }

    /// Reads `1*DIGIT` (RFC 9110 §8.6): no sign, no list, no space; what is past `Int` stays there.
    private static func contentLength(
        _ range: Range<Int>,
        _ bytes: Span<UInt8>
    ) throws(RequestError) -> Int {
        guard !range.isEmpty else { throw .invalidContentLength }
        var length = 0
        for index in range {
            guard isDigit(bytes[index]) else { throw .invalidContentLength }
            let (product, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(bytes[index] & 0x0F))
            length = overflow || carry || length == .max ? .max : sum
        }
        return length
    }

    /// RFC 9110 §10.1.1: an expectation that is not known is answered 417.
    private mutating func noteExpectations(_ value: Range<Int>, _ bytes: Span<UInt8>) {
        RequestParser.forEachElement(value, bytes) { element, bytes in
            if matches(KnownField.hundredContinue, element, in: bytes) {
                expectsContinue = true
            } else if !element.isEmpty {
                unmet = .unknownExpectation
            }
        }
    }

    /// RFC 9110 §8.4: gzip once; empty elements count for nothing (§5.6.1).
    private mutating func noteContentCoding(_ value: Range<Int>, _ bytes: Span<UInt8>) {
        RequestParser.forEachElement(value, bytes) { element, bytes in
            if element.isEmpty || matches(KnownField.identity, element, in: bytes) { return }
            // Twice encoded is a coding of its own.
            if hasGzip || !ContentCoder.isGzip(element, bytes) { unmet = .codedContent }
            hasGzip = true
        }
    }

    private mutating func noteConnection(_ value: Range<Int>, _ bytes: Span<UInt8>) {
        RequestParser.forEachElement(value, bytes) { element, bytes in
            if matches(KnownField.close, element, in: bytes) {
                saysClose = true
            } else if matches(KnownField.keepAlive, element, in: bytes) {
                saysKeepAlive = true
            }
        }
    }

    /// RFC 9112 §6.1: chunked is the last coding and stands once; no other is taken.
    ///
    /// Nor is a list with an empty element, which two parsers could read differently.
    private mutating func noteCoding(_ value: Range<Int>, _ bytes: Span<UInt8>) {
        // A second field is a list over two lines, which other parsers overlook.
        guard coding == .none else { return coding = .malformed }
        // The element behind a comma at the end is none of those that are gone through.
        var hasEmpty = !value.isEmpty && bytes[value.upperBound - 1] == UInt8(ascii: ",")
        var count = 0
        var chunkedCount = 0
        var isLastChunked = false
        RequestParser.forEachElement(value, bytes) { element, bytes in
            count += 1
            if element.isEmpty { hasEmpty = true }
            isLastChunked = matches(KnownField.chunked, element, in: bytes)
            if isLastChunked { chunkedCount += 1 }
        }
        if hasEmpty || !isLastChunked || chunkedCount != 1 {
            coding = .malformed
        } else {
            coding = count == 1 ? .chunked : .unsupported
        }
    }

    /// Calls `body` with each element of a comma list (RFC 9110 §5.6.1).
    static func forEachElement(
        _ value: Range<Int>,
        _ bytes: Span<UInt8>,
        _ body: (Range<Int>, Span<UInt8>) -> Void
    ) {
        var start = value.lowerBound
        while start < value.upperBound {
            var end = start
            while end < value.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
            var first = start
            var last = end
            while first < last, isWhitespace(bytes[first]) { first += 1 }
            while last > first, isWhitespace(bytes[last - 1]) { last -= 1 }
            body(first..<last, bytes)
            start = end + 1
        }
    }
}

/// The field names and values that the protocol itself knows.
private enum KnownField {
    static let host = Array("host".utf8)
    static let expect = Array("expect".utf8)
    static let hundredContinue = Array("100-continue".utf8)
    static let ifMatch = Array("if-match".utf8)
    static let ifNoneMatch = Array("if-none-match".utf8)
    static let contentType = Array("content-type".utf8)
    static let asterisk = Array("*".utf8)
    static let connection = Array("connection".utf8)
    static let close = Array("close".utf8)
    static let keepAlive = Array("keep-alive".utf8)
    static let contentLength = Array("content-length".utf8)
    static let contentEncoding = Array("content-encoding".utf8)
    static let identity = Array("identity".utf8)
    static let transferEncoding = Array("transfer-encoding".utf8)
    static let chunked = Array("chunked".utf8)
}
