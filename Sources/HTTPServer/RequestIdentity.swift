// SPDX-License-Identifier: MIT

internal import Platform

/// The ids by which a request is followed through logs: taken in, or made, and sent back.
///
/// They are ranges of the request's bytes, or what the maker has made last: use them before either
/// changes, or keep them by ``kept(_:_:)``.
package struct RequestIdentity {
    private static let requestIDName: FieldName = "X-Request-ID"
    private static let traceparentName: FieldName = "traceparent"
    /// Bytes of a request id that are sent back: 128, four times an UUID with hyphens.
    private static let byteCountMax = 128

    /// Where the client's request id stands; nil where one was made.
    private let requestID: Range<Int>?
    private let traceparent: Range<Int>?

    /// Finds a request's ids, or makes what is missing.
    ///
    /// A request id is 1 to 128 letters, digits and `-._:/+=@`; a traceparent is
    /// `<2 hex>-<32 hex>-<16 hex>-<2 hex>` (W3C Trace Context §3.2), of a later version with more
    /// behind it.
    package init(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        maker: inout RequestIDMaker
    ) {
        requestID = Self.requestID(of: request, bytes)
        traceparent = Self.traceparent(of: request, bytes)
        if requestID == nil { maker.advance() }
        if traceparent != nil { maker.advanceSpan() }
    }

    /// Makes the ids of a request whose head has not been read.
    init(maker: inout RequestIDMaker) {
        requestID = nil
        traceparent = nil
        maker.advance()
    }

    /// Adds the ids to an answer.
    package func addFields(
        _ bytes: Span<UInt8>,
        _ maker: borrowing RequestIDMaker,
        to response: inout Response
    ) {
        if let requestID {
            response.addField(Self.requestIDName, requestID, of: bytes)
        } else {
            response.addField(line: maker.line.span)
        }
        guard let traceparent else { return }
        let own = Self.traceparent(traceparent, bytes, maker)
        response.addField(Self.traceparentName, 0..<own.count, of: own.span)
    }

    /// Whether the client asks for the request to be traced; nil where it says nothing.
    package func isSampled(_ bytes: Span<UInt8>) -> Bool? {
        // W3C Trace Context §3.2.2.5: the lowest bit of the flags.
        traceparent.map { Self.isOdd(bytes[$0.upperBound - 1]) }
    }

    /// Whether the client of a request without an identity as yet asks for it to be traced; nil
    /// where it says nothing.
    package static func isSampled(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>
    ) -> Bool? {
        traceparent(of: request, bytes).map { isOdd(bytes[$0.upperBound - 1]) }
    }

    /// The client's traceparent with a span of ours in the place of its own.
    private static func traceparent(
        _ range: Range<Int>,
        _ bytes: Span<UInt8>,
        _ maker: borrowing RequestIDMaker
    ) -> [UInt8] {
        let own = maker.spanText
        return [UInt8](capacity: 55) { output in
            // §3.2.2 and §3.2.2.5.2: the version is ours, and of the flags only what it knows.
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: "0"))
            output.append(copying: bytes.extracting(range.lowerBound + 2..<range.lowerBound + 36))
            output.append(copying: own.span)
            output.append(UInt8(ascii: "-"))
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: isOdd(bytes[range.upperBound - 1]) ? "1" : "0"))
        }
    }

    /// Where in the request the id stands, or nil where the maker holds it.
    var requestIDRange: Range<Int>? { requestID }

    /// The ids as texts, for an answer that is given later and for errors.
    package func kept(_ bytes: Span<UInt8>, _ maker: borrowing RequestIDMaker) -> KeptIdentity {
        KeptIdentity(
            requestID: requestID.map { Self.text(bytes, $0) }
                ?? String(decoding: maker.text, as: UTF8.self),
            traceparent: traceparent.map {
                String(decoding: Self.traceparent($0, bytes, maker), as: UTF8.self)
            },
            parentSpanID: traceparent.map {
                Self.text(bytes, $0.lowerBound + 36..<$0.lowerBound + 52)
            }
        )
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        let bytes = [UInt8](capacity: range.count) { $0.append(copying: bytes.extracting(range)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Adds kept ids to an answer.
    package static func addFields(_ kept: KeptIdentity, to response: inout Response) {
        response.addField(requestIDName, kept.requestID)
        if let traceparent = kept.traceparent { response.addField(traceparentName, traceparent) }
    }

    private static func requestID(
        of request: borrowing Request,
        _ bytes: Span<UInt8>
    ) -> Range<Int>? {
        guard let range = request.value(of: requestIDName, in: bytes),
            (1...byteCountMax).contains(range.count)
        else { return nil }
        for index in range where !isIDByte(bytes[index]) { return nil }
        return range
    }

    private static func traceparent(
        of request: borrowing Request,
        _ bytes: Span<UInt8>
    ) -> Range<Int>? {
        guard let value = request.value(of: traceparentName, in: bytes), value.count >= 55 else {
            return nil
        }
        let range = value.lowerBound..<value.lowerBound + 55
        for offset in 0..<55 {
            let byte = bytes[range.lowerBound + offset]
            switch offset {
            case 2, 35, 52: guard byte == UInt8(ascii: "-") else { return nil }
            default: guard isLowerHex(byte) else { return nil }
            }
        }
        let start = range.lowerBound
        // §4: a later version may go on behind these; version 00 does not.
        if value.count > 55 {
            let isLater = !holds(bytes, UInt8(ascii: "0"), in: start..<start + 2)
            guard isLater, bytes[range.upperBound] == UInt8(ascii: "-") else { return nil }
        }
        // §3.2.2: there is no version ff, and ids of zeros name nothing.
        if holds(bytes, UInt8(ascii: "f"), in: start..<start + 2)
            || holds(bytes, UInt8(ascii: "0"), in: start + 3..<start + 35)
            || holds(bytes, UInt8(ascii: "0"), in: start + 36..<start + 52)
        {
            return nil
        }
        // §3.2: there is one; of several no one can tell which is the caller's.
        let name = traceparentName.bytes
        let count = request.fields.count { matches(name, $0.name, in: bytes) }
        return count == 1 ? range : nil
    }

    /// Whether there is but that byte in the range.
    private static func holds(_ bytes: Span<UInt8>, _ byte: UInt8, in range: Range<Int>) -> Bool {
        for index in range where bytes[index] != byte { return false }
        return true
    }

    /// Whether the lowest bit of a hexadecimal digit is set; that of a letter's code is the other.
    private static func isOdd(_ digit: UInt8) -> Bool { (digit ^ digit >> 6) & 1 == 1 }

    private static func isLowerHex(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || byte &- UInt8(ascii: "a") < 6
    }

    private static func isIDByte(_ byte: UInt8) -> Bool {
        if byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26 {
            return true
        }
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: "="), UInt8(ascii: "@"):
            return true
        default: return false
        }
    }
}

