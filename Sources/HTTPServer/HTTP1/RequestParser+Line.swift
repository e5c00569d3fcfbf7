// SPDX-License-Identifier: MIT

internal import Glibc
internal import Platform

extension RequestParser {
    /// Reads `method SP target SP version` (RFC 9112 §3).
    mutating func parseRequestLine(
        _ line: Range<Int>,
        _ bytes: Span<UInt8>,
        into request: inout Request,
        limits: borrowing ServerLimits
    ) throws(RequestError) {
        var methodEnd = line.lowerBound
        while methodEnd < line.upperBound, isTokenByte(bytes[methodEnd]) { methodEnd += 1 }
        guard methodEnd > line.lowerBound, methodEnd < line.upperBound, bytes[methodEnd] == 0x20
        else { throw .malformedRequestLine }
        let method = RequestParser.method(line.lowerBound..<methodEnd, bytes)
        // Noted first, since a refusal of a HEAD request goes without a body too.
        if let method { request.method = method }
        var targetEnd = methodEnd + 1
        while targetEnd < line.upperBound, bytes[targetEnd] != 0x20 { targetEnd += 1 }
        let target = (methodEnd + 1)..<targetEnd
        guard target.count <= limits.targetBytesMax else {
            throw .targetTooLong(limit: limits.targetBytesMax)
        }
        guard !target.isEmpty, targetEnd < line.upperBound else { throw .malformedRequestLine }
        try parseVersion((targetEnd + 1)..<line.upperBound, bytes)
        guard let method, method != .connect else { throw .unknownMethod }
        try parseTarget(target, bytes, into: &request)
    }

    /// Why a request line that does not end within the limit of a head is refused: for its method,
    /// its target, or because it is none, such as one behind many empty lines.
    static func longLine(
        _ line: Range<Int>,
        _ bytes: Span<UInt8>,
        targetBytesMax: Int
    ) -> RequestError {
        guard let space = line.first(where: { bytes[$0] == 0x20 }) else {
            let isMethod = line.count > 7 && line.allSatisfy { isTokenByte(bytes[$0]) }
            return isMethod ? .unknownMethod : .malformedRequestLine
        }
        let target = line[(space + 1)...].prefix { bytes[$0] != 0x20 }
        if target.count > targetBytesMax { return .targetTooLong(limit: targetBytesMax) }
        return line.lowerBound == 0 && target.endIndex == line.upperBound
            ? .targetTooLong(limit: line.upperBound) : .malformedRequestLine
    }

