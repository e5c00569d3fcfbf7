// SPDX-License-Identifier: MIT

internal import ArgumentParser

/// The flags of all settings, as text; ``Setting`` reads the texts.
///
/// A property has the name of its flag, in another case; the order is of no matter.
struct SettingOptions: ParsableArguments {
    @Option(help: help("host")) var host: String?
    @Option(help: help("port")) var port: String?
    @Option(help: help("admin-host")) var adminHost: String?
    @Option(help: help("admin-port")) var adminPort: String?
    @Option(help: help("event-loops")) var eventLoops: String?
    @Option(help: help("model-dir")) var modelDir: String?
    @Option(help: help("model")) var model: String?
    @Option(help: help("model-scan-interval")) var modelScanInterval: String?
    @Option(help: help("bundle-public-key")) var bundlePublicKey: String?
    @Option(help: help("quarantine-shift")) var quarantineShift: String?
    @Option(help: help("quarantine-readings")) var quarantineReadings: String?
    @Option(help: help("probation")) var probation: String?
    @Option(help: help("unknown-fields")) var unknownFields: String?
    @Option(help: help("future-limit")) var futureLimit: String?
    @Option(help: help("machines-max")) var machinesMax: String?
    @Option(help: help("shard")) var shard: String?
    @Option(help: help("require-history")) var requireHistory: String?
    @Option(help: help("drain-delay")) var drainDelay: String?
    @Option(help: help("drain-timeout")) var drainTimeout: String?
    @Option(help: help("log-level")) var logLevel: String?
    @Option(help: help("log-format")) var logFormat: String?
    @Option(help: help("batch-rows-max")) var batchRowsMax: String?
    @Option(help: help("batch-bytes-max")) var batchBytesMax: String?
    @Option(help: help("batch-bytes-pending-max")) var batchBytesPendingMax: String?
    @Option(help: help("inline-batch-bytes-max")) var inlineBatchBytesMax: String?
    @Option(help: help("inline-line-bytes-max")) var inlineLineBytesMax: String?
    @Option(help: help("unknown-fields-max")) var unknownFieldsMax: String?
    @Option(help: help("problems-listed-max")) var problemsListedMax: String?
    @Option(help: help("history-rows-max")) var historyRowsMax: String?
    @Option(help: help("body-bytes-max")) var bodyBytesMax: String?
    @Option(help: help("body-bytes-pending-max")) var bodyBytesPendingMax: String?
    @Option(help: help("answer-bytes-pending-max")) var answerBytesPendingMax: String?
    @Option(help: help("head-bytes-max")) var headBytesMax: String?
    @Option(help: help("target-bytes-max")) var targetBytesMax: String?
    @Option(help: help("fields-max")) var fieldsMax: String?
    @Option(help: help("chunk-line-bytes-max")) var chunkLineBytesMax: String?
    @Option(help: help("chunk-overhead-bytes-max")) var chunkOverheadBytesMax: String?
    @Option(help: help("connections-max")) var connectionsMax: String?
    @Option(help: help("pipelined-requests-max")) var pipelinedRequestsMax: String?
    @Option(help: help("turn-time")) var turnTime: String?
    @Option(help: help("accepts-per-turn-max")) var acceptsPerTurnMax: String?
    @Option(help: help("output-bytes-max")) var outputBytesMax: String?
    @Option(help: help("linger-bytes-max")) var lingerBytesMax: String?
    @Option(help: help("retry-after")) var retryAfter: String?
    @Option(help: help("head-timeout")) var headTimeout: String?
    @Option(help: help("body-timeout")) var bodyTimeout: String?
    @Option(help: help("idle-timeout")) var idleTimeout: String?
    @Option(help: help("write-timeout")) var writeTimeout: String?
    @Option(help: help("linger-timeout")) var lingerTimeout: String?
    @Option(help: help("linger-total-timeout")) var lingerTotalTimeout: String?
    @Option(help: help("queue-delay-max")) var queueDelayMax: String?
    @Option(help: help("queue-delay-interval")) var queueDelayInterval: String?
    @Option(help: help("shed-cost-min")) var shedCostMin: String?
    @Option(help: help("tls-port")) var tlsPort: String?
    @Option(help: help("tls-certificate")) var tlsCertificate: String?
    @Option(help: help("tls-key")) var tlsKey: String?
    @Option(help: help("tls-client-ca")) var tlsClientCa: String?
    @Option(help: help("tls-handshake-timeout")) var tlsHandshakeTimeout: String?
    @Option(help: help("tls-handshakes-max")) var tlsHandshakesMax: String?
    @Option(help: help("tls-handshakes-open-max")) var tlsHandshakesOpenMax: String?
    @Option(help: help("http2-streams-max")) var http2StreamsMax: String?
    @Option(help: help("http2-continuations-max")) var http2ContinuationsMax: String?
    @Option(help: help("http2-resets-max")) var http2ResetsMax: String?
    @Option(help: help("http2-control-frames-max")) var http2ControlFramesMax: String?
    @Option(help: help("http2-flood-interval")) var http2FloodInterval: String?
    @Option(help: help("http2-request-bytes-max")) var http2RequestBytesMax: String?
    @Option(help: help("http2-window-bytes")) var http2WindowBytes: String?
    @Option(help: help("reuse-port")) var reusePort: String?
    @Option(help: help("encoded-bytes-min")) var encodedBytesMin: String?
    @Option(help: help("decoded-streams-max")) var decodedStreamsMax: String?
    @Option(help: help("answer-timeout")) var answerTimeout: String?
    @Option(help: help("state-dir")) var stateDir: String?
    @Option(help: help("state-wait")) var stateWait: String?
    @Option(help: help("state-sync")) var stateSync: String?
    @Option(help: help("explanations-max")) var explanationsMax: String?
    @Option(help: help("explain-timeout")) var explainTimeout: String?
    @Option(help: help("line-bytes-max")) var lineBytesMax: String?
    @Option(help: help("stream-idle-timeout")) var streamIdleTimeout: String?
    @Option(help: help("stream-timeout")) var streamTimeout: String?
    @Option(help: help("silent-after")) var silentAfter: String?
    @Option(help: help("access-log")) var accessLog: String?
    @Option(help: help("otlp-collector")) var otlpCollector: String?
    @Option(help: help("trace-percent")) var tracePercent: String?
    @Option(help: help("event-percent")) var eventPercent: String?
    @Option(help: help("score-path")) var scorePath: String?
    @Option(help: help("liveness-path")) var livenessPath: String?
    @Option(help: help("readiness-path")) var readinessPath: String?
    @Option(help: help("drift")) var drift: String?
    @Option(help: help("drift-window")) var driftWindow: String?
    @Option(help: help("drift-readings-min")) var driftReadingsMin: String?
    @Option(help: help("drift-windows-needed")) var driftWindowsNeeded: String?
    @Option(help: help("drift-windows")) var driftWindows: String?
    @Option(help: help("drift-feature-percent")) var driftFeaturePercent: String?
    @Option(help: help("drift-distance-percent")) var driftDistancePercent: String?
    @Option(help: help("missing-percent")) var missingPercent: String?
    @Option(help: help("fault-percent")) var faultPercent: String?
    @Option(help: help("decision-log")) var decisionLog: String?
    @Option(help: help("decision-log-file-bytes")) var decisionLogFileBytes: String?
    @Option(help: help("decision-log-files")) var decisionLogFiles: String?
    @Option(help: help("decision-log-buffer-bytes")) var decisionLogBufferBytes: String?
    @Option(help: help("feedback-bytes-max")) var feedbackBytesMax: String?

    /// The texts that were given, by flag.
    var texts: [String: String] {
        var texts: [String: String] = [:]
        for property in Mirror(reflecting: self).children {
            guard let name = property.label, let option = property.value as? Option<String?>,
                let text = option.wrappedValue
            else { continue }
            // A wrapped property is stored under its name with an underscore.
            texts[Self.flag(of: name.dropFirst())] = text
        }
        return texts
    }

    private static func flag(of property: Substring) -> String {
        property.reduce(into: "") { flag, character in
            flag += character.isUppercase ? "-\(character.lowercased())" : "\(character)"
        }
    }

    private static func help(_ flag: String) -> ArgumentHelp? {
        Setting.all.first { $0.flag == flag }.map { ArgumentHelp("\($0.help)", valueName: "value") }
    }
}
