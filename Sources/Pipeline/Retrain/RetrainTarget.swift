// SPDX-License-Identifier: MIT

import Features
import JSON
import ModelRuntime
import Platform
import Training

/// What a retraining is: a run of a pipeline here, or a call to where it runs.
enum RetrainTarget {
    case pipeline(file: String, folder: String, variables: [String: String])
    case webhook(RemoteClient, method: String, body: String?)

    /// The status with which a pipeline ends where its gate refuses the new model.
    static let refusedStatus = 3
    /// A model that is trained because the world has changed answers otherwise on purpose.
    static let allowed = DifferenceKind.shift.rawValue

    /// In words, without secrets.
    var name: String {
        switch self {
        case .pipeline(let file, _, _): "pipeline \(file)"
        case .webhook(let client, let method, _): "\(method) \(client.place)"
        }
    }

    /// Does it.
    ///
    /// - Returns: The exit code of the pipeline or the status of the answer, and whether it came to
    ///   its end; that the gate refuses a model is an end too.
    /// - Throws: ``TrainingError``.
    func run(
        _ reading: DriftReading,
        _ reason: String,
        now: Int64
    ) throws(TrainingError) -> (status: Int, hasEnded: Bool) {
        switch self {
        case .pipeline(let path, let folder, var variables):
            let file = try PipelineFile(path: path)
            // So that a step that takes it in runs again although no file of its own has changed.
            if file.variables["until"] != nil, variables["until"] == nil {
                variables["until"] = Timestamp.text(now)
            }
            if file.variables["allow"] != nil, variables["allow"] == nil {
                variables["allow"] = Self.allowed
            }
            let status = Int(
                try PipelineRun(file: file, folder: folder, variables: variables).run()
            )
            return (status, status == 0 || status == Self.refusedStatus)
        case .webhook(let client, let method, let template):
            let body = try Self.body(template, reading, reason, now)
            let answer = try client.send(
                method,
                "",
                .bytes(body, type: "application/json")
            )
            return (answer.status, answer.isSuccess)
        }
    }

    /// The body of the call: what a dispatch of GitHub takes, or a template with its variables.
    static func body(
        _ template: String?,
        _ reading: DriftReading,
        _ reason: String,
        _ now: Int64
    ) throws(TrainingError) -> [UInt8] {
        guard let template else {
            let body: JSONValue = [
                "event_type": "retrain",
                "client_payload": [
                    "format": 1,
                    "time": .string(Timestamp.text(now)),
                    "reason": .string(reason),
                    "allow": .string(allowed),
                    "model_version": reading.modelVersion.map { .string($0) } ?? .null,
                    "drifted_share": .number(reading.share),
                    "drifted_features": .array(reading.features.map { .string($0) }),
                ],
            ]
            return body.serialized()
        }
        func escaped(_ text: String) -> String {
            let quoted = String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
            return String(quoted.dropFirst().dropLast())
        }
        let expansion = VariableExpansion(values: [
            "time": Timestamp.text(now), "reason": escaped(reason), "allow": allowed,
            "model_version": escaped(reading.modelVersion ?? ""),
            "drifted_share": "\(reading.share)",
            "drifted_features": escaped(reading.features.joined(separator: ",")),
            // For names that take neither colons nor capitals, such as those of a job.
            "seconds": "\(now / Timestamp.microsecondsPerSecond)",
        ])
        return Array(try expansion.expand(template).utf8)
    }
}
