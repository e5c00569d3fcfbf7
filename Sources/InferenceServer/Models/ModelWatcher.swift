// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Integrity
internal import ModelRuntime
internal import Platform
internal import Synchronization

/// Follows MODEL_DIR and puts the right bundle into service.
///
/// It looks at names, sizes and times every few seconds, since volumes send no events, and loads on
/// a queue of its own, so that no event loop waits. A bundle that fails keeps the one before
/// serving.
///
/// - Note: Thread-safe: all looking happens on one serial queue.
final class ModelWatcher: Sendable {
    private let directory: ModelDirectory
    private let keyFile: String?
    private let limits: ServiceLimits
    private let models: ModelStore
    private let state: StateKeeper
    private let decisions: DecisionLog?
    private let metrics: ServiceMetrics
    private let log: Log
    private let clock: MonotonicClock
    private let wallClock: WallClock
    private let queue = DispatchQueue(label: "models")
    private let lastFingerprint = Mutex<UInt64?>(nil)
    private let isStopped = Atomic(false)

    init(
        settings: Settings,
        models: ModelStore,
        state: StateKeeper,
        decisions: DecisionLog?,
        metrics: ServiceMetrics,
        log: Log,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        directory = ModelDirectory(path: settings.modelDirectory, model: settings.model)
        keyFile = settings.bundlePublicKey
        limits = settings.service
        self.models = models
        self.state = state
        self.decisions = decisions
        self.metrics = metrics
        self.log = log
        self.clock = clock
        self.wallClock = wallClock
    }

    /// Looks now and returns when a model is in service or none was found.
    func scanNow(isForced: Bool = true) { queue.sync { scan(isForced: isForced) } }

    /// Looks soon, also where nothing seems to have changed.
    func rescan() { queue.async { [self] in scan(isForced: true) } }

    /// Looks from now on at the interval of the limits.
    func start() {
        let milliseconds = Int(limits.modelScanInterval / .milliseconds(1))
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            scan(isForced: false)
            start()
        }
    }

    /// Looks no more.
    func stop() { isStopped.store(true, ordering: .releasing) }

    private func scan(isForced: Bool) {
        // Without the state's lock no model can be served yet.
        guard state.isOpen else { return }
        let fingerprint = directory.fingerprint(with: keyFile.map { [$0] } ?? [])
        let isChanged = lastFingerprint.withLock { last in
            defer { last = fingerprint }
            return last != fingerprint
        }
        guard isChanged || isForced else { return }
        let candidates: [BundleLocation]
        do throws(ModelDirectoryError) {
            candidates = try directory.candidates()
        } catch {
            return log.event(.warning, "no_bundle_found", [("reason", "\(error)")])
        }
        var taken: BundleLocation?
        for candidate in candidates where candidate == candidates[0] || isLater(candidate) {
            guard take(candidate) else { continue }
            taken = candidate
            break
        }
        models.note(
            versionCount: candidates.count,
            isPreferredRefused: taken != candidates[0]
        )
    }

    /// Whether a bundle may step in for one that fails: what is in service is not given up for
    /// something older.
    private func isLater(_ candidate: BundleLocation) -> Bool {
        guard let current = models.current else { return true }
        guard let version = candidate.version else { return false }
        // Versions sort as their texts do.
        return "\(version)" > current.version
    }

    /// Puts a bundle into service; false where it was refused.
    private func take(_ location: BundleLocation) -> Bool {
        let previous = models.current
        let start = clock.nowNanoseconds
        let keys: [Ed25519PublicKey]
        do throws(KeyFileError) { keys = try [Ed25519PublicKey](settingOf: keyFile) } catch {
            refuse(location, "\(error)")
            return false
        }
        do throws(BundleError) {
            let bundle = try BundleReader.load(location, signedBy: keys)
            if let previous, previous.digest == bundle.digest.hex { return true }
            do throws(StateRefusal) {
                let model = try ServedModel(
                    bundle,
                    after: previous,
                    counts: metrics.counts(of: bundle.manifest),
                    epoch: models.generation + 1,
                    limits: limits,
                    keeper: state,
                    decisions: decisions
                )
                let nanoseconds = clock.nowNanoseconds - start
                models.install(model, loadSeconds: Double(nanoseconds) * 1e-9)
                metrics.countSwap()
                log.event(
                    .info,
                    "model_in_service",
                    [
                        ("model", .string(model.name)), ("version", .string(model.version)),
                        ("milliseconds", .integer(Int(nanoseconds / 1_000_000))),
                    ]
                )
                return true
            } catch {
                refuse(location, "\(error)")
            }
        } catch {
            refuse(location, "\(error)")
        }
        return false
    }

    private func refuse(_ location: BundleLocation, _ reason: String) {
        let version = location.version?.description ?? location.path
        models.note(
            ModelRefusal(version: version, reason: reason, time: wallClock.nowMicroseconds)
        )
        metrics.countRefusal()
        log.event(
            .error,
            "model_refused",
            [
                ("version", .string(version)),
                ("path", .string(location.path)),
                ("reason", .string(reason)),
                ("in_service", .string(models.current?.version ?? "none")),
            ]
        )
    }
}
