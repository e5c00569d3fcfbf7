// SPDX-License-Identifier: MIT

/// The content codings of one event loop; what zlib needs is made at the first use and kept.
final class ContentCoder {
    /// The streamed bodies that are being decoded.
    let streamPlaces = StreamPlaces()
    private var deflater: Deflater?

    /// Bodies up to this size are decoded at once, which takes 0.1 ms: a hundred readings.
    private static let soonBytesMax = 32_768

    private static let acceptEncoding: FieldName = "Accept-Encoding"
    private static let contentEncoding: FieldName = "Content-Encoding"
    private static let vary: FieldName = "Vary"
    private static let gzip = Array("gzip".utf8)
    private static let xGzip = Array("x-gzip".utf8)
    private static let identity = Array("identity".utf8)
    private static let any = Array("*".utf8)

    /// Decodes a body that takes no time.
    ///
    /// - Returns: The body, or nil where it is to be decoded beside the loop.
    /// - Throws: ``RequestError``.
    func decode(_ bytes: Span<UInt8>, byteCountMax: Int) throws(RequestError) -> [UInt8]? {
        guard bytes.count <= Self.soonBytesMax,
            EncodedBody.claim(of: bytes) <= Self.soonBytesMax
        else { return nil }
        guard let decoder = BodyDecoder() else { throw .noRoom }
        // What denies its size goes no further than this.
        var budget = 2 * Self.soonBytesMax
        return try decoder.decode(bytes, byteCountMax: byteCountMax, budget: &budget)
    }

    /// Encodes the body of an answer where the client takes that.
    ///
    /// - Precondition: The body is as large as one that is encoded has to be.
    func encode(_ response: inout Response, for request: borrowing Request, _ bytes: Span<UInt8>) {
        Self.addVary(to: &response)
        guard Self.accepts(request, bytes) else { return }
        encode(&response)
    }

    /// RFC 9110 §12.5.5: a cache must know that others may get another form.
    static func addVary(to response: inout Response) {
        response.addField(vary, "accept-encoding")
    }

    /// Encodes the body of an answer if it gets smaller.
    func encode(_ response: inout Response) {
        if deflater == nil { deflater = Deflater() }
        let encoded: [UInt8]?
        switch deflater {
        case .some(let deflater): encoded = deflater.deflate(response.body)
        case .none: encoded = nil
        }
        guard let encoded else { return }
        response.body = encoded
        response.addField(Self.contentEncoding, "gzip")
    }

    /// Whether a value of Content-Encoding is the one coding that is taken (RFC 9110 §8.4.1.3).
    static func isGzip(_ value: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        matches(gzip, value, in: bytes) || matches(xGzip, value, in: bytes)
    }

    /// Whether a client takes gzip no less than the plain form (RFC 9110 §12.5.3).
    static func accepts(_ request: borrowing Request, _ bytes: Span<UInt8>) -> Bool {
        var gzip: Int?
        var any: Int?
        var identity = 0
        for field in request.fields where matches(acceptEncoding.bytes, field.name, in: bytes) {
            RequestParser.forEachElement(field.value, bytes) { element, bytes in
                let (name, weight) = weighted(element, bytes)
                if isGzip(name, bytes) {
                    gzip = max(gzip ?? 0, weight)
                } else if matches(Self.any, name, in: bytes) {
                    any = weight
                } else if matches(Self.identity, name, in: bytes) {
                    identity = weight
                }
            }
        }
        let weight = gzip ?? any ?? 0
        return weight > 0 && weight >= identity
    }

    /// Splits `coding [ OWS ";" OWS "q=" qvalue ]`; the weight is in thousandths, and 0 where it is
    /// malformed.
    private static func weighted(
        _ element: Range<Int>,
        _ bytes: Span<UInt8>
    ) -> (name: Range<Int>, weight: Int) {
        var end = element.lowerBound
        while end < element.upperBound, isTokenByte(bytes[end]) { end += 1 }
        let name = element.lowerBound..<end
        var index = end
        func skip(_ isWanted: (UInt8) -> Bool) -> Int {
            let start = index
            while index < element.upperBound, isWanted(bytes[index]) { index += 1 }
            return index - start
        }
        _ = skip(isWhitespace)
        if index == element.upperBound { return (name, 1000) }
        guard skip({ $0 == UInt8(ascii: ";") }) == 1 else { return (name, 0) }
        _ = skip(isWhitespace)
        guard skip({ lowercased($0) == UInt8(ascii: "q") }) == 1,
            skip({ $0 == UInt8(ascii: "=") }) == 1
        else { return (name, 0) }
        return (name, thousandths(index..<element.upperBound, bytes) ?? 0)
    }

    /// Reads `0[.ddd]` or `1[.000]`.
    private static func thousandths(_ value: Range<Int>, _ bytes: Span<UInt8>) -> Int? {
        guard (1...5).contains(value.count) else { return nil }
        var sum = 0
        var unit = 1000
        for index in value {
            if index == value.lowerBound + 1 {
                guard bytes[index] == UInt8(ascii: ".") else { return nil }
                continue
            }
            guard isDigit(bytes[index]) else { return nil }
            sum += Int(bytes[index] & 0x0F) * unit
            unit /= 10
        }
        return sum <= 1000 ? sum : nil
    }
}
