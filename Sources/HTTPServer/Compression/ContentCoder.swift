// SPDX-License-Identifier: MIT

/// The content codings of one event loop; what zlib needs is made at the first use and kept.
final class ContentCoder {
    /// The bodies that are being decoded.
    private let decoderCount = BodyDecoder.Count()
    /// The streamed bodies that are being decoded.
    let streamDecoderCount = BodyDecoder.Count()
    /// Bytes that may still be decoded in this turn of the loop: of bodies that have a place, and
    /// of those at which it looks for the first time.
    private var placeBudget = ContentCoder.decodedBytesPerTurn
    private var lookBudget = ContentCoder.decodedBytesPerTurn
    /// Since when the first has waited that got no place in this turn, and in the one before.
    private var oldestWaiter = Int64.max
    private var oldestBefore = Int64.max
    /// Whether some got no look in this turn, and in the one before.
    private var looksInVain = false
    private var lookedInVainBefore = false
    private var deflater: Deflater?

    /// Bytes in or out of gzip in a turn of the loop: 0.1 ms.
    private static let decodedBytesPerTurn = 65_536
    /// Larger bodies decoded at a time, each in pieces; the next ones wait.
    private static let decoderCountMax = 4
    /// How long they wait at most, in nanoseconds: a loop decodes 300 MB in that time.
    static let waitMax: Int64 = 1_000_000_000

    private static let acceptEncoding: FieldName = "Accept-Encoding"
    private static let contentEncoding: FieldName = "Content-Encoding"
    private static let vary: FieldName = "Vary"
    private static let gzip = Array("gzip".utf8)
    private static let xGzip = Array("x-gzip".utf8)
    private static let identity = Array("identity".utf8)
    private static let any = Array("*".utf8)

    /// Whether some waited in vain for a look or a place in the turn before.
    var isContended: Bool { lookedInVainBefore || oldestBefore < .max }

    /// Lets a turn of the loop decode its share.
    func beginTurn() {
        placeBudget = Self.decodedBytesPerTurn
        // What a look has taken beyond it, later ones lack.
        lookBudget = min(lookBudget, 0) + Self.decodedBytesPerTurn
        oldestBefore = oldestWaiter
        oldestWaiter = .max
        lookedInVainBefore = looksInVain
        looksInVain = false
    }

    /// Goes on decoding the body of a request.
    ///
    /// The first 64 KiB come out at once, so that usual bodies wait for nobody. Larger ones need a
    /// place, of which one request may be forbidden to take another.
    ///
    /// - Returns: The body, or nil where the next turn is to go on.
    /// - Throws: ``RequestError``; `tooManyDecoders` where no place has come free for too long.
    func decode(
        _ bytes: Span<UInt8>,
        byteCountMax: Int,
        mayTakePlace: Bool = true,
        now: Int64,
        with decoding: inout BodyDecoding
    ) throws(RequestError) -> [UInt8]? {
        do throws(RequestError) {
            let body = try step(bytes, byteCountMax, mayTakePlace, now, &decoding)
            if body != nil { decoding = BodyDecoding() }
            return body
        } catch {
            decoding = BodyDecoding()
            throw error
        }
    }

    private func step(
        _ bytes: Span<UInt8>,
        _ byteCountMax: Int,
        _ mayTakePlace: Bool,
        _ now: Int64,
        _ decoding: inout BodyDecoding
    ) throws(RequestError) -> [UInt8]? {
        if decoding.decoder == nil {
            guard decoding.hasLooked else {
                return try look(bytes, byteCountMax, mayTakePlace, now, &decoding)
            }
            guard mayTakePlace else {
                decoding.waitsSince = now
                return nil
            }
            // Who has waited for longest comes first.
            guard decoderCount.value < Self.decoderCountMax,
                decoding.waitsSince ?? now <= oldestBefore
            else {
                oldestWaiter = min(oldestWaiter, try wait(&decoding, now))
                return nil
            }
            guard let decoder = BodyDecoder() else { throw .noRoom }
            decoder.take(decoderCount)
            decoding.decoder = decoder
        }
        return try decoding.decoder?.decode(
            bytes,
            byteCountMax: byteCountMax,
            budget: &placeBudget
        )
    }

    /// Decodes what comes out first; where there is more, that goes on in a place.
    private func look(
        _ bytes: Span<UInt8>,
        _ byteCountMax: Int,
        _ mayTakePlace: Bool,
        _ now: Int64,
        _ decoding: inout BodyDecoding
    ) throws(RequestError) -> [UInt8]? {
        // Those that have waited come later in a turn than those that have just come, who get what
        // half of it gives them then.
        let isNew = decoding.waitsSince == nil && lookedInVainBefore
        let room = isNew ? lookBudget - Self.decodedBytesPerTurn / 2 : Self.decodedBytesPerTurn
        guard lookBudget > 0, room > 0 else {
            looksInVain = true
            _ = try wait(&decoding, now)
            return nil
        }
        guard let decoder = BodyDecoder() else { throw .noRoom }
        var budget = room
        defer { lookBudget -= room - budget }
        let body = try decoder.decode(bytes, byteCountMax: byteCountMax, budget: &budget)
        guard body == nil else { return body }
        guard !isNew else {
            looksInVain = true
            _ = try wait(&decoding, now)
            return nil
        }
        decoding.hasLooked = true
        decoding.waitsSince = now
        // Not before those that wait for one.
        let isFree = decoderCount.value < Self.decoderCountMax && oldestBefore == .max
        if mayTakePlace, isFree {
            decoder.take(decoderCount)
            decoding.decoder = decoder
        }
        return nil
    }

    /// - Returns: Since when it has waited.
    private func wait(
        _ decoding: inout BodyDecoding,
        _ now: Int64
    ) throws(RequestError) -> Int64 {
        let since = decoding.waitsSince ?? now
        guard now - since <= Self.waitMax else { throw .tooManyDecoders }
        decoding.waitsSince = since
        return since
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
