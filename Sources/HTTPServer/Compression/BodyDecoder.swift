// SPDX-License-Identifier: MIT

/// A gzip body that is being decoded, a bounded piece at a time.
final class BodyDecoder {
    private let inflater: Inflater
    /// What has come out.
    private var output: [UInt8] = []
    /// How much has gone in.
    private(set) var offset = 0

    /// What a byte that goes in counts for: blocks that give nothing cost as much each as eight
    /// bytes that come out.
    static let inputCost = 8
    /// Likewise each member, for which room is made anew.
    private static let memberCost = 4096
    /// What zlib has: a window of 32 KiB, and its tables.
    private static let inflaterBytes = 40_960

    /// Nil where there is no memory.
    init?() {
        guard let inflater = Inflater() else { return nil }
        self.inflater = inflater
    }

    /// How many bytes have come out.
    var outputByteCount: Int { output.count }

    /// What it holds in memory.
    var byteCount: Int { Self.inflaterBytes + output.count }

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
            let piece = offset..<min(bytes.count, offset + max(1, budget / Self.inputCost))
            let step = step(bytes.extracting(piece), room: room)
            offset += step.consumed
            budget -= max(Self.inputCost * step.consumed, step.produced)
            guard step.isWell else { throw .corruptContent }
            guard output.count <= byteCountMax else { throw .bodyTooLarge(limit: byteCountMax) }
            guard step.isAtEnd else { continue }
            if offset == bytes.count { return output }
            // RFC 1952 §2.2: members follow each other with nothing in between.
            inflater.reset()
            budget -= Self.memberCost
        }
        return nil
    }

    private func step(_ bytes: Span<UInt8>, room: Int) -> Inflater.Step {
        var step = Inflater.Step.none
        output.append(addingCapacity: room) { step = inflater.step(bytes, into: &$0) }
        return step
    }
}
