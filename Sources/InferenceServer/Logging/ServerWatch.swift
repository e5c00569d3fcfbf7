// SPDX-License-Identifier: MIT

internal import Dispatch
internal import HTTPServer
internal import Platform
internal import Synchronization

/// Writes a line every few seconds for what the HTTP server counted in them and should not have to.
///
/// - Note: Thread-safe: looking happens on one queue of its own.
final class ServerWatch: Sendable {
    private typealias Path = any KeyPath<ServerCounters, Int> & Sendable

    private static let interval = DispatchTimeInterval.seconds(5)

    private static let watched: [(event: String, level: LogLevel, count: Path)] = [
        ("requests_shed", .warning, \.requestsShed),
        ("connections_refused", .warning, \.connectionsRefused),
        ("accept_paused", .warning, \.acceptPauses),
        ("handshakes_failed", .info, \.tlsFailures),
        ("requests_malformed", .info, \.parseErrors),
        ("limits_passed", .info, \.limitHits),
        ("connections_timed_out", .info, \.timeouts),
        ("answers_dropped", .info, \.answersDropped),
    ]

    private let server: Server
    private let log: Log
    private let queue = DispatchQueue(label: "server.watch", qos: .utility)
    private let before = Lock(ServerCounters())
    private let isStopped = Atomic(false)

    init(server: Server, log: Log) {
        self.server = server
        self.log = log
    }

    /// Writes what has grown since the last look.
    func look() {
        let now = server.counters
        let before = before.withLock { before in
            defer { before = now }
            return before
        }
        for (event, level, count) in Self.watched {
            let grown = now[keyPath: count] - before[keyPath: count]
            if grown > 0 { log.event(level, event, [("count", .integer(grown))]) }
        }
    }

    /// Looks from now on.
    func start() {
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            look()
            start()
        }
    }

    /// Looks a last time.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.sync { look() }
    }
}