/// The ids of a request whose bytes have gone.
package struct KeptIdentity: Sendable {
    /// The request id.
    package let requestID: String
    /// The traceparent with our own span, where the client sent one.
    package let traceparent: String?
    /// The client's span, where it sent one.
    package let parentSpanID: String?
    /// Where the request stands in a trace that was begun for it, since it came without one; not
    /// sent back.
    package var begun: (traceID: String, spanID: String)?

    /// The id of the trace: 32 hexadecimal digits.
    package var traceID: String? {
        traceparent.map { String($0.dropFirst(3).prefix(32)) } ?? begun?.traceID
    }

    /// Whether the client asks for the request to be traced; nil where it says nothing.
    package var isSampled: Bool? {
        traceparent?.utf8.last.map { $0 & 1 == 1 }
    }

    /// The id of our own span: 16 hexadecimal digits.
    package var spanID: String? {
        traceparent.map { String($0.dropFirst(36).prefix(16)) } ?? begun?.spanID
    }
}

/// Makes request ids: 64 random bits of the process and loop, and a count.
///
/// A random number per request would cost a system call.
package struct RequestIDMaker: Sendable {
    /// The field of the id that was made last, as it goes out.
    private(set) var line: [UInt8]
    private var count: UInt64 = 0
    /// The id of a span that was made last: 16 hexadecimal digits.
    package private(set) var spanText: [UInt8]
    private var spanState: UInt64

    private static let name = Array("x-request-id: ".utf8)
    private static let idByteCount = 33

    /// Makes one that has made no id yet; tests fix the random bits.
    package init(prefix: UInt64 = .random(in: 0 ... .max)) {
        spanText = []
        spanState = prefix
        line = Self.name
        Self.append(prefix, to: &line)
        line.append(UInt8(ascii: "-"))
        Self.append(0, to: &line)
        line.append(0x0D)
        line.append(0x0A)
    }

    /// The id that was made last.
    package var text: [UInt8] { Array(line[Self.name.count..<Self.name.count + Self.idByteCount]) }

    /// Makes the next id.
    package mutating func advance() {
        count &+= 1
        // The count stands in hexadecimal at the end; most steps change the last digit only.
        var rest = count
        let end = Self.name.count + Self.idByteCount
        var place = end - 1
        while place >= end - 16 {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            line[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            if digit != 0 { break }
            rest >>= 4
            place -= 1
        }
    }

    /// Advances ``spanText`` to the next id, which looks random and is not 0.
    package mutating func advanceSpan() {
        // SplitMix64 (Steele, Lea, Flood 2014), whose outputs differ for 2^64 steps.
        spanState &+= 0x9E37_79B9_7F4A_7C15
        var word = spanState
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        word ^= word >> 31
        spanText.removeAll(keepingCapacity: true)
        Self.append(word == 0 ? 1 : word, to: &spanText)
    }

    private static func append(_ value: UInt64, to text: inout [UInt8]) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift) & 15)
            text.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
