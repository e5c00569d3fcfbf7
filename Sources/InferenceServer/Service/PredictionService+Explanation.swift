// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import ModelRuntime

/// `POST /predict?explain=true`: the prediction at once, its explanation off the loop.
extension PredictionService {
    /// Whether a request asks for an explanation.
    func asksForExplanation(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>
    ) throws(ServiceError) -> Bool {
        // Clients in Python write True.
        switch request.queryValue(of: "explain", in: bytes)?.lowercased() {
        case nil: return false
        case "true": return true
        case "false": return false
        default: throw .invalidQuery(name: "explain", accepted: "true or false, once")
        }
    }

    /// Takes a reading in and predicts as ever; then the answer waits for its explanation.
    ///
    /// - Throws: ``ServiceError``; nothing was taken in then.
    func explain(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ context: inout LoopContext,
        _ model: ServedModel,
        _ moment: RequestMoment,
        _ identity: RequestIdentity,
        _ response: inout Response
    ) throws(ServiceError) {
        // Who answers depends on the machine, which has not been read yet.
        guard model.explainer != nil,
            model.trial?.share == nil || model.trial?.model.explainer != nil
        else { throw .notExplainable }
        guard explanations.reserve() else { throw .tooManyExplanations }
        let (maker, trace) = (context.requestIDs, moment.trace)
        do throws(ServiceError) {
            try checkPrecondition(request)
            guard isSmall(request, bytes) else {
                return try runBeside(.predict, request, bytes, maker, identity, trace, &response) {
                    [self] kept, body, room, isLate in
                    explain(kept, body, model, moment, room, isLate: isLate)
                }
            }
            let body = bytes.extracting(request.body)
            guard let prediction = try context.scorer?.predictToExplain(body, moment) else {
                preconditionFailure("a model in service has a scorer")
            }
            let kept = keep(.predict, request, bytes, maker, identity, trace, &response)
            explain(prediction, moment, kept)
        } catch {
            explanations.giveBack()
            throw error
        }
    }

    /// Takes a reading in beside its loop; its body has gone when it waits for its explanation.
    private func explain(
        _ request: DeferredRequest,
        _ body: [UInt8],
        _ model: ServedModel,
        _ moment: RequestMoment,
        _ room: BatchRoom,
        isLate: Bool
    ) {
        var prediction: UnexplainedPrediction?
        let refusal = makeAnswer(to: request, isLate: isLate) { _ throws(ServiceError) in
            try withScorer(model) { scorer throws(ServiceError) in
                prediction = try scorer.predictToExplain(body.span, moment)
            }
        }
        if let prediction { return explain(prediction, moment, request) }
        explanations.giveBack()
        finish(request, refusal, room)
    }

    /// Has a prediction explained, for which there is a place, and answers its request.
    private func explain(
        _ prediction: UnexplainedPrediction,
        _ moment: RequestMoment,
        _ request: DeferredRequest
    ) {
        explanations.run { [self] in
            var answer = Response()
            RequestIdentity.addFields(request.identity, to: &answer)
            answer.body = prediction.body
            let explainer = prediction.explainer
            let limit = Int(limits.explainTimeout / .nanoseconds(1))
            let began = moment.elapsedNanoseconds
            var mark = moment.mark
            let explanation = explainer.explain(prediction.reading) {
                moment.elapsedNanoseconds >= limit
            }
            moment.end(.explain, since: &mark)
            metrics.countExplanation(isComplete: explanation != nil)
            ExplanationWriter.append(
                explanation,
                explainer,
                microseconds: (moment.elapsedNanoseconds - began) / 1000,
                to: &answer.body
            )
            // Before the client knows, who may ask again at once.
            explanations.giveBack()
            finish(request, answer)
        }
    }
}

/// A prediction whose explanation is yet to come.
private struct UnexplainedPrediction: Sendable {
    /// The prediction's document.
    let body: [UInt8]
    let reading: ObservedReading
    let explainer: Explainer
}

extension Scorer {
    /// Answers one reading whose answer is to be explained.
    ///
    /// - Throws: ``ServiceError``; nothing was taken in then.
    fileprivate mutating func predictToExplain(
        _ body: Span<UInt8>,
        _ moment: RequestMoment
    ) throws(ServiceError) -> UnexplainedPrediction {
        var prediction: [UInt8] = []
        let noted = try predictAndNote(body, moment, to: &prediction)
        guard let reading = noted.reading else {
            preconditionFailure("a prediction notes its reading")
        }
        // The predecessor may have stepped in for an answer that was none.
        guard let explainer = noted.by.explainer else { throw .notExplainable }
        return UnexplainedPrediction(body: prediction, reading: reading, explainer: explainer)
    }
}
