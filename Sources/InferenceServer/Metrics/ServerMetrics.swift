// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Metrics

/// The metrics of the HTTP server, which counts by itself.
enum ServerMetrics {
    private typealias Metric = DerivedMetric<ServerCounters>

    static func register(_ server: Server, in registry: Registry) {
        registry.functions(
            "http_requests_total",
            help: "Answered requests by method, route and status.",
            kind: .counter,
            labels: ["method", "route", "status"]
        ) { [weak server] emit in
            for answers in server?.answerCounts ?? [] {
                let status = answers.status == 0 ? other : "\(answers.status)"
                emit(
                    [answers.method?.name ?? other, answers.path ?? other, status],
                    Double(answers.count)
                )
            }
        }
        registry.derived(
            from: { [weak server] in server?.counters ?? ServerCounters() },
            requests + connections + encryption
        )
    }

    /// What a request has for a label where no route took it.
    private static let other = "other"

    private static let requests: [Metric] = [
        gauge(
            "http_requests_in_flight",
            "Requests taken in that a queue beside the loops works on.",
            \.requestsDeferred
        ),
        gauge(
            "http_body_bytes_pending",
            "Bodies that are coming or unanswered, beyond 16 KiB of each connection.",
            \.bodyBytesPending
        ),
        gauge(
            "http_answer_bytes_pending",
            "Answers that are not read, beyond 16 KiB of each connection.",
            \.answerBytesPending
        ),
        counter(
            "http_requests_shed_total",
            "Requests answered 503 because a loop, or the line of batches, was late.",
            \.requestsShed
        ),
        counter(
            "http_parse_errors_total",
            "Requests refused because they broke the protocol.",
            \.parseErrors
        ),
        counter(
            "http_limit_hits_total",
            "Requests refused because they passed a limit.",
            \.limitHits
        ),
        counter(
            "http_answers_dropped_total",
            "Deferred answers whose connection had gone.",
            \.answersDropped
        ),
    ]

    private static let connections: [Metric] = [
        counter("http_connections_total", "Connections accepted.", \.connectionsAccepted),
        gauge("http_connections_open", "Connections open now.", \.connectionsOpen),
        counter(
            "http_connections_refused_total",
            "Connections turned away at the limit.",
            \.connectionsRefused
        ),
        counter(
            "http_accept_pauses_total",
            "Times that accepting paused for want of descriptors.",
            \.acceptPauses
        ),
        counter(
            "http_timeouts_total",
            "Time-outs of connections, of streams and of late answers.",
            \.timeouts
        ),
        counter("http_received_bytes_total", "Bytes received.", \.bytesIn),
        counter("http_sent_bytes_total", "Bytes sent.", \.bytesOut),
    ]

    private static let encryption: [Metric] = [
        counter(
            "tls_handshakes_total",
            "TLS handshakes that came to an end.",
            \.tlsHandshakes
        ),
        counter(
            "tls_resumptions_total",
            "TLS handshakes that took an earlier session up again.",
            \.tlsResumptions
        ),
        counter(
            "tls_handshake_failures_total",
            "TLS handshakes that failed or timed out.",
            \.tlsFailures
        ),
        counter(
            "tls_certificate_reloads_total",
            "Changed certificate files put into use.",
            \.certificateReloads
        ),
        counter(
            "tls_certificate_refusals_total",
            "Changed certificate files that were refused.",
            \.certificateRefusals
        ),
        gauge(
            "tls_certificate_expiry_seconds",
            "When the certificate ends, seconds since the epoch; 0 without TLS.",
            \.certificateExpirySeconds
        ),
    ]

    private static func counter(
        _ name: String,
        _ help: String,
        _ path: any KeyPath<ServerCounters, Int> & Sendable
    ) -> Metric {
        Metric(name, help: help, kind: .counter) { Double($0[keyPath: path]) }
    }

    private static func gauge(
        _ name: String,
        _ help: String,
        _ path: any KeyPath<ServerCounters, Int> & Sendable
    ) -> Metric {
        Metric(name, help: help) { Double($0[keyPath: path]) }
    }
}
