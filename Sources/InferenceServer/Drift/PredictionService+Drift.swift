// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import JSON
internal import Platform

extension PredictionService {
    /// Answers `/drift`.
    func writeDrift(_ response: inout Response) throws(ServiceError) {
        guard let model = models.current else { throw .noModel }
        guard model.drift != nil else { throw .noReference(isOff: limits.drift.isOn == .off) }
        var standing = drift.standing
        // A model that has just come has not been looked at yet; one beside it changes nothing.
        if standing.model?.drift !== model.drift {
            standing = DriftStanding()
            standing.gatheredSince = wallClock.nowMicroseconds
        }
        let document = DriftDocument(standing: standing, model: model, settings: limits.drift)
        response.body.append(contentsOf: document.json.serialized())
    }
}
