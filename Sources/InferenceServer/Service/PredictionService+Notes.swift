// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import OTLP
internal import Platform

extension PredictionService {
    /// Writes the line of an answered request and queues its span, where they are wanted.
    func note(
        _ endpoint: Endpoint,
        _ identity: KeptIdentity,
        _ response: borrowing Response,
        byteCount: Int? = nil,
        since received: Int64,
        trace: StageTrace?
    ) {
        if let trace, let telemetry {
            if let traceID = identity.traceID {
                trace.latency?.keep(traceID: traceID, time: wallClock.nowMicroseconds)
            }
            telemetry.add(
                TelemetryRequest(
                    span: TelemetrySpan(
                        endpoint,
                        identity,
                        response.status,
                        since: received,
                        telemetry
                    ),
                    received: received,
                    stages: trace
                )
            )
        }
        guard writesAccess else { return }
        let microseconds = (clock.nowNanoseconds - received) / 1000
        let fields: [(name: String, value: LogValue)] = [
            ("method", .string(endpoint.method.name)), ("route", .string(endpoint.path)),
            ("status", .integer(response.status)),
            ("bytes", .integer(byteCount ?? response.body.count)),
            ("microseconds", .integer(Int(microseconds))),
        ]
        log.event(.info, "request", identity.logFields + fields)
    }

    /// Counts an error that ends an answer, and tells the log.
    func note(_ error: ServiceError, _ identity: KeptIdentity) {
        metrics.count(error)
        if error.status >= 500, let telemetry {
            telemetry.add(TelemetryEvent(error, identity, telemetry))
        }
        log.event(
            error.status >= 500 ? .requestFailed : .requestRefused,
            identity.logFields + [
                ("status", .integer(error.status)), ("reason", .string(error.reason)),
            ]
        )
    }
}
