// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import JSON
internal import Platform
internal import Synchronization

/// The service's answer to each route.
///
/// - Note: Thread-safe: working memory is kept per event loop.
final class PredictionService: RequestHandler {
    /// The memory of one event loop.
    ///
    /// Only that loop takes the lock, so it is never waited for.
    private struct LoopContext: ~Copyable {
        var generation = -1
        var model: ServedModel?
        var scorer: Scorer?
        /// The scorer of readings that have come together, and its generation.
        var joint: Scorer?
        var jointGeneration = -1
        var requestIDs = RequestIDMaker()
    }

    private final class LoopSlot: Sendable {
        let context = Mutex(LoopContext())
    }

    private static let contentType: FieldName = "Content-Type"
    private static let onError: FieldName = "on_error"

    let limits: ServiceLimits
    let retryAfterSeconds: Int
    let models: ModelStore
    let metrics: ServiceMetrics
    let log: Log
    let telemetry: Telemetry?
    let decisions: DecisionLog?
    let clock: MonotonicClock
    let wallClock: WallClock
    let batches: BatchQueue
    let explanations: ExplanationQueue
    let drift: DriftMonitor
    let writesAccess: Bool
    /// Whether somebody wants to hear of every request.
    private let isWatched: Bool
    private let slots: [LoopSlot]
    private let drainFlag = Atomic(false)
    private let startFlag = Atomic(false)

    init(
        settings: Settings,
        loopCount: Int,
        models: ModelStore,
        metrics: ServiceMetrics,
        log: Log,
        telemetry: Telemetry?,
        drift: DriftMonitor,
        decisions: DecisionLog?,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        limits = settings.service
        retryAfterSeconds = settings.http.retryAfterSeconds
        self.models = models
        self.metrics = metrics
        self.log = log
        self.telemetry = telemetry
        self.drift = drift
        self.decisions = decisions
        self.clock = clock
        self.wallClock = wallClock
        batches = BatchQueue(
            byteCountMax: settings.service.batchBytesPendingMax,
            workerCount: loopCount
        )
        explanations = ExplanationQueue(countMax: settings.service.explanationsMax)
        writesAccess = settings.accessLog == .on
        isWatched = writesAccess || telemetry != nil
        slots = (0..<loopCount).map { _ in LoopSlot() }
    }

    /// Whether the service is on its way to stop.
    var isDraining: Bool { drainFlag.load(ordering: .acquiring) }

    /// Whether the first look for a model is over.
    var hasStarted: Bool { startFlag.load(ordering: .acquiring) }

    /// Lets the start-up probe say yes from now on.
    func finishStart() { startFlag.store(true, ordering: .releasing) }

    /// Lets the probes say no from now on.
    func beginDrain() { drainFlag.store(true, ordering: .releasing) }

    func respond(to request: borrowing Request, bytes: Span<UInt8>, response: inout Response) {
        let endpoint = Endpoint(rawValue: request.routeID)
        slots[request.loopIndex].context.withLock { context in
            let identity = RequestIdentity(
                request,
                bytes,
                maker: &context.requestIDs
            )
            identity.addFields(bytes, context.requestIDs, to: &response)
            do throws(ServiceError) {
                switch endpoint {
                case .predict: try predict(request, bytes, &context, identity, &response)
                case .batchPredict:
                    try predictBatch(request, bytes, &context, identity, &response)
                case .health, .ready: writeHealth(&response)
                case .live: response.body.append(contentsOf: Self.alive)
                case .startup: writeStartup(&response)
                case .metrics: writeMetrics(request, bytes, &response)
                case .modelInfo: try writeModelInfo(&response)
                case .drift: try writeDrift(&response)
                case .openAPI: try writeOpenAPI(request.listener, &response)
                case .machine: try showMachine(request, bytes, &response)
                case .maintenance: try maintain(request, bytes, &response)
                case .forget: try forgetMachine(request, bytes, &response)
                case .feedback:
                    try takeFeedback(request, bytes, identity, context.requestIDs, &response)
                case nil: preconditionFailure("every route has an endpoint")
                }
            } catch {
                let kept = identity.kept(bytes, context.requestIDs)
                let path = RequestText.string(bytes, request.path)
                refuse(error, path, kept, &response)
            }
            guard isWatched, !response.isDeferred, let endpoint else { return }
            let isTraced = telemetry?.takesTrace(identity.isSampled(bytes)) == true
            guard isTraced || writesAccess else { return }
            let kept = identity.kept(bytes, context.requestIDs)
            let received = request.receivedNanoseconds
            note(endpoint, kept, response, since: received, isTraced: isTraced)
        }
    }

