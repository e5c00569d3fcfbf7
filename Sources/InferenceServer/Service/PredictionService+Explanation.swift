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
        _ moment: RequestMoment,
        _ scorer: inout Scorer?,
        _ identity: KeptIdentity,
        _ response: inout Response
    ) throws(ServiceError) {
        // Who answers depends on the machine, which has not been read yet.
        guard let model = scorer?.model, model.explainer != nil,
            model.trial?.share == nil || model.trial?.model.explainer != nil
        else { throw .notExplainable }
        guard explanations.reserve() else { throw .tooManyExplanations }
        var prediction: [UInt8] = []
        let noted: (reading: ObservedReading?, by: ServedModel)?
        do {
            try checkPrecondition(request)
            let body = bytes.extracting(request.body)
            noted = try scorer?.predictAndNote(body, moment, to: &prediction)
        } catch {
            explanations.giveBack()
            throw error
        }
        guard let reading = noted?.reading else {
            preconditionFailure("a prediction notes its reading")
        }
        guard let explainer = noted?.by.explainer else {
            // The predecessor stepped in for an answer that was none.
            explanations.giveBack()
            throw .notExplainable
        }
        let received = request.receivedNanoseconds
        let handle = response.defer()
        explanations.run { [self, prediction] in
            var answer = Response()
            RequestIdentity.addFields(identity, to: &answer)
            answer.body = prediction
            let limit = Int(limits.explainTimeout / .nanoseconds(1))
            let began = moment.elapsedNanoseconds
            var mark = moment.mark
            let explanation = explainer.explain(reading) { moment.elapsedNanoseconds >= limit }
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
            note(.predict, identity, answer, since: received, trace: moment.trace)
            handle.complete(answer)
        }
    }
}
