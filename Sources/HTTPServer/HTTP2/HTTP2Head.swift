// SPDX-License-Identifier: MIT

internal import CNghttp2

/// The header list of an answer; it keeps its memory between answers.
struct HTTP2Head {
    private var bytes: [UInt8] = []
    private var fields: [HeaderField] = []

    private enum Name {
        static let status = Array(":status".utf8)
        static let contentType = Array("content-type".utf8)
        static let contentLength = Array("content-length".utf8)
        static let requestID = Array("x-request-id".utf8)
        static let traceParent = Array("traceparent".utf8)
    }

    /// Fills it with the fields that HTTP/1.1 sends with this answer, but for `Connection`.
    ///
    /// That of a streamed answer says nothing of its length.
    mutating func set(_ response: borrowing Response, date: [UInt8], isStreamed: Bool = false) {
        setStatus(response.status)
        addLines(date)
        let hasBody = !response.body.isEmpty
        if hasBody { add(Name.contentType) { $0.append(text: response.contentType.rawValue) } }
        // RFC 9110 §8.6: no Content-Length in a 204 or 304 without a body.
        if !isStreamed, hasBody || response.status != 204 && response.status != 304 {
            add(Name.contentLength) { $0.append(decimal: response.body.count) }
        }
        addLines(response.fieldBytes)
    }

    /// Fills it with a status alone.
    mutating func setStatus(_ status: Int) {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        add(Name.status) { $0.append(decimal: status) }
    }

    private mutating func add(_ name: [UInt8], _ value: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: name)
        let middle = bytes.count
        value(&bytes)
        fields.append(HeaderField(name: start..<middle, value: middle..<bytes.count))
    }

    /// Adds fields that stand as `name: value CRLF` each, as this module writes them.
    private mutating func addLines(_ lines: [UInt8]) {
        let base = bytes.count
        bytes.append(contentsOf: lines)
        var start = base
        while start < bytes.count {
            var colon = start
            while bytes[colon] != UInt8(ascii: ":") { colon += 1 }
            var end = colon + 2
            while bytes[end] != 0x0D { end += 1 }
            fields.append(HeaderField(name: start..<colon, value: (colon + 2)..<end))
            start = end + 2
        }
    }

    /// RFC 7541 §7.1.3: a value that never comes again has no place in the table, where it would
    /// push out others and be compared with every later one.
    private func flags(of name: Range<Int>, in bytes: Span<UInt8>) -> UInt8 {
        let isUnique =
            equals(Name.requestID, name, in: bytes) || equals(Name.traceParent, name, in: bytes)
        return UInt8((isUnique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE).rawValue)
    }

    /// Calls `body` with the list as nghttp2 takes it; the pointers are good for the call.
    func withPairs<Result>(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result) -> Result {
        // SAFETY: every range lies within the bytes, which live for the call; the pairs are
        // initialised up to the count that is handed on, and are trivial.
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: fields.count) {
                let base = unsafe UnsafeMutablePointer(mutating: bytes.baseAddress)
                // SAFETY: the bytes live for the call.
                let span = unsafe bytes.span
                for (index, field) in fields.enumerated() {
                    let pair = unsafe nghttp2_nv(
                        name: base.map { unsafe $0 + field.name.lowerBound },
                        value: base.map { unsafe $0 + field.value.lowerBound },
                        namelen: field.name.count,
                        valuelen: field.value.count,
                        flags: flags(of: field.name, in: span)
                    )
                    // SAFETY: as said above.
                    unsafe $0.initializeElement(at: index, to: pair)
                }
                return unsafe body(UnsafeBufferPointer($0))
            }
        }
    }
}
