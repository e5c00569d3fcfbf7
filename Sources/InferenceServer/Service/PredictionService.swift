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
    struct LoopContext: ~Copyable {
        var generation = -1
        var model: ServedModel?
        var scorer: Scorer?
        /// The scorer of readings that have come together, and its generation.
        var joint: Scorer?
        var jointGeneration = -1
        var requestIDs = RequestIDMaker()
    }

    final class LoopSlot: Sendable {
        let context = Lock(LoopContext())
    }

    private static let contentType: FieldName = "Content-Type"

    let limits: ServiceLimits
    /// How long a line of a streamed batch may take whose start has memory: as long as a body.
    let lineTimeout: Duration
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
    let slots: [LoopSlot]
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
        lineTimeout = settings.http.bodyTimeout
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
            workerCount: loopCount,
            limits: settings.http,
            clock: clock
        )
        explanations = ExplanationQueue(countMax: settings.service.explanationsMax)
        writesAccess = settings.accessLog == .on
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
            // Where the stages are noted; nil where the request is not traced.
            var trace: StageTrace?
            if let telemetry {
                if let index = request.joinedIndex {
                    trace = context.joint?.joinedTrace(of: index)
                } else if telemetry.takesTrace(identity.isSampled(bytes)) {
                    trace = StageTrace()
                }
            }
            var known: KeptIdentity?
            do throws(ServiceError) {
                switch endpoint {
                case .predict: try predict(request, bytes, &context, identity, trace, &response)
                case .batchPredict:
                    try predictBatch(request, bytes, &context, identity, trace, &response)
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
                    let maker = context.requestIDs
                    try takeFeedback(request, bytes, identity, maker, trace, &response)
                case nil: preconditionFailure("every route has an endpoint")
                }
            } catch {
                let kept = identity.kept(bytes, context.requestIDs, trace)
                known = kept
                let path = RequestText.string(bytes, request.path)
                refuse(error, path, kept, &response)
            }
            guard trace != nil || writesAccess, !response.isDeferred, let endpoint else { return }
            let kept = known ?? identity.kept(bytes, context.requestIDs, trace)
            note(endpoint, kept, response, since: request.receivedNanoseconds, trace: trace)
        }
    }

    /// Reads a plain reading ahead; all else is read when it is answered.
    func join(_ request: borrowing Request, bytes: Span<UInt8>, isFirst: Bool) -> Int? {
        slots[request.loopIndex].context.withLock { context in
            // Whatever the first is: the rows of the group before are nobody's any more.
            if isFirst {
                prepareJoint(&context, slot: request.loopIndex)
                context.joint?.beginJoined(moment(nil))
            }
            guard request.query.isEmpty, !request.failsPrecondition, isSmall(request, bytes),
                case .json? = try? mediaType(request, bytes)
            else { return nil }
            let body = bytes.extracting(request.body)
            guard let index = context.joint?.join(body) else { return nil }
            if let telemetry, telemetry.takesTrace(RequestIdentity.isSampled(request, bytes)) {
                context.joint?.traceJoined(index)
            }
            return index
        }
    }

    /// Takes a batch line by line where its media type says that it is one.
    func openStream(for request: borrowing Request, bytes: Span<UInt8>) -> (any BodyStream)? {
        guard let field = request.value(of: Self.contentType, in: bytes),
            MediaType(field, in: bytes) == .newlineDelimitedJSON,
            // What is wrong with a query or a condition is told in the ordinary way.
            !request.failsPrecondition,
            request.query.isEmpty || (try? asksForExplanation(request, bytes)) == false
        else { return nil }
        let identity = slots[request.loopIndex].context.withLock { context in
            RequestIdentity(
                request,
                bytes,
                maker: &context.requestIDs
            ).kept(bytes, context.requestIDs)
        }
        return LineStream(
            service: self,
            identity: identity,
            path: RequestText.string(bytes, request.path),
            loopIndex: request.loopIndex
        )
    }

    private static let alive = Array("{\"status\":\"alive\"}".utf8)

    @inline(always)
    private func predict(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ context: inout LoopContext,
        _ identity: RequestIdentity,
        _ trace: StageTrace?,
        _ response: inout Response
    ) throws(ServiceError) {
        if let index = request.joinedIndex {
            let body = bytes.extracting(request.body)
            return try context.joint?.answerJoined(index, body, to: &response.body) ?? ()
        }
        let moment = moment(trace)
        guard case .json = try mediaType(request, bytes) else { throw .unsupportedMediaType }
        let model = try prepare(&context, slot: request.loopIndex)
        if !request.query.isEmpty, try asksForExplanation(request, bytes) {
            return try explain(request, bytes, &context, model, moment, identity, &response)
        }
        try checkPrecondition(request)
        guard isSmall(request, bytes) else {
            let maker = context.requestIDs
            return try predictBeside(request, bytes, maker, model, moment, identity, &response)
        }
        try context.scorer?.predict(
            bytes.extracting(request.body),
            moment,
            to: &response.body
        )
    }

    /// Refuses a request whose condition does not hold; called once nothing but its content can be
    /// wrong (RFC 9110 §13.2.1).
    func checkPrecondition(_ request: borrowing Request) throws(ServiceError) {
        if request.failsPrecondition { throw .preconditionFailed }
    }

    /// What a request's work begins with.
    func moment(_ trace: StageTrace?) -> RequestMoment {
        RequestMoment(wallClock: wallClock, clock: clock, trace: trace)
    }

    /// Makes the response an error's answer.
    func refuse(
        _ error: ServiceError,
        _ path: String,
        _ identity: KeptIdentity,
        _ response: inout Response
    ) {
        note(error, identity)
        write(error, path, identity, &response)
    }

    /// Turns the response into the answer to an error, of which no note is taken.
    func write(
        _ error: ServiceError,
        _ path: String,
        _ identity: KeptIdentity,
        _ response: inout Response
    ) {
        response.isShed = error == .overloaded
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
    func prepare(
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

    func mediaType(
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
}
