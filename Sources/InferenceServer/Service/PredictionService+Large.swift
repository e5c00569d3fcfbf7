// SPDX-License-Identifier: MIT

internal import HTTPServer

/// What is kept of a request that is answered beside its loop.
struct DeferredRequest: Sendable {
    let endpoint: Endpoint
    /// What the client asked for, for error documents.
    let path: String
    let identity: KeptIdentity
    /// When it was received, on the monotonic clock.
    let received: Int64
    let trace: StageTrace?
    let handle: DeferredResponse
}

/// Requests with large bodies: worked on beside the loops, whose other clients do not wait.
extension PredictionService {
    /// Readings of up to this size have no history that takes long: not more than 170 items.
    private static let smallBytesMax = 512

    /// Whether a loop works on a reading, or on feedback: not where its body is large, or has as
    /// many objects as would make a batch large.
    func isSmall(_ request: borrowing Request, _ bytes: Span<UInt8>) -> Bool {
        let limit = limits.inlineBatchBytesMax
        guard request.body.count > min(limit, Self.smallBytesMax) else { return true }
        guard request.body.count <= limit else { return false }
        var count = 0
        for index in request.body where bytes[index] == UInt8(ascii: "{") { count += 1 }
        return count <= 1 + limits.inlineBatchRowsMax
    }

    /// Answers a reading with a large body, such as one with a long history, beside its loop.
    ///
    /// - Throws: ``ServiceError/busy`` where its body finds no memory.
    func predictBeside(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ maker: borrowing RequestIDMaker,
        _ model: ServedModel,
        _ moment: RequestMoment,
        _ identity: RequestIdentity,
        _ response: inout Response
    ) throws(ServiceError) {
        try runBeside(.predict, request, bytes, maker, identity, moment.trace, &response) {
            [self] kept, body, room, isLate in
            let answer = makeAnswer(to: kept, isLate: isLate) { answer throws(ServiceError) in
                try withScorer(model) { scorer throws(ServiceError) in
                    try scorer.predict(body.span, moment, to: &answer.body)
                }
            }
            finish(kept, answer, room)
        }
    }

    /// Runs work on a request beside its loop, in the line of batches and with a copy of its body,
    /// which has its room in their memory; the work is told whether it has waited too long.
    ///
    /// - Throws: ``ServiceError/busy`` where the body finds no memory.
    func runBeside(
        _ endpoint: Endpoint,
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ maker: borrowing RequestIDMaker,
        _ identity: RequestIdentity,
        _ trace: StageTrace?,
        _ response: inout Response,
        _ work: @escaping @Sendable (DeferredRequest, [UInt8], BatchRoom, _ isLate: Bool) -> Void
    ) throws(ServiceError) {
        let byteCount = request.body.count
        guard batches.budget.reserve(byteCount) else { throw .busy }
        let body = RequestText.copy(bytes, request.body)
        let kept = keep(endpoint, request, bytes, maker, identity, trace, &response)
        batches.run(byteCount, endpoint == .predict ? .reading : .batch) { room, isLate in
            work(kept, body, room, isLate)
        }
    }

    /// Puts the answer to a request off, and keeps what that takes.
    func keep(
        _ endpoint: Endpoint,
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ maker: borrowing RequestIDMaker,
        _ identity: RequestIdentity,
        _ trace: StageTrace?,
        _ response: inout Response
    ) -> DeferredRequest {
        DeferredRequest(
            endpoint: endpoint,
            path: RequestText.string(bytes, request.path),
            identity: identity.kept(bytes, maker, trace),
            received: request.receivedNanoseconds,
            trace: trace,
            handle: response.defer()
        )
    }

    /// What `make` answers to a request, or the answer to its error, or to one that is late.
    func makeAnswer(
        to request: DeferredRequest,
        isLate: Bool,
        _ make: (inout Response) throws(ServiceError) -> Void
    ) -> Response {
        var answer = Response()
        RequestIdentity.addFields(request.identity, to: &answer)
        // Of those that have waited too long the log has the number alone.
        if isLate {
            write(.overloaded, request.path, request.identity, &answer)
            return answer
        }
        do throws(ServiceError) {
            try make(&answer)
        } catch {
            refuse(error, request.path, request.identity, &answer)
        }
        return answer
    }

    /// Sends an answer, with the room that it goes on to take.
    func finish(_ request: DeferredRequest, _ answer: Response, _ room: BatchRoom? = nil) {
        var answer = answer
        room?.go(with: &answer)
        note(
            request.endpoint,
            request.identity,
            answer,
            since: request.received,
            trace: request.trace
        )
        request.handle.complete(answer)
    }
}
