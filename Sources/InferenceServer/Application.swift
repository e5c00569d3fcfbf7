// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Features
internal import HTTPServer
internal import Integrity
internal import ModelRuntime
internal import Platform
internal import Synchronization

/// Why the service could not start.
enum StartError: Error, CustomStringConvertible {
    case server(ServerError)
    case state(StateFileError)
    case keys(KeyFileError)
    case setting(SettingError)

    var description: String {
        switch self {
        case .server(let error): "\(error)"
        case .state(let error): "\(error)"
        case .keys(let error): "\(error)"
        case .setting(let error): "\(error)"
        }
    }
}

/// The running service: models, HTTP server and what follows from signals.
final class Application: Sendable {
    let service: PredictionService
    let server: Server
    let watcher: ModelWatcher
    let state: StateKeeper
    let fleet: Fleet
    let drift: DriftMonitor
    let watch: ServerWatch
    let telemetry: Telemetry?
    let decisions: DecisionLog?
    /// Whether another server kept the state directory for longer than this one waits.
    let hasFailed = Atomic(false)
    /// When what is left has to have ended, on the clock; from the first ``stop()`` on.
    private let drainEnd = Atomic(Int64.max)
    private let clock: MonotonicClock
    private let memory = MemoryKeeper()
    private let waiting = DispatchQueue(label: "state.wait")
    private let settings: Settings
    private let log: Log

    /// Puts the parts together; nothing listens yet.
    ///
    /// - Throws: ``StartError`` where the state directory cannot be had.
    init(
        settings: Settings,
        log: Log,
        clock: MonotonicClock = .system,
        wallClock: WallClock = .system
    ) throws(StartError) {
        self.settings = settings
        self.log = log
        self.clock = clock
        try Self.checkKeys(settings)
        state = try Self.stateKeeper(settings, log, clock)
        let configuration = Self.serverConfiguration(settings)
        // One for each event loop, and as many and one more for batches beside them.
        let slots = 2 * configuration.eventLoopCount + 1
        let quarantine = Quarantine(stateDirectory: settings.stateDirectory)
        let models = ModelStore(quarantine: quarantine)
        let metrics = ServiceMetrics(slots: slots)
        fleet = Fleet(
            models: models,
            silentAfter: settings.service.silentAfter,
            log: log,
            clock: clock,
            wallClock: wallClock
        )
        decisions = DecisionLog(settings: settings, slots: slots, log: log, clock: clock)
        telemetry = Telemetry(settings, log: log, clock: clock, wallClock: wallClock)
        watcher = ModelWatcher(
            settings: settings,
            models: models,
            state: state,
            decisions: decisions,
            metrics: metrics,
            telemetry: telemetry,
            log: log,
            clock: clock,
            wallClock: wallClock
        )
        drift = DriftMonitor(
            models: models,
            metrics: metrics,
            settings: settings.service.drift,
            memory: DriftMemory(stateDirectory: settings.stateDirectory),
            log: log,
            clock: clock,
            wallClock: wallClock
        )
        service = PredictionService(
            settings: settings,
            loopCount: configuration.eventLoopCount,
            models: models,
            metrics: metrics,
            log: log,
            telemetry: telemetry,
            drift: drift,
            decisions: decisions,
            clock: clock,
            wallClock: wallClock
        )
        server = Server(
            configuration: configuration,
            routes: Endpoint.routes(settings),
            handler: service,
            clock: clock,
            wallClock: wallClock,
            onCertificateReload: { log.note($0) }
        )
        watch = ServerWatch(server: server, log: log)
        metrics.observe(self)
    }

    /// Reads the keys that bundles are to be signed by: a file that cannot be used later on refuses
    /// bundles; now it refuses to start.
    private static func checkKeys(_ settings: Settings) throws(StartError) {
        do throws(KeyFileError) {
            _ = try [Ed25519PublicKey](settingOf: settings.bundlePublicKey)
        } catch {
            throw .keys(error)
        }
    }

    private static func stateKeeper(
        _ settings: Settings,
        _ log: Log,
        _ clock: MonotonicClock
    ) throws(StartError) -> StateKeeper {
        let keeper: StateKeeper
        do throws(StateFileError) {
            keeper = try StateKeeper(settings: settings, log: log, clock: clock)
        } catch {
            throw .state(error)
        }
        // Only now is the directory there, and may have another name.
        if let conflict = settings.directoryConflict { throw .setting(conflict) }
        return keeper
    }

    /// Loads the model that is there, listens, and follows MODEL_DIR from then on.
    ///
    /// Where another server has the state directory and this one is to wait for it, it listens at
    /// once and is not ready until it has the directory and a model.
    ///
    /// - Throws: ``StartError`` where an address cannot be listened on or the state directory is
    ///   another's.
    func start() throws(StartError) {
        let hasLock: Bool
        do throws(StateFileError) {
            hasLock = try state.takeLock()
            if !hasLock, settings.stateWait == .zero { throw state.lockedError }
        } catch {
            throw .state(error)
        }
        if hasLock { startModels() }
        do throws(ServerError) { try server.start() } catch { throw .server(error) }
        memory.start()
        watch.start()
        telemetry?.start()
        decisions?.start()
        if !hasLock {
            waitForState(until: clock.nowNanoseconds + Int64(settings.stateWait / .nanoseconds(1)))
        }
        logListeners()
    }

    private func startModels() {
        watcher.scanNow()
        watcher.start()
        state.start()
        fleet.start()
        drift.lookNow()
        drift.start()
        service.finishStart()
    }

    /// Tries to take the state directory's lock every 50 ms; ends the service if that is in vain.
    private func waitForState(until deadline: Int64) {
        log.event(.warning, "waiting_for_state", [("reason", "\(state.lockedError)")])
        waiting.async { [self] in tryState(until: deadline) }
    }

    private func tryState(until deadline: Int64) {
        guard !service.isDraining else { return }
        if (try? state.takeLock()) == true { return startModels() }
        guard clock.nowNanoseconds < deadline else {
            log.event(.error, "cannot_start", [("reason", "\(state.lockedError)")])
            hasFailed.store(true, ordering: .releasing)
            return server.stopNow()
        }
        waiting.asyncAfter(deadline: .now() + .milliseconds(50)) { [weak self] in
            self?.tryState(until: deadline)
        }
    }

    private func logListeners() {
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
        let time = settings.drainDelay + settings.drainTimeout
        let end = clock.nowNanoseconds + Int64(time / .nanoseconds(1))
        _ = drainEnd.compareExchange(expected: .max, desired: end, ordering: .relaxed)
        service.beginDrain()
        server.beginDrain(delay: settings.drainDelay, timeout: settings.drainTimeout)
    }

    /// Blocks until everything has ended.
    func waitUntilStopped() {
        server.waitUntilStopped()
        watcher.stop()
        memory.stop()
        fleet.stop()
        drift.stop()
        watch.stop()
        let left = drainEnd.load(ordering: .relaxed) - clock.nowNanoseconds
        telemetry?.stop(within: .nanoseconds(max(0, left)))
        decisions?.stop()
        waiting.sync {}
        state.stop()
        log.event(.info, "stopped")
    }

    /// What the settings make of the server.
    static func serverConfiguration(_ settings: Settings) -> ServerConfiguration {
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
