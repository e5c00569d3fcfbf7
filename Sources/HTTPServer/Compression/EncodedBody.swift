// SPDX-License-Identifier: MIT

internal import Platform
internal import Synchronization

/// A whole gzip body that is decoded beside the loops, a part at a time.
///
/// - Note: Thread-safe by its lock, which is never waited for: one thread decodes at a time.
final class EncodedBody: Sendable {
    /// What a body costs, the least first: what it claims to cost, or what it has cost so far.
    ///
    /// Those that give much for few bytes come last, since they cost a client nothing: readings
    /// give ten times their bytes, a bomb a thousand times.
    enum Rank: Int, CaseIterable {
        case small, medium, large, denseSmall, dense

        /// Where a body belongs that claims to hold so many bytes.
        init(claim: Int, encodedByteCount: Int) {
            self.init(
                cost: max(claim, BodyDecoder.inputCost * encodedByteCount),
                isDense: Rank.isDense(claim, of: encodedByteCount)
            )
        }

        /// Where a body belongs of that cost.
        init(cost: Int, isDense: Bool) {
            if cost <= 262_144 {
                self = isDense ? .denseSmall : .small
            } else if cost <= 1 << 20 {
                self = isDense ? .denseSmall : .medium
            } else {
                self = isDense ? .dense : .large
            }
        }

        /// Whether it is one of those that give much for few bytes.
        var isDense: Bool { self == .denseSmall || self == .dense }

        /// Whether so many bytes are much for what they come of.
        static func isDense(_ byteCount: Int, of encodedByteCount: Int) -> Bool {
            byteCount > 64 * encodedByteCount
        }
    }

    /// What a step has come to.
    enum Step {
        /// There is more to do, maybe with another rank.
        case more(hasMoved: Bool)
        /// That is it.
        case over(Result<[UInt8], RequestError>)
    }

    private struct State {
        var decoder: BodyDecoder?
        /// What bytes and decoder have of the memory for bodies.
        var heldByteCount: Int
        /// What its steps have cost so far.
        var cost = 0
        var rank: Rank
    }

    /// When it began to wait, on the monotonic clock.
    let since: Int64
    private let bytes: [UInt8]
    /// How much it says it holds, which need not be true.
    private let claim: Int
    private let byteCountMax: Int
    private let memory: ByteBudget
    private let hasOwner = Atomic(true)
    private let state: Lock<State>

    /// Deflate's best, for bytes that are all the same.
    private static let ratioMax = 1032

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
        self.claim = claim
        self.byteCountMax = byteCountMax
        self.memory = memory
        self.bytes = [UInt8](capacity: bytes.count) { $0.append(copying: bytes) }
        let rank = Rank(claim: claim, encodedByteCount: bytes.count)
        state = Lock(State(heldByteCount: heldByteCount, rank: rank))
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
        let costMax = min(budget, costMax(of: decoder))
        var costLeft = costMax
        let bytes = bytes
        let body = try decoder.decode(bytes.span, byteCountMax: byteCountMax, budget: &costLeft)
        if let body { return over(&state, .success(body)) }
        state.cost += costMax - costLeft
        let byteCount = bytes.count + decoder.byteCount
        guard memory.resize(&state.heldByteCount, to: byteCount) else { throw .noRoom }
        return .more(hasMoved: move(&state, decoder))
    }

    /// What a step may cost: what denies its size is found out at once.
    private func costMax(of decoder: BodyDecoder) -> Int {
        let claimLeft = claim - decoder.outputByteCount
        guard claimLeft >= 0 else { return .max }
        return max(claimLeft, BodyDecoder.inputCost * bytes.count) + Self.excessBytesMax
    }

    /// Gives it the rank of what it has cost so far.
    ///
    /// What is dense begins anew in it, so that it does not wait there with much that has come out
    /// of little. Others go on, unless memory is short.
    ///
    /// - Returns: Whether that is another rank.
    private func move(_ state: inout State, _ decoder: BodyDecoder) -> Bool {
        let output = decoder.outputByteCount
        let isFoundDense =
            !state.rank.isDense && output > claim && Rank.isDense(output, of: decoder.offset)
        let rank = Rank(
            cost: max(state.cost, claim, BodyDecoder.inputCost * bytes.count),
            isDense: state.rank.isDense || isFoundDense
        )
        guard rank != state.rank else { return false }
        state.rank = rank
        if rank.isDense || memory.isHalfTaken {
            state.decoder = nil
            _ = memory.resize(&state.heldByteCount, to: bytes.count)
        }
        return true
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
