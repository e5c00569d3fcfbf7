// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Platform

/// `POST /batch_predict`: small batches on their loop, others beside it, large ones on all cores.
extension PredictionService {
    /// Answers a batch, on its loop or beside it.
    ///
    /// - Throws: ``ServiceError``; nothing was taken in then.
    func predictBatch(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ context: inout LoopContext,
        _ identity: RequestIdentity,
        _ trace: StageTrace?,
        _ response: inout Response
    ) throws(ServiceError) {
        let moment = moment(trace)
        let type = try mediaType(request, bytes)
        if try asksForExplanation(request, bytes) {
            throw .invalidQuery(name: "explain", accepted: "false here: ask /predict for it")
        }
        // What to do with errors is not asked where each line has its own; those come here whose
        // condition fails.
        let skips = type == .json ? try skipsErrors(request, bytes) : false
        let job = BatchJob(moment: moment, skipsErrors: skips)
        let model = try prepare(&context, slot: request.loopIndex)
        try checkPrecondition(request)
        if request.body.count <= limits.inlineBatchBytesMax {
            let isAnswered = try context.scorer?.predictBatch(
                job,
                bytes.extracting(request.body),
                countMax: limits.inlineBatchRowsMax,
                to: &response
            )
            guard isAnswered == false else { return }
        }
        let maker = context.requestIDs
        try runBeside(.batchPredict, request, bytes, maker, identity, trace, &response) {
            [self] kept, body, room, isLate in
            let whole = makeAnswer(to: kept, isLate: isLate) { whole throws(ServiceError) in
                var job = job
                job.room = room
                try answer(job, body, model, &whole)
            }
            finish(kept, whole, room)
        }
    }

    /// Answers a batch that was taken off its loop.
    private func answer(
        _ job: BatchJob,
        _ body: [UInt8],
        _ model: ServedModel,
        _ response: inout Response
    ) throws(ServiceError) {
        let partCount = batches.partCount(byteCount: body.count)
        guard partCount == 1 else {
            return try answer(job, body, model, partCount: partCount, &response)
        }
        try withScorer(model) { scorer throws(ServiceError) in
            _ = try scorer.predictBatch(job, body.span, to: &response)
        }
    }

    /// Answers a batch on several cores: read whole, then scored and encoded in parts.
    private func answer(
        _ job: BatchJob,
        _ body: [UInt8],
        _ model: ServedModel,
        partCount: Int,
        _ response: inout Response
    ) throws(ServiceError) {
        var dealt: [BatchPart] = []
        try withScorer(model) { scorer throws(ServiceError) in
            dealt = try scorer.deal(job, body.span, partCount: partCount)
        }
        let parts = dealt
        let results = concurrentMap(count: partCount) { number in
            Result { () throws(ServiceError) in
                var answer = PartAnswer()
                try withScorer(model) { scorer throws(ServiceError) in
                    answer = try scorer.answer(parts[number], of: job, body.span)
                }
                return answer
            }
        }
        var answers: [PartAnswer] = []
        for result in results { answers.append(try result.get()) }
        response.body.append(contentsOf: PredictionEncoder.Keys.predictions)
        PartAnswer.join(answers, of: parts, to: &response.body)
        model.encoder.appendBatchEnd(
            count: parts.reduce(0) { $0 + $1.places.count },
            microseconds: job.moment.elapsedNanoseconds / 1000,
            to: &response.body
        )
        model.counts.observeLatency(
            job.moment.elapsedNanoseconds,
            slot: slots.count,
            trace: job.moment.trace
        )
    }

    /// Answers lines of a streamed batch, on the event loop of that index, or beside the loops with
    /// the room that is reserved for them.
    ///
    /// - Returns: How many there were.
    func answerLines(
        _ lines: Span<UInt8>,
        _ firstIndex: Int,
        _ moment: RequestMoment,
        _ model: ServedModel,
        loopIndex: Int?,
        room: BatchRoom?,
        to output: inout [UInt8]
    ) throws(ServiceError) -> LineCounts {
        var count = LineCounts()
        if let loopIndex {
            try slots[loopIndex].context.withLock { context throws(ServiceError) in
                _ = try prepare(&context, slot: loopIndex)
                let answered = try context.scorer?.answerLines(
                    lines,
                    firstIndex,
                    moment,
                    room: nil,
                    to: &output
                )
                count = answered ?? LineCounts()
            }
        } else {
            try withScorer(model) { scorer throws(ServiceError) in
                count = try scorer.answerLines(
                    lines,
                    firstIndex,
                    moment,
                    room: room,
                    to: &output
                )
            }
        }
        return count
    }

    /// Calls `body` with a scorer for work beside the loops.
    func withScorer(
        _ model: ServedModel,
        _ body: (inout Scorer) throws(ServiceError) -> Void
    ) throws(ServiceError) {
        try batches.withScorer(
            model,
            metrics: metrics,
            log: log,
            telemetry: telemetry,
            slot: slots.count,
            body
        )
    }

    private func skipsErrors(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>
    ) throws(ServiceError) -> Bool {
        switch request.queryValue(of: "on_error", in: bytes) {
        case nil: return false
        case "skip": return true
        case "fail": return false
        default: throw .invalidQuery(name: "on_error", accepted: "fail or skip, once")
        }
    }
}
