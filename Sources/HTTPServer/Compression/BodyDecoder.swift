// SPDX-License-Identifier: MIT

/// How far the decoding of a request's body has come, from turn to turn.
struct BodyDecoding {
    /// What it is decoded with, where it has a place.
    var decoder: BodyDecoder?
    /// Since when it waits for a look, or for a place, or has one; nil where it has not waited.
    var waitsSince: Int64?
    /// Whether it has been looked at, and needs a place.
    var hasLooked = false

    /// Whether it has one.
    var hasPlace: Bool { decoder != nil }
}

/// A gzip body that is being decoded, a bounded piece at a time.
final class BodyDecoder {
    /// How many have a place.
    final class Count {
        var value = 0
    }

    private let inflater: Inflater
    private var count: Count?
    /// What has come out.
    private var output: [UInt8] = []
    /// How much has gone in.
    private var offset = 0

    /// Deflate's best, for bytes that are all the same.
    private static let ratioMax = 1032
    /// What a byte that goes in counts for: blocks that give nothing cost as much each as eight
    /// bytes that come out.
    static let inputCost = 8

    /// Nil where there is no memory.
    init?() {
        guard let inflater = Inflater() else { return nil }
        self.inflater = inflater
    }

    deinit {
        count?.value -= 1
    }

    /// Takes one of the places, until it is let go.
    func take(_ count: Count) {
        count.value += 1
        self.count = count
    }

    /// Goes on with a body of one member or more, until the budget of bytes is spent.
    ///
    /// Memory grows with what comes out, up to the limit, whatever the body claims to hold.
    ///
    /// - Returns: All that came out, or nil where there is more to do.
    /// - Throws: ``RequestError``: `bodyTooLarge` past the limit, `corruptContent` where the bytes
    ///   are no gzip, or end too early.
    func decode(
        _ bytes: Span<UInt8>,
        byteCountMax: Int,
        budget: inout Int
    ) throws(RequestError) -> [UInt8]? {
        while budget > 0 {
            // A byte past the limit tells what is too large from what just fits.
            let room = min(max(4096, output.count), byteCountMax + 1 - output.count, budget)
            let start = output.count
            output.append(contentsOf: repeatElement(0, count: room))
            let piece = offset..<min(bytes.count, offset + max(1, budget / Self.inputCost))
            let step = inflater.step(bytes.extracting(piece), into: &output, from: start)
            offset += step.consumed
            budget -= max(Self.inputCost * step.consumed, step.produced)
            output.removeLast(room - step.produced)
            guard step.isWell else { throw .corruptContent }
            guard output.count <= byteCountMax else { throw .bodyTooLarge(limit: byteCountMax) }
            guard step.isAtEnd else { continue }
            if offset == bytes.count { return output }
            // RFC 1952 §2.2: members follow each other with nothing in between.
            inflater.reset()
        }
        guard !claimsMore(than: byteCountMax, bytes) else {
            throw .bodyTooLarge(limit: byteCountMax)
        }
        return nil
    }

    /// Whether the body ends with a size that is possible and over the limit.
    ///
    /// RFC 1952 §2.3.1: the last four bytes are the last member's size. Either it is true, and the
    /// body too large, or a lie, and the body corrupt: there is no use in going on.
    private func claimsMore(than byteCountMax: Int, _ bytes: Span<UInt8>) -> Bool {
        var size = 0
        for index in (bytes.count - min(4, bytes.count)..<bytes.count).reversed() {
            size = size << 8 | Int(bytes[index])
        }
        return size > byteCountMax && size <= BodyDecoder.ratioMax * bytes.count
    }
}