    /// Reads a plain reading ahead; all else is read when it is answered.
    func join(_ request: borrowing Request, bytes: Span<UInt8>, isFirst: Bool) -> Int? {
        guard request.query.isEmpty, (try? mediaType(request, bytes)) != nil else { return nil }
        return slots[request.loopIndex].context.withLock { context in
            if isFirst {
                prepareJoint(&context, slot: request.loopIndex)
                context.joint?.beginJoined(moment)
            }
            return context.joint?.join(bytes.extracting(request.body))
        }
    }

    /// Takes a batch line by line where its media type says that it is one.
    func openStream(for request: borrowing Request, bytes: Span<UInt8>) -> (any BodyStream)? {
        guard let field = request.value(of: Self.contentType, in: bytes),
            MediaType(field, in: bytes) == .newlineDelimitedJSON,
            // What is wrong with a query is told in the ordinary way.
            request.query.isEmpty || (try? asksForExplanation(request, bytes)) == false
        else { return nil }
        let identity = slots[request.loopIndex].context.withLock { context in
            RequestIdentity(
                request,
                bytes,
                maker: &context.requestIDs
            ).kept(bytes, context.requestIDs)
        }
        return LineStream(service: self, identity: identity, loopIndex: request.loopIndex)
    }

    private static let alive = Array("{\"status\":\"alive\"}".utf8)

    private func predict(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ context: inout LoopContext,
        _ identity: RequestIdentity,
        _ response: inout Response
    ) throws(ServiceError) {
        if let index = request.joinedIndex {
            let body = bytes.extracting(request.body)
            return try context.joint?.answerJoined(index, body, to: &response.body) ?? ()
        }
        let moment = moment
        _ = try mediaType(request, bytes)
        _ = try prepare(&context, slot: request.loopIndex)
        if !request.query.isEmpty, try asksForExplanation(request, bytes) {
            let body = bytes.extracting(request.body)
            let kept = identity.kept(bytes, context.requestIDs)
            return try explain(body, moment, &context.scorer, kept, &response)
        }
        try context.scorer?.predict(
            bytes.extracting(request.body),
            moment,
            to: &response.body
        )
    }

    private func predictBatch(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ context: inout LoopContext,
        _ identity: RequestIdentity,
        _ response: inout Response
    ) throws(ServiceError) {
        let moment = moment
        _ = try mediaType(request, bytes)
        if try asksForExplanation(request, bytes) {
            throw .invalidQuery(name: "explain", accepted: "false here: ask /predict for it")
        }
        let job = BatchJob(moment: moment, skipsErrors: try skipsErrors(request, bytes))
        let model = try prepare(&context, slot: request.loopIndex)
        if request.body.count <= limits.inlineBatchBytesMax {
            let body = bytes.extracting(request.body)
            return try context.scorer?.predictBatch(job, body, to: &response) ?? ()
        }
        let byteCount = request.body.count
        guard batches.reserve(byteCount) else { throw .busy }
        let body = RequestText.copy(bytes, request.body)
        let kept = identity.kept(bytes, context.requestIDs)
        let received = request.receivedNanoseconds
        let isTraced = telemetry?.takesTrace(identity.isSampled(bytes)) == true
        let handle = response.defer()
        batches.run(byteCount) { [self] in
            let answer = answer(job, body, model, kept)
            note(.batchPredict, kept, answer, since: received, isTraced: isTraced)
            handle.complete(answer)
        }
    }

