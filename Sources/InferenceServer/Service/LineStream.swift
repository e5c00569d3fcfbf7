// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// A batch that comes line by line: each piece's lines are answered before the next piece is read.
///
/// Each piece meets the model that is then in service.
///
/// - Note: Thread-safe by its lock, which is never waited for: one piece is worked on at a time.
final class LineStream: BodyStream {
    private struct State {
        var lines: LineBuffer
        /// Lines that were answered.
        var count = 0
        /// Where those that were answered end among the lines that are whole.
        var answeredEnd = 0
        /// Bytes of blank lines beyond what readings have earned: they are work without an answer.
        var blankByteCount = 0
        /// Their answers, while there are more to come.
        var answers: [UInt8] = []
        /// What the start of a line that waits for its end has of the memory for those.
        var heldByteCount = 0
        /// The first moment at which that line is late, on the monotonic clock; nil while lines
        /// before it are answered, and not only its client is waited for.
        var lateAt: Int64?
        /// Whether anything has come.
        var hasBytes = false
        /// Whether anything was answered.
        var hasAnswered = false
        /// Bytes of the answer so far.
        var answerByteCount = 0

        /// Takes in what has come.
        ///
        /// - Throws: ``ServiceError`` where the start of a line finds no memory, or has had some
        ///   for too long.
        mutating func add(
            _ bytes: Span<UInt8>,
            isLast: Bool,
            _ service: PredictionService
        ) throws(ServiceError) {
            let now = service.clock.nowNanoseconds
            if let error = lateness(at: now, service) { throw error }
            lines.add(bytes, isLast: isLast)
            if !bytes.isEmpty { hasBytes = true }
            let hasRoom = service.batches.lineStarts.follow(
                &heldByteCount,
                byteCount: lines.bytes.count - lines.wholeEnd
            )
            guard hasRoom else { throw .busy }
            if lines.wholeEnd > 0 { lateAt = nil } else { _ = lineDeadline(at: now, service) }
        }

        /// When the line is late that waits for its end, if only its client is waited for now.
        mutating func lineDeadline(at now: Int64, _ service: PredictionService) -> Int64? {
            lateAt =
                heldByteCount > 0 ? lateAt ?? now + service.lineTimeout.nanoseconds + 1 : nil
            return lateAt
        }

        /// What there is to say where it is late.
        func lateness(at now: Int64, _ service: PredictionService) -> ServiceError? {
            guard let lateAt, now >= lateAt else { return nil }
            return .slowLine(byteCount: ByteBudget.freeByteCount, limit: service.lineTimeout)
        }
    }

    /// Lines that are answered at a time beside the loops: a piece of usual readings has fewer, one
    /// of `{}` has 20,000, which take 60 ms.
    private static let lineCountMax = 512

    /// Bytes of blank lines for each reading, which cost as much.
    private static let blankBytesEarned = 1024

    private let service: PredictionService
    private let identity: KeptIdentity
    /// What the client asked for, for error documents.
    private let path: String
    private let loopIndex: Int
    /// When the batch began, on the monotonic clock.
    private let began: Int64
    private let trace: StageTrace?
    private let state: Lock<State>

    init(service: PredictionService, identity: KeptIdentity, path: String, loopIndex: Int) {
        self.service = service
        self.path = path
        self.loopIndex = loopIndex
        began = service.clock.nowNanoseconds
        let isTraced = service.telemetry?.takesTrace(identity.isSampled) == true
        trace = isTraced ? StageTrace() : nil
        var identity = identity
        if isTraced { identity.beginTrace() }
        self.identity = identity
        state = Lock(State(lines: LineBuffer(lineBytesMax: service.limits.lineBytesMax)))
    }

    deinit {
        service.batches.lineStarts.release(state.withLock { $0.heldByteCount })
    }

    func receive(_ bytes: Span<UInt8>, _ event: StreamEvent, response: inout Response) {
        take(bytes, event, &response)
        if !response.isDeferred { noteAnswer(to: event, response) }
    }

    var held: HeldBytes? {
        HeldBytes(state.withLock(\.heldByteCount), of: service.batches.lineStarts)
    }

    func pieceDeadline(at now: Int64) -> Int64? {
        state.withLock { $0.lineDeadline(at: now, service) }
    }

