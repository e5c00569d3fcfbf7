// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import Platform

/// The running service: models, HTTP server and what follows from signals.
final class Application: Sendable {
    let service: PredictionService
    let server: Server
    let watcher: ModelWatcher
    private let settings: Settings
    private let log: Log

    /// Looks for a model and puts the parts together; nothing listens yet.
    init(
        settings: Settings,
        log: Log,
        clock: MonotonicClock = .system,
        wallClock: WallClock = .system
    ) {
        self.settings = settings
        self.log = log
        let models = ModelStore()
        let configuration = Self.serverConfiguration(settings)
        let metrics = ServiceMetrics(models: models, slots: configuration.eventLoopCount + 1)
        watcher = ModelWatcher(
            settings: settings,
            models: models,
            metrics: metrics,
            log: log,
            wallClock: wallClock
        )
        service = PredictionService(
            settings: settings,
            loopCount: configuration.eventLoopCount,
            models: models,
            metrics: metrics,
            log: log,
            clock: clock,
            wallClock: wallClock
        )
        server = Server(
            configuration: configuration,
            routes: Endpoint.routes(settings.service),
            handler: service,
            clock: clock,
            wallClock: wallClock,
            onCertificateReload: { log.note($0) }
        )
        metrics.observe(server: server, service: service)
    }

    /// Loads the model that is there, listens, and follows MODEL_DIR from then on.
    ///
    /// - Throws: `ServerError` where an address cannot be listened on.
    func start() throws(ServerError) {
        watcher.scanNow()
        try server.start()
        watcher.start()
        for (listener, isEncrypted, host, name) in [
            (Listener.main, false, settings.host, "main"),
            (.main, true, settings.host, "tls"),
            (.admin, false, settings.adminHost, "admin"),
        ] {
            guard let port = server.port(of: listener, isEncrypted: isEncrypted) else { continue }
            log.event(
                .info,
                "listening",
                [("listener", "\(name)"), ("host", "\(host)"), ("port", .integer(Int(port)))]
            )
        }
    }

    /// Stops without losing a request; a second call stops at once.
    func stop() {
        log.event(.info, service.isDraining ? "stopping_at_once" : "draining")
        service.beginDrain()
        server.beginDrain(delay: settings.drainDelay, timeout: settings.drainTimeout)
    }

    /// Blocks until everything has ended.
    func waitUntilStopped() {
        server.waitUntilStopped()
        watcher.stop()
        log.event(.info, "stopped")
    }

    private static func serverConfiguration(_ settings: Settings) -> ServerConfiguration {
        var listeners: [ListenerConfiguration] = []
        if let port = settings.port {
            listeners.append(ListenerConfiguration(.main, host: settings.host, port: port))
        }
        if let port = settings.tlsPort, let tls = settings.tls {
            listeners.append(
                ListenerConfiguration(.main, host: settings.host, port: port, tls: tls)
            )
        }
        if let port = settings.adminPort {
            listeners.append(ListenerConfiguration(.admin, host: settings.adminHost, port: port))
        }
        var configuration = ServerConfiguration(listeners: listeners)
        if let count = settings.eventLoopCount { configuration.eventLoopCount = count }
        configuration.limits = settings.http
        configuration.sharesPorts = settings.reusesPort == .on
        return configuration
    }
}

extension Log {
    /// Tells what came of changed certificate files.
    fileprivate func note(_ reload: CertificateReload) {
        switch reload {
        case .replaced(let expirySeconds):
            let expiry = Timestamp.text(expirySeconds * 1_000_000)
            event(.info, "certificate_replaced", [("expiry", "\(expiry)")])
        case .refused(let error):
            event(.error, "certificate_refused", [("reason", "\(error)")])
        }
    }
}
