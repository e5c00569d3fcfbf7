// SPDX-License-Identifier: MIT

/// An error answer of the server itself, an RFC 9457 document; the one place where they are made.
struct Problem: Equatable {
    let status: Int
    let detail: String

    /// Writes the answer to a request whose head has not been read into an empty response.
    func render(into response: inout Response, _ ids: inout RequestIDMaker) {
        RequestIdentity(maker: &ids).addFields(Span(), ids, to: &response)
        render(into: &response, instance: Span(), requestID: ids.text.span)
    }

    /// Writes the answer to a request whose head has been read into an empty response, with its
    /// path and its id.
    func render(
        into response: inout Response,
        for request: borrowing Request,
        in bytes: Span<UInt8>,
        _ ids: inout RequestIDMaker
    ) {
        let identity = RequestIdentity(request, bytes, maker: &ids)
        identity.addFields(bytes, ids, to: &response)
        let path = bytes.extracting(request.path)
        if let range = identity.requestIDRange {
            render(into: &response, instance: path, requestID: bytes.extracting(range))
        } else {
            render(into: &response, instance: path, requestID: ids.text.span)
        }
    }

    /// `instance` is a path that has passed the parser, or empty; `requestID` has visible
    /// characters only.
    private func render(
        into response: inout Response,
        instance: Span<UInt8>,
        requestID: Span<UInt8>
    ) {
        response.status = status
        response.contentType = .problem
        response.body.append(text: #"{"title":""#)
        response.body.append(text: StatusLine.reason(of: status))
        response.body.append(text: #"","status":"#)
        response.body.append(decimal: status)
        response.body.append(text: #","detail":""#)
        response.body.append(text: detail)
        if !instance.isEmpty {
            response.body.append(text: #"","instance":""#)
            response.body.append(escaped: instance)
        }
        response.body.append(text: #"","request_id":""#)
        response.body.append(escaped: requestID)
        response.body.append(text: "\"}\n")
    }

    static let internalError = Problem(status: 500, detail: "The request was not answered.")
    static let notFound = Problem(status: 404, detail: "Nothing is at this path.")
    static let methodNotAllowed = Problem(
        status: 405,
        detail: "The path does not take this method; the Allow field lists those it takes."
    )
    static let needsTLS = Problem(
        status: 400,
        detail: "This port speaks TLS, and the request came in the clear: ask for https."
    )
    static let overloaded = Problem(
        status: 503,
        detail: "The server is overloaded; try again after the time in Retry-After."
    )
    static let tooSlow = Problem(
        status: 503,
        detail: "The answer took too long; try again after the time in Retry-After."
    )
    static let tooManyConnections = Problem(
        status: 503,
        detail: "The server has as many connections as it may have; try again later."
    )
}

extension Problem {
    /// The answer to a refused request.
    init(_ error: RequestError) {
        switch error {
        case .strayControlByte:
            self.init(400, "A control character, or a CR or LF alone, is in the head.")
        case .malformedRequestLine: self.init(400, "The request line is malformed.")
        case .malformedTarget: self.init(400, "The request target is malformed.")
        case .malformedField: self.init(400, "A header field is malformed.")
        case .foldedField: self.init(400, "A header field is folded, or begins with white space.")
        case .missingHost: self.init(400, "The Host field is missing.")
        case .repeatedHost: self.init(400, "The Host field is repeated.")
        case .invalidHost: self.init(400, "The host is malformed.")
        case .invalidContentLength: self.init(400, "The Content-Length is no number.")
        case .repeatedContentLength: self.init(400, "The Content-Length is repeated.")
        case .lengthAndCoding:
            self.init(400, "Content-Length and Transfer-Encoding exclude each other.")
        case .malformedCoding:
            self.init(400, "The transfer codings do not end in chunked, once, or one is empty.")
        case .codingInOldVersion: self.init(400, "HTTP/1.0 has no Transfer-Encoding.")
        case .malformedChunk: self.init(400, "The chunked body is malformed.")
        case .chunkLineTooLong(let limit):
            self.init(400, "The size line of a chunk is longer than \(limit) bytes with its end.")
        case .chunksTooSmall(let limit):
            self.init(413, "What is around the chunks takes \(limit) bytes more than they hold.")
        case .trailersTooLarge(let limit):
            self.init(431, "The trailer fields are larger than \(limit) bytes.")
        case .repeatedContentType: self.init(400, "The Content-Type is repeated.")
        case .corruptContent: self.init(400, "The body is no whole gzip, or its sum is wrong.")
        case .truncated: self.init(400, "The request ended before its end.")
        case .timedOut: self.init(408, "The request did not arrive in time.")
        case .lengthRequired: self.init(411, "A body with Content-Length or chunked is required.")
        case .bodyTooLarge(let limit): self.init(413, "The body is larger than \(limit) bytes.")
        case .targetTooLong(let limit): self.init(414, "The target is longer than \(limit) bytes.")
        case .unsecuredTarget:
            self.init(421, "The target is one of https, and the connection is in the clear.")
        case .codedContent: self.init(415, "The only content coding taken is gzip.")
        case .unknownExpectation: self.init(417, "The only expectation met is 100-continue.")
        case .headTooLarge(let limit): self.init(431, "The head is larger than \(limit) bytes.")
        case .tooManyFields(let limit): self.init(431, "There are more than \(limit) fields.")
        case .unknownMethod: self.init(501, "The method is not implemented.")
        case .unsupportedCoding: self.init(501, "The only transfer coding taken is chunked.")
        case .tooManyDecoders:
            self.init(503, "Too many gzip bodies are being read; try again later.")
        case .noRoom:
            self.init(503, "Bodies take all the memory that they may; try again later.")
        case .unsupportedVersion: self.init(505, "The only versions spoken are 1.0 and 1.1.")
        }
    }

    private init(_ status: Int, _ detail: String) {
        self.init(status: status, detail: detail)
    }
}

extension [UInt8] {
    /// Appends bytes as the inside of a JSON string; what is not visible ASCII becomes a question
    /// mark, since the sender's encoding is unknown.
    fileprivate mutating func append(escaped bytes: Span<UInt8>) {
        for index in bytes.indices {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x20..<0x7F: append(byte)
            default: append(UInt8(ascii: "?"))
            }
        }
    }
}
