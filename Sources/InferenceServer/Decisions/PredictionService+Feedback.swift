// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import JSON
internal import Platform

/// Takes what operators tell of machines: `POST /feedback`.
extension PredictionService {
    static let noteBytesMax = 1024

    /// Answers with how many events were new, once all are on the disk.
    func takeFeedback(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ identity: RequestIdentity,
        _ requestIDs: RequestIDMaker,
        _ trace: StageTrace?,
        _ response: inout Response
    ) throws(ServiceError) {
        guard let decisions else { throw .noDecisionLog }
        guard let model = models.current else { throw .noModel }
        if let field = request.value(of: "Content-Type", in: bytes),
            MediaType(field, in: bytes) != .json
        {
            throw .unsupportedMediaType
        }
        if request.body.isEmpty { throw .emptyBody }
        try checkPrecondition(request)
        guard !isSmall(request, bytes) else {
            let events = try events(bytes.extracting(request.body), model)
            let kept = keep(.feedback, request, bytes, requestIDs, identity, trace, &response)
            return keepFeedback(events, kept, decisions, model, nil)
        }
        // To read a thousand events takes tens of milliseconds.
        try runBeside(.feedback, request, bytes, requestIDs, identity, trace, &response) {
            [self] kept, body, room, isLate in
            var events: [FeedbackEvent]?
            let refusal = makeAnswer(to: kept, isLate: isLate) { _ throws(ServiceError) in
                events = try self.events(body.span, model)
            }
            guard let events else { return finish(kept, refusal, room) }
            keepFeedback(events, kept, decisions, model, room)
        }
    }

    /// Keeps events and answers, on the queue of what waits for the disk.
    private func keepFeedback(
        _ events: [FeedbackEvent],
        _ kept: DeferredRequest,
        _ decisions: DecisionLog,
        _ model: ServedModel,
        _ room: BatchRoom?
    ) {
        decisions.onQueue { [self] in
            let answer = makeAnswer(to: kept, isLate: false) { answer throws(ServiceError) in
                answerFeedback(events, newCount: try decisions.keep(events), model, &answer)
            }
            finish(kept, answer, room)
        }
    }

    private func answerFeedback(
        _ events: [FeedbackEvent],
        newCount: Int,
        _ model: ServedModel,
        _ response: inout Response
    ) {
        // Also for those that were known: the server may have ended between the two.
        let resetCount = events.count { event in
            event.kind == .maintenance
                && model.state?.resetWindows(
                    id: event.equipmentID.utf8.span,
                    before: event.timestamp
                ) == true
        }
        let body: JSONValue = [
            "new": .integer(newCount), "known": .integer(events.count - newCount),
            "windows_reset": .integer(resetCount),
        ]
        response.body.append(contentsOf: body.serialized())
        log.event(
            .info,
            "feedback",
            [("new", .integer(newCount)), ("windows_reset", .integer(resetCount))]
        )
    }

    private func events(
        _ body: Span<UInt8>,
        _ model: ServedModel
    ) throws(ServiceError) -> [FeedbackEvent] {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(body)
        } catch {
            throw .malformedJSON(error)
        }
        let now = wallClock.nowMicroseconds
        var problems: [FieldProblem] = []
        var events: [FeedbackEvent] = []
        if case .array(let elements) = value {
            guard elements.count <= limits.feedbackEventsMax else {
                throw .tooManyRows(limit: limits.feedbackEventsMax)
            }
            for (index, element) in elements.enumerated() {
                if let event = event(element, "/\(index)", now, model, &problems) {
                    events.append(event)
                }
            }
        } else if let event = event(value, "", now, model, &problems) {
            events.append(event)
        }
        guard problems.isEmpty else {
            let listed = Array(problems.prefix(limits.problemsListedMax))
            throw .invalidContent(listed, isCut: problems.count > listed.count)
        }
        for (index, event) in events.enumerated() {
            var place = ""
            if case .array = value { place = "/\(index)" }
            try checkShard(event.equipmentID.utf8.span, "\(place)/equipment_id")
        }
        return events
    }

    private func checkShard(_ id: Span<UInt8>, _ pointer: String) throws(ServiceError) {
        guard let shard = limits.shard else { return }
        let owner = shard.owner(of: id)
        if owner != shard { throw .misdirected(pointer: pointer, owner: owner, shard: shard) }
    }

    private func event(
        _ value: JSONValue,
        _ pointer: String,
        _ now: Int64,
        _ model: ServedModel,
        _ problems: inout [FieldProblem]
    ) -> FeedbackEvent? {
        let before = problems.count
        func refuse(_ field: String, _ detail: String) {
            problems.append(FieldProblem(pointer: pointer + field, detail: detail))
        }
        guard case .object(let fields) = value else {
            refuse("", "an object is needed")
            return nil
        }
        var id = ""
        if case .string(let text) = fields["equipment_id"] ?? .null { id = text }
        if !(1...SpecLimits.equipmentIDBytesMax).contains(id.utf8.count) {
            let limit = SpecLimits.equipmentIDBytesMax
            refuse("/equipment_id", "a text of 1 to \(limit) bytes is needed")
        }
        var kind = FeedbackEvent.Kind.failure
        if case .string(let text) = fields["kind"] ?? .null,
            let known = FeedbackEvent.Kind(rawValue: text)
        {
            kind = known
        } else {
            let names = FeedbackEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            refuse("/kind", "one of \(names) is needed")
        }
        let timestamp = eventTime(fields["timestamp"] ?? .null, model)
        if timestamp ?? .max > now { refuse("/timestamp", Self.eventTimeNeeds) }
        var note: String?
        switch fields["note"] ?? .null {
        case .null: break
        case .string(let text) where text.utf8.count <= Self.noteBytesMax: note = text
        default: refuse("/note", "a text of at most \(Self.noteBytesMax) bytes is needed")
        }
        guard problems.count == before, let timestamp else { return nil }
        return FeedbackEvent(
            equipmentID: id,
            kind: kind,
            timestamp: timestamp,
            received: now,
            note: note
        )
    }
}
