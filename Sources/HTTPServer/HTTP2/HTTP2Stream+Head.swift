// SPDX-License-Identifier: MIT

internal import Platform

extension HTTP2Stream {
    private enum Name {
        static let method = Array(":method".utf8)
        static let path = Array(":path".utf8)
        static let scheme = Array(":scheme".utf8)
        static let authority = Array(":authority".utf8)
        static let host = Array("host".utf8)
    }

    private enum Scheme {
        static let http = Array("http".utf8)
        static let https = Array("https".utf8)
    }

    private static let host: FieldName = "host"

    /// Bytes of the body so far.
    var bodyByteCount: Int { bytes.count - bodyStart }

    /// Notes the first reason to refuse the request.
    mutating func refuse(_ reason: RequestError) {
        error = error ?? reason
    }

    /// Counts a field of a header block, and takes in what a request needs of it.
    ///
    /// - Returns: False where the peer sends too many.
    mutating func take(
        _ name: Span<UInt8>,
        _ value: Span<UInt8>,
        _ limits: borrowing ServerLimits
    ) -> Bool {
        headListByteCount += name.count + value.count + 32
        let limit = limits.headBytesMax
        // An index of one byte may stand for a whole table's entry: the work is bounded too.
        if headListByteCount > 8 * limit { return false }
        if headListByteCount > limit { refuse(.headTooLarge(limit: limit)) }
        if phase != .head {
            trailerCount += 1
            let countMax = limits.fieldCountMax
            if trailerCount > countMax { refuse(.tooManyFields(limit: countMax)) }
        }
        guard phase == .head, error == nil else { return true }
        add(name, value, limits)
        bodyStart = bytes.count
        return true
    }

    /// Takes in a field of the header block; what it says is read as in HTTP/1.1.
    ///
    /// That pseudo-header fields come first and once, and that no field belongs to another version
    /// of HTTP, nghttp2 has checked.
    private mutating func add(
        _ name: Span<UInt8>,
        _ value: Span<UInt8>,
        _ limits: borrowing ServerLimits
    ) {
        do throws(RequestError) {
            guard name[0] == UInt8(ascii: ":") else { return try addField(name, value, limits) }
            let whole = name.indices
            if equals(Name.method, whole, in: name) {
                guard let method = RequestParser.method(value.indices, value), method != .connect
                else { throw .unknownMethod }
                request.method = method
            } else if equals(Name.path, whole, in: name) {
                guard value.count <= limits.targetBytesMax else {
                    throw .targetTooLong(limit: limits.targetBytesMax)
                }
                target = append(value)
            } else if equals(Name.scheme, whole, in: name) {
                // Over a connection in the clear too: gateways that end TLS leave it as it was, and
                // RFC 9110 §7.4 lets them.
                hasScheme =
                    matches(Scheme.http, value.indices, in: value)
                    || matches(Scheme.https, value.indices, in: value)
            } else if equals(Name.authority, whole, in: name) {
                // RFC 9113 §8.3.1: it takes the place of Host.
                try addField(Name.host.span, value, limits)
            }
        } catch {
            refuse(error)
        }
    }

    /// Reads the target and finds the route, once the header block is complete.
    ///
    /// `owner` is the connection.
    mutating func finishHead(
        _ context: HTTP1Connection.Context,
        isLast: Bool,
        owner: ObjectIdentifier
    ) throws(RequestError) {
        bodyStart = bytes.count
        request.body = bodyStart..<bodyStart
        if let error { throw error }
        guard !target.isEmpty, hasScheme else { throw .malformedTarget }
        // A reference of its own, so that the state can change while the bytes are read.
        let bytes = bytes
        for field in request.fields { try parser.note(field, bytes.span) }
        try parser.parseTarget(target, bytes.span, into: &request)
        if let unmet = parser.unmet { throw unmet }
        routing = Routing(
            &request,
            in: bytes.span,
            failsPrecondition: parser.failsPrecondition,
            context
        )
        if !isLast {
            streamed = try routing.openStream(
                for: &request,
                in: bytes.span,
                isEncoded: parser.hasGzip,
                owner: owner,
                context
            )
        }
        if !isLast, let length = parser.contentLength, length > routing.bodyBytesMax {
            throw .bodyTooLarge(limit: routing.bodyBytesMax)
        }
    }

    private mutating func addField(
        _ name: Span<UInt8>,
        _ value: Span<UInt8>,
        _ limits: borrowing ServerLimits
    ) throws(RequestError) {
        // RFC 9113 §8.3.1: a Host field beside :authority has to say the same.
        if equals(Name.host, name.indices, in: name), let isSame = isKnownHost(value) {
            guard isSame else { throw .repeatedHost }
            return
        }
        guard request.fields.count < limits.fieldCountMax else {
            throw .tooManyFields(limit: limits.fieldCountMax)
        }
        request.fields.append(HeaderField(name: append(name), value: append(value)))
    }

    /// Whether a host is the one that has come, or nil where none has.
    private func isKnownHost(_ value: Span<UInt8>) -> Bool? {
        guard let known = request.value(of: Self.host, in: bytes.span) else { return nil }
        return known.count == value.count
            && value.indices.allSatisfy { bytes[known.lowerBound + $0] == value[$0] }
    }

    private mutating func append(_ span: Span<UInt8>) -> Range<Int> {
        let start = bytes.count
        bytes.append(copying: span)
        return start..<bytes.count
    }
}
