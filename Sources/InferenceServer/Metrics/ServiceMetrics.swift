// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import Metrics

/// All metrics of the service, each with its name and meaning, defined here once.
///
/// - Note: Thread-safe; updates take no lock. Values that are kept elsewhere are read when the page
///   is made.
final class ServiceMetrics: Sendable {
    private let registry = Registry()
    private let latency: Histogram
    private let confidence: Histogram
    private let late: Counter
    private let stale: Counter
    private let duplicate: Counter
    private let unknownFields: Counter
    private let refusedRows: Counter
    private let explained: Counter
    private let unexplained: Counter
    private let errors: Family<Counter>
    private let modelSwaps: Counter
    private let modelRefusals: Counter

    /// Registers what the service counts itself; `slots` is the number of event loops and one more
    /// for the batch queue.
    init(models: ModelStore, slots: Int) {
        registry.functions(
            "predictions_total",
            help: "Predictions by model version and predicted class.",
            kind: .counter,
            labels: ["model_version", "prediction"]
        ) { emit in
            for (version, counts) in models.counted {
                emit([version, "0"], Double(counts.others))
                emit([version, "1"], Double(counts.failures))
            }
        }
        latency = registry.histogram(
            "prediction_latency_seconds",
            help: "Time from decoding a prediction request to its encoded answer.",
            bounds: Self.latencyBounds,
            slots: slots
        )
        confidence = registry.histogram(
            "prediction_confidence",
            help: "Predicted probabilities of failure.",
            bounds: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99],
            slots: slots
        )
        let readings = registry.counters(
            "readings_out_of_order_total",
            help: "Readings whose timestamp was late, stale or a duplicate.",
            labels: ["kind"]
        )
        late = readings.child(["late"])
        stale = readings.child(["stale"])
        duplicate = readings.child(["duplicate"])
        unknownFields = registry.counter(
            "unknown_fields_total",
            help: "Fields of readings that the model's schema does not know."
        )
        refusedRows = registry.counter(
            "batch_rows_refused_total",
            help: "Rows of batches that were answered with an error in their place."
        )
        let explanations = registry.counters(
            "explanations_total",
            help: "Explanations asked for, by whether there was enough time.",
            labels: ["result"]
        )
        explained = explanations.child(["complete"])
        unexplained = explanations.child(["late"])
        errors = registry.counters(
            "request_errors_total",
            help: "Requests answered with an error by the service, by status.",
            labels: ["status"]
        )
        modelSwaps = registry.counter(
            "model_swaps_total",
            help: "Bundles that were put into service."
        )
        modelRefusals = registry.counter(
            "model_refusals_total",
            help: "Bundles that were refused."
        )
    }

    // From 10 us, a tenth of which is a prediction's usual time, to the 10 s of a huge batch.
    private static let latencyBounds = [
        0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005,
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]

    /// Appends the page.
    func write(to output: inout [UInt8]) { registry.render(into: &output) }

    func observeLatency(nanoseconds: Int, slot: Int) {
        latency.observe(Double(nanoseconds) * 1e-9, slot: slot)
    }

    func observeConfidence(_ probability: Double, slot: Int) {
        confidence.observe(probability, slot: slot)
    }

    func count(_ admissions: AdmissionCounts) {
        if admissions.late > 0 { late.add(UInt64(admissions.late)) }
        if admissions.stale > 0 { stale.add(UInt64(admissions.stale)) }
        if admissions.duplicate > 0 { duplicate.add(UInt64(admissions.duplicate)) }
    }

    func countUnknownFields(_ count: Int) { unknownFields.add(UInt64(count)) }

    func countRefusedRows(_ count: Int) { refusedRows.add(UInt64(count)) }

    func countExplanation(isComplete: Bool) { (isComplete ? explained : unexplained).add() }

    func count(_ error: ServiceError) { errors.child(["\(error.status)"]).add() }

    func countSwap() { modelSwaps.add() }

    func countRefusal() { modelRefusals.add() }

    /// Registers what server, state and process count, once they exist.
    func observe(server: Server, service: PredictionService, state: StateKeeper) {
        registerService(service)
        registerState(service.models, state)
        registerServer(server)
        registerEncryption(server)
        ProcessMetrics.register(in: registry)
    }

    private func registerService(_ service: PredictionService) {
        registry.function(
            "service_health_status",
            help: "1 with a verified model in service and while not draining, else 0."
        ) { [weak service] in service?.isReady == true ? 1 : 0 }
        let models = service.models
        registry.functions(
            "model_info",
            help: "1 for the model in service.",
            labels: ["model", "model_version"]
        ) { emit in
            if let model = models.current { emit([model.name, model.version], 1) }
        }
        registry.function(
            "batch_bytes_pending",
            help: "Bodies of the batches that wait or are worked on."
        ) { [weak service] in Double(service?.batches.pendingByteCount ?? 0) }
        registry.function(
            "explanations_pending",
            help: "Explanations that wait or are worked on."
        ) { [weak service] in Double(service?.explanations.pendingCount ?? 0) }
    }

    private func registerState(_ models: ModelStore, _ keeper: StateKeeper) {
        let counts:
            [(String, String, Registry.FunctionKind, any KeyPath<StateCounts, Int> & Sendable)] = [
                ("state_machines", "Machines whose windows are kept.", .gauge, \.machines),
                ("state_bytes", "Memory or file of all machines' windows.", .gauge, \.byteCount),
                (
                    "state_evictions_total",
                    "Machines forgotten because they were idle and room was needed.", .counter,
                    \.evictions
                ),
                (
                    "state_torn_total", "Torn records and panes that were found and dropped.",
                    .counter, \.torn
                ),
                (
                    "state_memory_only",
                    "Machines kept in memory only because the state's disk is full.", .gauge,
                    \.memoryOnly
                ),
            ]
        for (name, help, kind, path) in counts {
            registry.function(name, help: help, kind: kind) {
                Double(models.current?.state?.counts()[keyPath: path] ?? 0)
            }
        }
        registry.function(
            "state_sync_lag_seconds",
            help: "Age of the last moment from which all state is on the disk."
        ) { keeper.syncLagSeconds }
    }

    private func registerServer(_ server: Server) {
        let counters:
            [(String, String, Registry.FunctionKind, any KeyPath<ServerCounters, Int> & Sendable)] =
                [
                    ("http_requests_total", "Complete requests taken in.", .counter, \.requests),
                    (
                        "http_connections_total", "Connections accepted.", .counter,
                        \.connectionsAccepted
                    ),
                    ("http_connections_open", "Connections open now.", .gauge, \.connectionsOpen),
                    (
                        "http_connections_refused_total", "Connections turned away at the limit.",
                        .counter,
                        \.connectionsRefused
                    ),
                    (
                        "http_accept_pauses_total",
                        "Times that accepting paused for want of descriptors.",
                        .counter, \.acceptPauses
                    ),
                    ("http_received_bytes_total", "Bytes received.", .counter, \.bytesIn),
                    ("http_sent_bytes_total", "Bytes sent.", .counter, \.bytesOut),
                    (
                        "http_requests_shed_total",
                        "Requests answered 503 because the loop was late.",
                        .counter, \.requestsShed
                    ),
                    (
                        "http_parse_errors_total",
                        "Requests refused because they broke the protocol.",
                        .counter, \.parseErrors
                    ),
                    (
                        "http_limit_hits_total", "Requests refused because they passed a limit.",
                        .counter,
                        \.limitHits
                    ),
                    (
                        "http_timeouts_total", "Connections closed by a time-out.", .counter,
                        \.timeouts
                    ),
                    (
                        "http_answers_dropped_total", "Deferred answers whose connection had gone.",
                        .counter, \.answersDropped
                    ),
                    (
                        "http_requests_deferred", "Requests being worked on beside the loops.",
                        .gauge,
                        \.requestsDeferred
                    ),
                ]
        for (name, help, kind, path) in counters {
            register(name, help, kind, of: server, path)
        }
        registry.functions(
            "http_responses_total",
            help: "Answers by the hundreds of their status.",
            kind: .counter,
            labels: ["code"]
        ) { [weak server] emit in
            let classes = server?.counters.answersByClass ?? []
            for (index, count) in classes.enumerated() where index > 0 {
                emit(["\(index)xx"], Double(count))
            }
        }
    }

    private func registerEncryption(_ server: Server) {
        register(
            "tls_handshakes_total",
            "TLS handshakes that came to an end.",
            .counter,
            of: server,
            \.tlsHandshakes
        )
        register(
            "tls_resumptions_total",
            "TLS handshakes that took an earlier session up again.",
            .counter,
            of: server,
            \.tlsResumptions
        )
        register(
            "tls_handshake_failures_total",
            "TLS handshakes that failed or timed out.",
            .counter,
            of: server,
            \.tlsFailures
        )
        register(
            "tls_certificate_reloads_total",
            "Changed certificate files put into use.",
            .counter,
            of: server,
            \.certificateReloads
        )
        register(
            "tls_certificate_refusals_total",
            "Changed certificate files that were refused.",
            .counter,
            of: server,
            \.certificateRefusals
        )
        register(
            "tls_certificate_expiry_seconds",
            "When the certificate ends, seconds since the epoch; 0 without TLS.",
            .gauge,
            of: server,
            \.certificateExpirySeconds
        )
    }

    private func register(
        _ name: String,
        _ help: String,
        _ kind: Registry.FunctionKind,
        of server: Server,
        _ path: any KeyPath<ServerCounters, Int> & Sendable
    ) {
        registry.function(name, help: help, kind: kind) { [weak server] in
            Double(server?.counters[keyPath: path] ?? 0)
        }
    }
}
