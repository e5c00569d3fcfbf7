// SPDX-License-Identifier: MIT

internal import Platform

/// The media type of a body.
///
/// Names and no texts, so that setting one for each answer costs a byte.
package enum ContentType: String, Sendable {
    /// JSON.
    case json = "application/json"
    /// A problem document (RFC 9457).
    case problem = "application/problem+json"
    /// Lines of JSON.
    case newlineDelimitedJSON = "application/x-ndjson"
    /// The text format 0.0.4 of Prometheus.
    case prometheusText = "text/plain; version=0.0.4; charset=utf-8"
    /// OpenMetrics, version 1.0.
    case openMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8"
    /// Text in UTF-8.
    case text = "text/plain; charset=utf-8"
}

/// Memory that goes with an answer until that has been sent or given up.
package protocol AnswerReservation: AnyObject, Sendable {
    /// What it has of which budget. Where others find no room there, clients that read too slowly
    /// are let go.
    var held: HeldBytes { get }

    /// Gives back what it has beyond so many bytes.
    func shrink(to byteCount: Int)
}

/// An answer: status, media type, further header fields and the whole body.
///
/// The one that a handler is given belongs to its event loop and keeps its memory between requests.
package struct Response: Sendable {
    /// The status code, 200 to 599.
    package var status = 200
    /// The media type of the body; not sent where the body is empty.
    package var contentType = ContentType.json
    /// The body; `Content-Length` is made from it.
    package var body: [UInt8] = []
    /// Whether the connection ends after this answer.
    package var closesConnection = false
    /// Whether nothing follows this part of an answer, though the body of the request may go on.
    ///
    /// It has a meaning for a ``BodyStream`` only; a connection of HTTP/1.1 ends then.
    package var endsStream = false
    /// Whether a deferred answer turns the request away because of overload, which is counted.
    package var isShed = false

    /// What is to live until the body has been sent or given up.
    package var reservation: (any AnswerReservation)? {
        didSet { isReserved = reservation != nil }
    }
    /// Whether there is one; asked for every answer, where the reference itself would be counted.
    private(set) var isReserved = false

    /// Further fields as they go out: `name: value CRLF` each.
    private(set) var fieldBytes: [UInt8] = []
    /// Where a deferred answer has to go; set by the loop before the handler is called.
    var destination: DeferredResponse.Destination?
    /// Whether the answer is given later.
    package private(set) var isDeferred = false

    /// Makes an empty response of status 200.
    package init() {}

    /// Adds a header field.
    ///
    /// Control characters of the value are left out.
    package mutating func addField(_ name: FieldName, _ value: String) {
        addField(name, 0..<value.utf8.count, of: value.utf8.span)
    }

    /// Adds a header field whose value is a part of `bytes`, such as a field of the request.
    package mutating func addField(_ name: FieldName, _ value: Range<Int>, of bytes: Span<UInt8>) {
        let value = bytes.extracting(value)
        fieldBytes.append(addingCapacity: name.bytes.count + value.count + 4) { output in
            output.append(copying: name.bytes.span)
            output.append(UInt8(ascii: ":"))
            output.append(UInt8(ascii: " "))
            if hasControlByte(value) {
                for index in value.indices where Self.isFieldByte(value[index]) {
                    output.append(value[index])
                }
            } else {
                output.append(copying: value)
            }
            output.append(0x0D)
            output.append(0x0A)
        }
    }

    /// Adds a header field that stands as `name: value CRLF`.
    mutating func addField(line: Span<UInt8>) {
        fieldBytes.append(copying: line)
    }

    /// Postpones the answer until the returned handle is completed.
    ///
    /// What this response holds when the handler returns is not sent, and the connection waits. The
    /// body of the request must be copied by the handler.
    package mutating func `defer`() -> DeferredResponse {
        guard let destination, !isDeferred else {
            preconditionFailure("a response is deferred once, by a handler")
        }
        isDeferred = true
        return DeferredResponse(destination)
    }

    /// Empties the response and keeps its memory.
    package mutating func reset() {
        status = 200
        contentType = .json
        if !body.isEmpty { body.removeAll(keepingCapacity: true) }
        if !fieldBytes.isEmpty { fieldBytes.removeAll(keepingCapacity: true) }
        closesConnection = false
        endsStream = false
        isShed = false
        isDeferred = false
        if isReserved { reservation = nil }
    }

    /// RFC 9110 §5.5: a value holds no control character but the tab.
    @inline(__always)
    private static func isFieldByte(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == 0x09
    }
}
