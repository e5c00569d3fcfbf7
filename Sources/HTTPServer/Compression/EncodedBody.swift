// SPDX-License-Identifier: MIT

internal import Platform
internal import Synchronization

/// A whole gzip body that is decoded beside the loops, a part at a time.
///
/// - Note: Thread-safe by its lock, which is never waited for: one thread decodes at a time.
final class EncodedBody: Sendable {
    /// What a body costs, the least first.
    ///
    /// Those that give much for few bytes come last, since they cost a client nothing: readings
    /// give ten times their bytes, a bomb a thousand times.
    enum Rank: Int, CaseIterable {
        case small, medium, large, denseSmall, dense

        /// Where a body belongs that claims to hold so many bytes.
        init(claim: Int, encodedByteCount: Int) {
            let isDense = claim > Rank.usualRatio * encodedByteCount
            let cost = max(claim, BodyDecoder.inputCost * encodedByteCount)
            if cost <= 262_144 {
                self = isDense ? .denseSmall : .small
            } else if cost <= 1 << 20 {
                self = isDense ? .denseSmall : .medium
            } else {
                self = isDense ? .dense : .large
            }
        }

        private static let usualRatio = 64
    }

    /// What a step has come to.
    enum Step {
        /// There is more to do; where more came out than the body claims to hold it begins anew,
        /// with the last rank.
        case more
        /// That is it.
        case over(Result<[UInt8], RequestError>)
    }

    private struct State {
        var decoder: BodyDecoder?
        /// What bytes and output have of the memory for bodies.
        var heldByteCount: Int
        /// How much may come out before it is misranked.
        var claim: Int
        var rank: Rank
    }

    /// When it began to wait, on the monotonic clock.
    let since: Int64
    private let bytes: [UInt8]
    private let byteCountMax: Int
    private let memory: ByteBudget
    private let hasOwner = Atomic(true)
    private let state: Lock<State>

    /// Deflate's best, for bytes that are all the same.
    private static let ratioMax = 1032

    /// No output is as large.
    private static let noClaim = 1 << 60
    /// What may be decoded beyond the claim before that is looked at.
    private static let excessBytesMax = 4096

    /// Takes a body, of which a copy is made.
    ///
    /// - Throws: ``RequestError``: `noRoom`; `bodyTooLarge` where it claims a size that is possible
    ///   and over the limit. Either that is true, or it is corrupt: there is no use in going on.
    init(
        _ bytes: Span<UInt8>,
        byteCountMax: Int,
        since: Int64,
        memory: ByteBudget
    ) throws(RequestError) {
        let claim = EncodedBody.claim(of: bytes)
        if claim > byteCountMax, claim <= EncodedBody.ratioMax * bytes.count {
            throw .bodyTooLarge(limit: byteCountMax)
        }
        var heldByteCount = 0
        guard memory.resize(&heldByteCount, to: bytes.count) else { throw .noRoom }
        self.since = since
        self.byteCountMax = byteCountMax
        self.memory = memory
        self.bytes = [UInt8](capacity: bytes.count) { $0.append(copying: bytes) }
        let rank = Rank(claim: claim, encodedByteCount: bytes.count)
        state = Lock(State(heldByteCount: heldByteCount, claim: claim, rank: rank))
    }

    deinit {
        memory.release(state.withLock(\.heldByteCount))
    }

    /// The size that a gzip body claims to hold.
    ///
    /// RFC 1952 §2.3.1: the last four bytes are the last member's size.
    static func claim(of bytes: Span<UInt8>) -> Int {
        var size = 0
        for index in (bytes.count - min(4, bytes.count)..<bytes.count).reversed() {
            size = size << 8 | Int(bytes[index])
        }
        return size
    }

    /// Gives the memory back that it has, once its owner counts what came out.
    func release() {
        state.withLock { _ = memory.resize(&$0.heldByteCount, to: 0) }
    }

    /// Takes note that nobody waits for it any more.
    func giveUp() {
        hasOwner.store(false, ordering: .relaxed)
    }

    /// Whether that is so.
    var isGivenUp: Bool { !hasOwner.load(ordering: .relaxed) }

    /// What it costs, as far as that is known.
    var rank: Rank { state.withLock(\.rank) }

    /// Whether a step has been taken.
    var hasBegun: Bool { state.withLock { $0.decoder != nil } }

    /// Decodes until the budget of bytes is spent.
    func step(budget: Int) -> Step {
        state.withLock { state in
            do throws(RequestError) {
                return try step(&state, budget)
            } catch {
                return over(&state, .failure(error))
            }
        }
    }

    /// Decodes all of it now.
    func decodeWhole() -> Result<[UInt8], RequestError> {
        while true {
            if case .over(let result) = step(budget: 1 << 20) { return result }
        }
    }

    private func step(_ state: inout State, _ budget: Int) throws(RequestError) -> Step {
        guard let decoder = state.decoder ?? BodyDecoder() else { throw .noRoom }
        state.decoder = decoder
        // What denies its size is found out at once.
        let claimLeft = state.claim - decoder.outputByteCount
        let costMax = max(claimLeft, BodyDecoder.inputCost * bytes.count) + Self.excessBytesMax
        var budget = min(budget, costMax)
        let bytes = bytes
        let body = try decoder.decode(bytes.span, byteCountMax: byteCountMax, budget: &budget)
        if let body { return over(&state, .success(body)) }
        let byteCount = bytes.count + decoder.outputByteCount
        guard memory.resize(&state.heldByteCount, to: byteCount) else { throw .noRoom }
        guard decoder.outputByteCount > state.claim else { return .more }
        state.claim = Self.noClaim
        state.rank = .dense
        state.decoder = nil
        _ = memory.resize(&state.heldByteCount, to: bytes.count)
        return .more
    }

    /// Ends with a result, and keeps memory for no more than that.
    private func over(_ state: inout State, _ result: Result<[UInt8], RequestError>) -> Step {
        state.decoder = nil
        let byteCount = (try? result.get().count) ?? 0
        guard memory.resize(&state.heldByteCount, to: byteCount) else {
            return over(&state, .failure(.noRoom))
        }
        return .over(result)
    }
}

/// A request's hold on its body while that is decoded, which is given up with it.
final class BodyDecoding {
    let body: EncodedBody

    init(_ body: EncodedBody) {
        self.body = body
    }

    deinit {
        body.giveUp()
    }
}
