// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer

extension Setting {
    /// All settings in the order of the documentation.
    static let all: [Setting] =
        listening + models + probation + requests + operation + limits + timeouts + transport
        + http2 + state + explanations + streams + watching + contract + drift + decisions

    static let listening: [Setting] = [
        .address("host", \.host, "The numeric address that clients reach; loopback until told."),
        .port(
            "port",
            \.port,
            or: ["PORT"],
            "The port for clients; 0 picks a free one, which the log line listening tells."
        ),
        .address("admin-host", \.adminHost, "The numeric address of the listener for operators."),
        .port(
            "admin-port",
            \.adminPort,
            "The port for operators: probes and metrics are there too."
        ),
        .optionalNumber(
            "event-loops",
            \.eventLoopCount,
            in: 1...ServerConfiguration.eventLoopCountMax,
            none: "auto",
            "Event loops; auto is one per core that affinity and cgroup quota leave."
        ),
    ]

    static let models: [Setting] = [
        .text(
            "model-dir",
            \.modelDirectory,
            or: [AzureModelDirectory.variable, "MODEL_DIR"],
            "The directory of models, of one model's versions, or one bundle; followed for changes."
        ),
        .optionalText(
            "model",
            \.model,
            none: "the only one there",
            "The model to serve where the directory holds several."
        ),
        .duration(
            "model-scan-interval",
            \.service.modelScanInterval,
            in: .milliseconds(10) ... .seconds(3600),
            "How often that directory is looked at: one or two calls where nothing has changed."
        ),
        .optionalText(
            "bundle-public-key",
            \.bundlePublicKey,
            none: "none: signatures are not asked for",
            "A PEM file of Ed25519 keys; only bundles that one of them signed are served."
        ),
    ]

    static let probation: [Setting] = [
        .optionalNumber(
            "quarantine-shift",
            \.service.quarantineShift,
            in: 0.01...100,
            none: "off",
            "Stability index of risk levels from which a new version is sent back; 0.25 is a jump."
        ),
        .count(
            "quarantine-readings",
            \.service.quarantineReadings,
            in: 10...1_000_000_000,
            "readings",
            "Readings that two versions have answered before the shift between them is judged."
        ),
        .duration(
            "probation",
            \.service.probation,
            in: .zero ... .seconds(315_360_000),
            "How long at least the version before computes beside a new one, to be compared."
        ),
    ]

    static let state: [Setting] = [
        .optionalText(
            "state-dir",
            \.stateDirectory,
            none: "none: memory only",
            "The directory of the machines' windows, which outlive the process there."
        ),
        .duration(
            "state-wait",
            \.stateWait,
            in: .zero ... .seconds(3600),
            "How long to wait, not ready, for a state directory that another server has."
        ),
        .duration(
            "state-sync",
            \.stateSyncInterval,
            in: .milliseconds(10) ... .seconds(3600),
            "How often state is written to the disk: what a power cut can lose at most."
        ),
    ]

    static let explanations: [Setting] = [
        .count(
            "explanations-max",
            \.service.explanationsMax,
            in: 1...10_000,
            "explanations",
            "Explanations that wait or are worked on, on one core; more are answered 503."
        ),
        .duration(
            "explain-timeout",
            \.service.explainTimeout,
            in: .zero ... .seconds(600),
            "From a request's arrival until its explanation is given up; the prediction is not."
        ),
    ]

    static let requests: [Setting] = [
        .choice(
            "unknown-fields",
            \.service.unknownFields,
            "What becomes of fields that the schema lacks: a new sensor should be no outage."
        ),
        .optionalDuration(
            "future-limit",
            \.service.futureLimit,
            in: .zero ... .seconds(315_360_000),
            "How far ahead of the clock a reading may lie; none for replays of other calendars."
        ),
        .count(
            "machines-max",
            \.service.machinesMax,
            in: StateLimits.machinesRange,
            "machines",
            "Machines whose windows are kept: 4 KB each with the default schema."
        ),
        .shard(
            "shard",
            \.service.shard,
            "The part of the fleet that this server keeps; machines of others are answered 421."
        ),
        .choice(
            "require-history",
            \.service.requiresHistory,
            "Whether readings without history are refused: on where no replica knows the past."
        ),
    ]

    static let operation: [Setting] = [
        .duration(
            "drain-delay",
            \.drainDelay,
            in: .zero ... .seconds(3600),
            "Time between not ready and no longer accepting: what a load balancer takes to notice."
        ),
        .duration(
            "drain-timeout",
            \.drainTimeout,
            in: .zero ... .seconds(3600),
            "Time after that for what is in flight; a Kubernetes pod gets 30s in all by default."
        ),
        .choice("log-level", \.logLevel, "The least level that is written to standard error."),
        .choice("log-format", \.logFormat, "JSON for machines, text for eyes."),
    ]

    static let watching: [Setting] = [
        .duration(
            "silent-after",
            \.service.silentAfter,
            in: .seconds(1) ... .seconds(315_360_000),
            "When a machine counts as silent: three of the hourly readings of the default schema."
        ),
        .choice(
            "access-log",
            \.accessLog,
            "Whether every request that reaches a route is written to the log."
        ),
        .collector(
            "otlp-collector",
            \.collector,
            "The OpenTelemetry collector that gets spans and predictions, beside the server."
        ),
        .count(
            "trace-percent",
            \.tracePercent,
            in: 0...100,
            "requests in a hundred",
            "Requests that become spans; a caller's traceparent that says so goes before."
        ),
        .count(
            "event-percent",
            \.eventPercent,
            in: 0...100,
            "predictions in a hundred",
            "Predictions that become events ModelPrediction: all, as long as they are few."
        ),
    ]
}
