// SPDX-License-Identifier: MIT

/// A body on its way to its ``BodyStream``, in whatever version of HTTP: which piece comes next,
/// and how far the answer is.
///
/// It holds no bytes but those of one decoded piece. The connection shows it what has come by
/// ``next(_:isLast:)`` and drops what was taken once the piece is answered.
final class StreamedBody {
    /// Bytes of a piece: 64 KiB, some 350 readings, which take half a millisecond.
    static let pieceBytesMax = 65_536
    /// All that are decoded on a loop give as much in a turn together, each this much at least: 64
    /// of them would take several milliseconds, in which others wait.
    private static let decodedBytesMin = 1024
    /// Bytes of a body that has no limit: 2^60, so that no sum of lengths overflows.
    static let byteCountMax = 1 << 60

    let stream: any BodyStream
    /// The connection, where that may have several such bodies.
    let owner: ObjectIdentifier?
    /// When the exchange ends at the latest, on the monotonic clock.
    let deadline: Int64
    /// Since when the client has sent nothing of it and waited for nothing, on that clock; noted
    /// where there is an owner.
    var idleSince: Int64
    /// Whether the stream has been called.
    var hasBegun = false
    /// Whether an answer to the last event is to come from elsewhere.
    var isAwaited = false
    /// Whether the head of the answer has been written.
    var isHeadWritten = false
    /// Why no more will come, or be read, told when all before that was taken.
    var failure: RequestError?

    /// What the stream is to be told next.
    private(set) var event = StreamEvent.piece
    /// Bytes of the body as it came that the event takes.
    private(set) var takenCount = 0
    /// Whether only more bytes can bring the next event.
    private(set) var isHungry = true
    /// Whether another turn is to go on decoding: nothing has come out yet.
    private(set) var isDecoding = false
    /// Whether the piece is in ``decoded``, not in the bytes that came.
    let isDecoded: Bool
    /// The piece where the body is encoded.
    private(set) var decoded: [UInt8] = []
    private var inflater: Inflater?
    private let places: StreamPlaces?
    /// Whether the encoded body may end here.
    private var isWhole = true

    /// Begins with a body at a time on the monotonic clock; it is encoded if the places of those
    /// are given, and takes one.
    init(
        _ stream: any BodyStream,
        places: StreamPlaces?,
        owner: ObjectIdentifier?,
        at now: Int64,
        deadline: Int64
    ) {
        self.stream = stream
        self.owner = owner
        self.deadline = deadline
        idleSince = now
        self.places = places
        isDecoded = places != nil
        inflater = isDecoded ? Inflater() : nil
        places?.add(self)
    }

    deinit {
        places?.remove(ObjectIdentifier(self))
    }

    /// Gives up its decoder for another body: what has not been decoded is not read any more.
    func losePlace() {
        inflater = nil
        decoded = []
        failure = failure ?? .tooManyDecoders
    }

    /// Looks for the next event in what has come and has not been taken; `isLast` if that is the
    /// end of the body.
    ///
    /// - Returns: Whether there is one; otherwise what is taken can be dropped at once.
    /// - Throws: ``RequestError`` once there is nothing left before the fault.
    func next(_ bytes: Span<UInt8>, isLast: Bool) throws(RequestError) -> Bool {
        takenCount = 0
        if isDecoded {
            decode(bytes)
        } else {
            takenCount = min(bytes.count, Self.pieceBytesMax)
        }
        let hasPiece = isDecoded ? !decoded.isEmpty : takenCount > 0
        let isEnd = isLast && failure == nil && takenCount == bytes.count && isWhole
        isDecoding = isDecoded && !hasPiece && takenCount < bytes.count && failure == nil
        isHungry = !hasPiece && !isEnd && !isDecoding
        event = isEnd ? .last : .piece
        if hasPiece || isEnd { return true }
        if isDecoding { return false }
        if let failure { throw failure }
        // All is taken, the decoder has no more to give, and it asks for what will not come.
        if isLast { throw .corruptContent }
        return false
    }

    /// Makes the next event the last: the body's end does not come.
    func fail(_ error: RequestError) {
        let problem = Problem(error)
        event = .failed(status: problem.status, detail: problem.detail)
        takenCount = 0
        decoded = []
        isHungry = false
    }

    /// What the stream has of memory of which others may find none, while it waits for its client.
    var held: HeldBytes? { isAwaited ? nil : stream.held }

    /// How long the next piece may take from now on, of so long at most.
    func pieceTimeout(_ timeoutMax: Int64, at now: Int64) -> Int64 {
        guard let deadline = stream.pieceDeadline(at: now) else { return timeoutMax }
        return min(timeoutMax, deadline - now)
    }

    /// Whether the stream is the one to say why no more comes: it has begun its answer, or the time
    /// is over that it has set.
    func tellsFailure(at now: Int64) -> Bool {
        if isHeadWritten { return true }
        guard let deadline = stream.pieceDeadline(at: now) else { return false }
        return deadline <= now
    }

    /// Whether nothing comes after the answer to the current event.
    func isComplete(after response: borrowing Response) -> Bool {
        event != .piece || response.endsStream
    }

    private func decode(_ bytes: Span<UInt8>) {
        let share = Self.pieceBytesMax / max(1, places?.count ?? 1)
        let decodedBytesMax = max(Self.decodedBytesMin, share)
        let input = min(bytes.count, max(256, decodedBytesMax / BodyDecoder.inputCost))
        switch inflater {
        case .some(let inflater) where failure != .corruptContent:
            do throws(RequestError) {
                takenCount = try inflater.inflatePiece(
                    bytes.extracting(0..<input),
                    into: &decoded,
                    byteCountMax: min(decodedBytesMax, max(4096, bytes.count * 8)),
                    isWhole: &isWhole
                )
            } catch {
                // What stands before the fault is a piece like any other.
                failure = error
                takenCount = bytes.count
            }
        case .some: decoded = []
        case .none: failure = failure ?? .corruptContent
        }
    }
}
