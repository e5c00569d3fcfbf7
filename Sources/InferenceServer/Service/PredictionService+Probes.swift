// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import JSON
internal import Metrics
internal import Platform

extension PredictionService {
    /// Answers `/health` and `/readyz`: healthy with a verified model and while not draining.
    func writeHealth(_ response: inout Response) {
        let model = models.current
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("status")
        if isDraining {
            response.status = 503
            writer.string("draining")
        } else if let model {
            writer.string("healthy")
            writer.key("model")
            writer.string(model.name)
            writer.key("model_version")
            writer.string(model.version)
        } else {
            response.status = 503
            writer.string("unhealthy")
            writer.key("reason")
            writer.string(ServiceError.noModel.detail)
        }
        writer.endObject()
        response.body.append(contentsOf: writer.finish())
    }

    /// Answers `/startupz`.
    func writeStartup(_ response: inout Response) {
        if !hasStarted { response.status = 503 }
        let status = hasStarted ? "started" : "starting"
        response.body.append(contentsOf: "{\"status\":\"\(status)\"}".utf8)
    }

    /// Whether the service should get traffic.
    var isReady: Bool { !isDraining && models.current != nil }

    /// Answers `/metrics` in the format that the client prefers.
    func writeMetrics(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ response: inout Response
    ) {
        let format = ExpositionFormat(
            accept: request.value(of: "Accept", in: bytes).map {
                RequestText.string(bytes, $0)
            }
        )
        response.contentType = format.mediaType
        response.addField("Vary", "accept")
        metrics.write(format, to: &response.body)
    }

    /// Answers `/openapi.json` with what the listener has.
    func writeOpenAPI(_ listener: Listener, _ response: inout Response) throws(ServiceError) {
        guard let model = models.current else { throw .noModel }
        response.body.append(contentsOf: model.description(for: listener))
    }

    /// Answers `/model/info`.
    func writeModelInfo(_ response: inout Response) throws(ServiceError) {
        guard let model = models.current else { throw .noModel }
        let refusal: JSONValue =
            models.refusal.map { refusal in
                [
                    "version": .string(refusal.version),
                    "reason": .string(refusal.reason),
                    "time": .string(Timestamp.text(refusal.time)),
                ]
            } ?? .null
        response.body.append(contentsOf: model.info)
        response.body.append(contentsOf: refusal.serialized())
        let now = clock.nowNanoseconds
        let rest: [(name: String, value: JSONValue)] = [
            ("challenger", ModelInfo.challenger(model.trial)),
            ("probation", ModelInfo.probation(model.trial, limits: limits, nowNanoseconds: now)),
            ("quarantine", .array(models.quarantine.entries.map(\.json))),
        ]
        for (name, value) in rest {
            response.body.append(contentsOf: ",\"\(name)\":".utf8)
            response.body.append(contentsOf: value.serialized())
        }
        response.body.append(UInt8(ascii: "}"))
    }
}