    private func take(_ bytes: Span<UInt8>, _ event: StreamEvent, _ response: inout Response) {
        if case .failed(let status, let detail) = event {
            let now = service.clock.nowNanoseconds
            let lateness = state.withLock { $0.lateness(at: now, service) }
            return refuse(lateness ?? .interrupted(status: status, detail: detail), &response)
        }
        let limits = service.limits
        let byteCount: Int
        let isInline: Bool
        do throws(ServiceError) {
            (byteCount, isInline) = try state.withLock { state throws(ServiceError) in
                try state.add(bytes, isLast: event == .last, service)
                let count = state.hasBytes ? state.lines.wholeEnd : -1
                let isShort = count <= limits.inlineLineBytesMax
                return (count, isShort && !state.lines.hasMoreLines(than: limits.inlineLinesMax))
            }
        } catch {
            return refuse(error, &response)
        }
        guard byteCount >= 0 else { return refuse(.emptyBody, &response) }
        guard let model = service.models.current else { return refuse(.noModel, &response) }
        response.contentType = .newlineDelimitedJSON
        RequestIdentity.addFields(identity, to: &response)
        if byteCount == 0 { return }
        if isInline {
            _ = answer(model, service.moment(trace), loopIndex: loopIndex, room: nil, &response)
            return
        }
        guard service.batches.budget.reserve(byteCount) else { return refuse(.busy, &response) }
        let started = response
        let moment = service.moment(trace)
        let handle = response.defer()
        let hasAnswered = state.withLock(\.hasAnswered)
        let finish = { @Sendable [self] (room: BatchRoom, response: Response) in
            var response = response
            room.go(with: &response)
            noteAnswer(to: event, response)
            handle.complete(response)
        }
        service.batches.run(byteCount, hasAnswered ? .piece : .batch) { [self] room, isLate in
            guard isLate else { return answer(model, moment, room, started, finish) }
            var response = started
            refuse(.overloaded, &response)
            finish(room, response)
        }
    }

    /// Answers the lines that are whole beside the loops, so many at a time.
    private func answer(
        _ model: ServedModel,
        _ moment: RequestMoment,
        _ room: BatchRoom,
        _ started: Response,
        _ finish: @escaping @Sendable (BatchRoom, Response) -> Void
    ) {
        var response = started
        let isDone = answer(
            model,
            moment,
            loopIndex: nil,
            room: room,
            countMax: Self.lineCountMax,
            &response
        )
        guard isDone else {
            return service.batches.goOn { [self] in answer(model, moment, room, started, finish) }
        }
        finish(room, response)
    }

    /// Counts the bytes of an answer; after the last one the log and the collector are told.
    private func noteAnswer(to event: StreamEvent, _ response: borrowing Response) {
        let added = response.body.count
        let byteCount = state.withLock { state in
            state.answerByteCount += added
            return state.answerByteCount
        }
        guard event != .piece || response.endsStream else { return }
        service.note(
            .batchPredict,
            identity,
            response,
            byteCount: byteCount,
            since: began,
            trace: trace
        )
    }

    /// Answers so many of the lines that are whole, on the loop of that index or beside it.
    ///
    /// - Returns: Whether that were the last of them; the response has the answers to all then.
    private func answer(
        _ model: ServedModel,
        _ moment: RequestMoment,
        loopIndex: Int?,
        room: BatchRoom?,
        countMax: Int = .max,
        _ response: inout Response
    ) -> Bool {
        do throws(ServiceError) {
            let isDone = try state.withLock { state throws(ServiceError) in
                let start = state.answeredEnd
                let end = state.lines.end(ofLines: countMax, from: start)
                // Moved out and back: appending is the work, and copies nothing.
                var answers: [UInt8] = []
                swap(&answers, &state.answers)
                defer { swap(&answers, &state.answers) }
                let count = try service.answerLines(
                    state.lines.bytes.span.extracting(start..<end),
                    state.count,
                    moment,
                    model,
                    loopIndex: loopIndex,
                    room: room,
                    to: &answers
                )
                state.count += count.rows
                state.answeredEnd = end
                // What the answers might have taken is for the next turn, or for others.
                room?.shrink(to: state.lines.wholeEnd + answers.count)
                if count.rows > 0 { state.hasAnswered = true }
                let earned = count.rows * Self.blankBytesEarned
                state.blankByteCount = max(0, state.blankByteCount + count.blankBytes - earned)
                let limit = service.limits.lineBytesMax
                guard state.blankByteCount <= limit else { throw .blankLines(limit: limit) }
                return end == state.lines.wholeEnd
            }
            guard isDone else { return false }
        } catch {
            refuse(error, &response)
        }
        state.withLock { state in
            state.lines.dropWhole()
            state.answeredEnd = 0
            // What there is stands before an error.
            state.answers.append(contentsOf: response.body)
            response.body = []
            swap(&response.body, &state.answers)
        }
        return true
    }

    /// Ends the answer: with a problem document if nothing was said yet, else with an error line.
    private func refuse(_ error: ServiceError, _ response: inout Response) {
        response.reset()
        response.endsStream = error != .emptyBody
        RequestIdentity.addFields(identity, to: &response)
        let (index, hasAnswered) = state.withLock { ($0.count, $0.hasAnswered) }
        guard hasAnswered else {
            return error == .overloaded
                ? service.write(error, path, identity, &response)
                : service.refuse(error, path, identity, &response)
        }
        service.note(error, identity)
        response.contentType = .newlineDelimitedJSON
        response.body.append(contentsOf: ProblemDocument.inPlace(error, index: index))
        response.body.append(UInt8(ascii: "\n"))
    }
}

/// What lines of a streamed batch came to.
struct LineCounts {
    /// Readings, with those that were refused.
    var rows = 0
    /// Bytes of blank lines between them.
    var blankBytes = 0
}