    /// The answer to a batch that was taken off its loop.
    private func answer(
        _ job: BatchJob,
        _ body: [UInt8],
        _ model: ServedModel,
        _ identity: KeptIdentity
    ) -> Response {
        var response = Response()
        RequestIdentity.addFields(identity, to: &response)
        do throws(ServiceError) {
            let partCount = batches.partCount(byteCount: body.count)
            if partCount > 1 {
                try answer(job, body, model, partCount: partCount, &response)
            } else {
                try withScorer(model) { scorer throws(ServiceError) in
                    try scorer.predictBatch(job, body.span, to: &response)
                }
            }
        } catch {
            refuse(error, Endpoint.batchPredict.path, identity, &response)
        }
        return response
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
            nanoseconds: job.moment.elapsedNanoseconds,
            slot: slots.count
        )
    }

    /// Answers lines of a streamed batch, on the event loop of that index or beside the loops.
    ///
    /// - Returns: How many there were.
    func answerLines(
        _ lines: Span<UInt8>,
        _ firstIndex: Int,
        _ moment: RequestMoment,
        _ model: ServedModel,
        loopIndex: Int?,
        to output: inout [UInt8]
    ) throws(ServiceError) -> Int {
        var count = 0
        if let loopIndex {
            try slots[loopIndex].context.withLock { context throws(ServiceError) in
                _ = try prepare(&context, slot: loopIndex)
                count = try context.scorer?.answerLines(lines, firstIndex, moment, to: &output) ?? 0
            }
        } else {
            try withScorer(model) { scorer throws(ServiceError) in
                count = try scorer.answerLines(lines, firstIndex, moment, to: &output)
            }
        }
        return count
    }

    private func withScorer(
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

    /// What a request's work begins with.
    var moment: RequestMoment { RequestMoment(wallClock: wallClock, clock: clock) }

    /// Makes the response an error's answer.
    func refuse(
        _ error: ServiceError,
        _ path: String,
        _ identity: KeptIdentity,
        _ response: inout Response
    ) {
        note(error, identity)
        ProblemDocument.write(
            error,
            instance: path,
            requestID: identity.requestID,
            retryAfterSeconds: retryAfterSeconds,
            to: &response
        )
    }

    /// Makes the loop's scorer one of the model in service; a swap costs the first request after it
    /// some allocations, all others one atomic load.
    private func prepare(
        _ context: inout LoopContext,
        slot: Int
    ) throws(ServiceError) -> ServedModel {
        let generation = models.generation
        if context.generation != generation {
            context.generation = generation
            context.model = models.current
            context.scorer = nil
            if let model = context.model { context.scorer = makeScorer(model, slot: slot) }
        }
        guard let model = context.model else { throw .noModel }
        return model
    }

    /// As above, for readings that have come together: a swap does not part them.
    private func prepareJoint(_ context: inout LoopContext, slot: Int) {
        let generation = models.generation
        guard context.jointGeneration != generation else { return }
        context.jointGeneration = generation
        context.joint = nil
        if let model = models.current { context.joint = makeScorer(model, slot: slot) }
    }

    private func makeScorer(_ model: ServedModel, slot: Int) -> Scorer {
        Scorer(model: model, metrics: metrics, log: log, telemetry: telemetry, slot: slot)
    }

    private func mediaType(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>
    ) throws(ServiceError) -> MediaType {
        var type = MediaType.json
        if let field = request.value(of: Self.contentType, in: bytes) {
            type = MediaType(field, in: bytes)
        }
        if type == .other { throw .unsupportedMediaType }
        if request.body.isEmpty { throw .emptyBody }
        return type
    }

    private func skipsErrors(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>
    ) throws(ServiceError) -> Bool {
        guard let value = request.queryValue(of: Self.onError, in: bytes) else { return false }
        switch RequestText.string(bytes, value) {
        case "skip": return true
        case "fail": return false
        default: throw .invalidQuery(name: "on_error", accepted: "fail or skip")
        }
    }
}