    /// Reads `HTTP/1.x` (RFC 9112 §2.3): a higher minor version is read as 1.1.
    private mutating func parseVersion(
        _ range: Range<Int>,
        _ bytes: Span<UInt8>
    ) throws(RequestError) {
        let start = range.lowerBound
        // "HTTP/1.1" as a little-endian word: what nearly all send.
        if range.count == 8, bytes.word(at: start) == 0x312E_312F_5054_5448 { return }
        guard range.count == 8, bytes[start] == UInt8(ascii: "H"),
            bytes[start + 1] == UInt8(ascii: "T"), bytes[start + 2] == UInt8(ascii: "T"),
            bytes[start + 3] == UInt8(ascii: "P"), bytes[start + 4] == UInt8(ascii: "/"),
            isDigit(bytes[start + 5]), bytes[start + 6] == UInt8(ascii: "."),
            isDigit(bytes[start + 7])
        else { throw .malformedRequestLine }
        guard bytes[start + 5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        isVersion10 = bytes[start + 7] == UInt8(ascii: "0")
    }

    /// The method of a name, or nil for one that is not known.
    static func method(_ range: Range<Int>, _ bytes: Span<UInt8>) -> RequestMethod? {
        guard range.count <= 7 else { return nil }
        var packed: UInt64 = 0
        for index in range { packed = packed << 8 | UInt64(bytes[index]) }
        return switch packed {
        case 0x47_4554: .get
        case 0x4845_4144: .head
        case 0x504F_5354: .post
        case 0x50_5554: .put
        case 0x50_4154_4348: .patch
        case 0x4445_4C45_5445: .delete
        case 0x4F_5054_494F_4E53: .options
        case 0x54_5241_4345: .trace
        case 0x51_5545_5259: .query
        case 0x43_4F4E_4E45_4354: .connect
        default: nil
        }
    }

    /// Reads origin form, absolute form or the asterisk (RFC 9112 §3.2).
    mutating func parseTarget(
        _ target: Range<Int>,
        _ bytes: Span<UInt8>,
        into request: inout Request
    ) throws(RequestError) {
        if bytes[target.lowerBound] == UInt8(ascii: "/") {
            return try parsePath(target, bytes, into: &request)
        }
        if bytes[target.lowerBound] == UInt8(ascii: "*") {
            // RFC 9112 §3.2.4: only OPTIONS may ask about the server as a whole.
            guard target.count == 1, request.method == .options else { throw .malformedTarget }
            request.path = target
            return
        }
        let schemes: [[UInt8]] = RequestParser.schemes
        for scheme in schemes where target.count > scheme.count {
            let start = target.lowerBound + scheme.count
            guard matches(scheme, target.lowerBound..<start, in: bytes) else { continue }
            var end = start
            while end < target.upperBound, bytes[end] != UInt8(ascii: "/"),
                bytes[end] != UInt8(ascii: "?")
            {
                end += 1
            }
            guard RequestParser.isHost(start..<end, bytes) else { throw .invalidHost }
            wantsTLS = scheme == RequestParser.secureScheme
            try parsePath(end..<target.upperBound, bytes, into: &request)
            // RFC 9112 §3.2.4: without a path OPTIONS asks about the server as a whole.
            if request.method == .options, end == target.upperBound { return }
            // RFC 9110 §4.2.3: otherwise no path is "/", such as the last byte of the scheme.
            if request.path.isEmpty { request.path = (start - 1)..<start }
            return
        }
        throw .malformedTarget
    }

    private static let secureScheme = Array("https://".utf8)
    private static let schemes: [[UInt8]] = [Array("http://".utf8), secureScheme]

    /// Reads `path [ "?" query ]` (RFC 3986 §3.3 and §3.4).
    private func parsePath(
        _ range: Range<Int>,
        _ bytes: Span<UInt8>,
        into request: inout Request
    ) throws(RequestError) {
        var index = range.lowerBound
        while index < range.upperBound, bytes[index] != UInt8(ascii: "?") {
            if isPathByte(bytes[index]) {
                index &+= 1
                continue
            }
            index = try skipTargetByte(index, range.upperBound, bytes, isQuery: false)
        }
        request.path = range.lowerBound..<index
        guard index < range.upperBound else { return }
        let start = index + 1
        index = start
        while index < range.upperBound {
            index = try skipTargetByte(index, range.upperBound, bytes, isQuery: true)
        }
        request.query = start..<range.upperBound
    }

    @inline(__always)
    private func skipTargetByte(
        _ index: Int,
        _ end: Int,
        _ bytes: Span<UInt8>,
        isQuery: Bool
    ) throws(RequestError) -> Int {
        let byte = bytes[index]
        if byte == UInt8(ascii: "%") {
            guard index + 2 < end, hexValue(bytes[index + 1]) != nil,
                hexValue(bytes[index + 2]) != nil
            else { throw .malformedTarget }
            return index + 3
        }
        guard isPathByte(byte) || isQuery && isQueryOnlyByte(byte) else { throw .malformedTarget }
        return index + 1
    }

    /// Whether it reads `uri-host [ ":" port ]` and is not empty (RFC 9110 §7.2, RFC 3986 §3.2.2).
    static func isHost(_ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        guard !range.isEmpty else { return false }
        var index = range.lowerBound
        if bytes[index] == UInt8(ascii: "[") {
            while index < range.upperBound, bytes[index] != UInt8(ascii: "]") { index += 1 }
            guard index < range.upperBound else { return false }
            index += 1
            let literal = (range.lowerBound..<index).map { bytes[$0] }
            let text = String(decoding: literal, as: UTF8.self)
            guard SocketAddress(host: text, port: 0)?.family == AF_INET6 else { return false }
        } else {
            while index < range.upperBound, isHostByte(bytes[index]) { index += 1 }
            guard index > range.lowerBound else { return false }
        }
        guard index < range.upperBound else { return true }
        guard bytes[index] == UInt8(ascii: ":") else { return false }
        for position in (index + 1)..<range.upperBound where !isDigit(bytes[position]) {
            return false
        }
        return range.upperBound - index <= 6
    }
}

/// Whether a byte may stand in a path: unreserved, sub-delims, `:`, `@` and `/`.
@inline(__always)
private func isPathByte(_ byte: UInt8) -> Bool {
    let low: UInt64 = 0x2FFF_FFD2_0000_0000
    let high: UInt64 = 0x47FF_FFFE_87FF_FFFF
    guard byte < 128 else { return false }
    return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
}

/// What a query may hold besides: `?`, and the brackets, braces, bars and carets that clients send
/// unescaped.
private func isQueryOnlyByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "?"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
        UInt8(ascii: "}"), UInt8(ascii: "|"), UInt8(ascii: "^"):
        true
    default: false
    }
}

/// Whether a byte may stand in a registered name; no percent-encoding is taken there.
@inline(__always)
private func isHostByte(_ byte: UInt8) -> Bool {
    let low: UInt64 = 0x03FF_6000_0000_0000
    let high: UInt64 = 0x47FF_FFFE_87FF_FFFE
    guard byte < 128 else { return false }
    return (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
}
