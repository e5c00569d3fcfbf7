// SPDX-License-Identifier: MIT

/// The methods that this server tells apart.
package enum RequestMethod: UInt8, Sendable, CaseIterable {
    case get, head, post, put, patch, delete, options, trace, connect, query

    /// The method's name as it stands in a request line; names are case-sensitive.
    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .connect: "CONNECT"
        case .query: "QUERY"
        }
    }
}

/// The listener that a connection came in by, which decides what it may reach.
package enum Listener: UInt8, Sendable, CaseIterable {
    /// The listener of clients.
    case main
    /// The listener of operators, by default on loopback only.
    case admin
}

/// A header field's place in the bytes of its request.
package struct HeaderField: Sendable, Equatable {
    private let nameStart: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32

    init(name: Range<Int>, value: Range<Int>) {
        nameStart = UInt32(name.lowerBound)
        nameEnd = UInt32(name.upperBound)
        valueStart = UInt32(value.lowerBound)
        valueEnd = UInt32(value.upperBound)
    }

    /// Where the field's name is.
    package var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }

    /// Where the field's value is, without the white space around it.
    package var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}

/// The name of a header field, lower case, made once and kept as a constant.
package struct FieldName: Sendable, Equatable, ExpressibleByStringLiteral {
    let bytes: [UInt8]

    /// Makes a name of a literal of letters, digits and hyphens.
    package init(stringLiteral value: StaticString) {
        bytes = "\(value)".utf8.map(lowercased)
        precondition(!bytes.isEmpty && bytes.allSatisfy(isTokenByte), "not a field name")
    }
}

/// A parsed request: what it asks for, and where in the receive buffer its parts are.
///
/// Every range points into the `bytes` that come with the request.
package struct Request: Sendable, Equatable {
    /// The method; a HEAD request is seen as ``RequestMethod/get`` by a handler of a GET route.
    package internal(set) var method = RequestMethod.get
    /// The identity of the route that matched, as given in the table.
    package internal(set) var routeID = -1
    /// The path as sent: nothing is decoded and no dot segment removed.
    package internal(set) var path = 0..<0
    /// The query without its question mark; empty where there is none.
    package internal(set) var query = 0..<0
    /// The segment that matched the route's `{parameter}`; empty where it has none.
    package internal(set) var pathParameter = 0..<0
    /// The body, contiguous, with any chunked coding removed.
    package internal(set) var body = 0..<0
    /// The header fields in the order in which they came.
    package internal(set) var fields: [HeaderField] = []
    /// Whether its method changes something and its `If-Match` or `If-None-Match` does not hold for
    /// what has no entity tag: a handler that finds nothing else wrong, apart from the content,
    /// answers 412 (RFC 9110 §13.2.1).
    package internal(set) var failsPrecondition = false
    /// What ``RequestHandler/join(_:bytes:isFirst:)`` returned for it; nil where it was not asked.
    package internal(set) var joinedIndex: Int?
    /// The listener that the connection came in by.
    package internal(set) var listener = Listener.main
    /// The index of the event loop that handles the request, from 0.
    package internal(set) var loopIndex = 0
    /// When the loop took the complete request in, on the server's monotonic clock.
    package internal(set) var receivedNanoseconds: Int64 = 0

    /// Makes an empty request.
    package init() {}

    /// Empties it, but for the listener and the loop, and keeps its memory.
    mutating func reset() {
        method = .get
        routeID = -1
        path = 0..<0
        query = 0..<0
        pathParameter = 0..<0
        body = 0..<0
        failsPrecondition = false
        joinedIndex = nil
        fields.removeAll(keepingCapacity: true)
    }

    /// The value of the first field of that name, in any case, or nil where there is none.
    ///
    /// - Complexity: O(number of fields).
    package func value(of name: FieldName, in bytes: Span<UInt8>) -> Range<Int>? {
        let fields = fields.span
        for index in fields.indices where matches(name.bytes, fields[index].name, in: bytes) {
            return fields[index].value
        }
        return nil
    }

    /// The value of a query parameter, percent-decoded (RFC 3986 §2.1); empty for `?name` and
    /// `?name=`, nil where there is none.
    ///
    /// The values of one that is repeated are joined by commas, as those of a header field are, so
    /// that no one takes the first where another takes the last.
    ///
    /// - Complexity: O(length of the query).
    package func queryValue(of name: String, in bytes: Span<UInt8>) -> String? {
        var found: String?
        var start = query.lowerBound
        while start < query.upperBound {
            var end = start
            var equals: Int?
            while end < query.upperBound, bytes[end] != UInt8(ascii: "&") {
                if equals == nil, bytes[end] == UInt8(ascii: "=") { equals = end }
                end += 1
            }
            if Self.decoded(start..<(equals ?? end), bytes) == name {
                let value = Self.decoded((equals.map { $0 + 1 } ?? end)..<end, bytes)
                found = found.map { "\($0),\(value)" } ?? value
            }
            start = end + 1
        }
        return found
    }

    /// A part of a query without its percent-encoding; the parser has seen that it is well-formed.
    private static func decoded(_ range: Range<Int>, _ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < range.upperBound,
                let high = hexValue(bytes[index + 1]), let low = hexValue(bytes[index + 2])
            {
                text.append(UInt8(high << 4 | low))
                index += 3
            } else {
                text.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
