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
    let directory: ModelDirectory
    private let keyFile: String?
    let limits: ServiceLimits
    let models: ModelStore
    let state: StateKeeper
    private let decisions: DecisionLog?
    let memory: ServingMemory
    let metrics: ServiceMetrics
    let telemetry: Telemetry?
    let log: Log
    let clock: MonotonicClock
    let wallClock: WallClock
    private let queue = DispatchQueue(label: "models")
    private let lastFingerprint = Lock<UInt64?>(nil)
    /// The trial that went on when the process before ended, until it goes on here.
    let trialBefore = Lock<ServingMemory.Trial?>(nil)
    private let isStopped = Atomic(false)
    private let rescanWaits = Atomic(false)
    /// The epoch of the last model that was found faulty with nothing to go back to.
    let lastFaulty = Atomic(-1)

    init(
        settings: Settings,
        models: ModelStore,
        state: StateKeeper,
        decisions: DecisionLog?,
        metrics: ServiceMetrics,
        telemetry: Telemetry?,
        log: Log,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        directory = ModelDirectory(path: settings.modelDirectory, model: settings.model)
        keyFile = settings.bundlePublicKey
        memory = ServingMemory(stateDirectory: settings.stateDirectory)
        limits = settings.service
        self.models = models
        self.state = state
        self.decisions = decisions
        self.metrics = metrics
        self.telemetry = telemetry
        self.log = log
        self.clock = clock
        self.wallClock = wallClock
    }

    /// Looks now and returns when a model is in service or none was found.
    func scanNow(isForced: Bool = true) {
        queue.sync {
            scan(isForced: isForced)
            keep()
        }
    }

    /// Looks soon, also where nothing seems to have changed.
    func rescan() {
        // One that waits does for all that are asked for until it begins.
        if rescanWaits.exchange(true, ordering: .acquiringAndReleasing) { return }
        queue.async { [self] in
            rescanWaits.store(false, ordering: .releasing)
            scan(isForced: true)
            keep()
        }
    }

    /// Looks from now on at the interval of the limits.
    func start() {
        let milliseconds = Int(limits.modelScanInterval / .milliseconds(1))
        queue.asyncAfter(deadline: .now() + .milliseconds(milliseconds)) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            review()
            scan(isForced: false)
            keep()
            start()
        }
    }

    /// Judges the version on trial now.
    func reviewNow() {
        queue.sync {
            review()
            keep()
        }
    }

    /// Lets the next look see everything anew.
    func forgetFingerprint() { lastFingerprint.withLock { $0 = nil } }

    /// Looks no more, and writes down how far a trial has come.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.sync { keep(isForced: true) }
    }

    private func scan(isForced: Bool) {
        // Without the state's lock no model can be served yet.
        guard state.isOpen else { return }
        let others = [keyFile, models.quarantine.path].compactMap(\.self)
        let fingerprint = directory.fingerprint(with: others)
        let isChanged = lastFingerprint.withLock { last in
            defer { last = fingerprint }
            return last != fingerprint
        }
        guard isChanged || isForced else { return }
        if let reason = models.quarantine.reload() {
            log.event(.error, "quarantine_unreadable", [("reason", .string(reason))])
        }
        noteBrokenLinks()
        let candidates: [BundleLocation]
        do throws(ModelDirectoryError) {
            candidates = ordered(try directory.candidates())
        } catch {
            return log.event(.warning, "no_bundle_found", [("reason", "\(error)")])
        }
        var taken: BundleLocation?
        for candidate in candidates where candidate == candidates[0] || isLater(candidate) {
            let outcome = take(candidate)
            if outcome == .taken { taken = candidate }
            // In the place of a version in quarantine serves the one before it, not a later one.
            let isSettled = outcome == .quarantined && models.current != nil
            if taken != nil || isSettled { break }
        }
        models.note(
            versionCount: candidates.count,
            isPreferredRefused: taken != candidates[0]
        )
        followChallenger()
    }

    private func noteBrokenLinks() {
        for path in (try? directory.modelFolder().brokenLinks()) ?? [] {
            log.event(.warning, "broken_link", [("path", .string(path))])
        }
    }

    /// Whether a bundle may step in for one that fails: what is in service is not given up for
    /// something older.
    private func isLater(_ candidate: BundleLocation) -> Bool {
        guard let current = models.current else { return true }
        guard let version = candidate.version else { return false }
        // Versions sort as their texts do.
        return "\(version)" > current.version
    }

    /// What became of a bundle.
    enum Outcome {
        case taken
        case refused
        case quarantined
    }

    /// Puts a bundle into service, unless something speaks against it.
    func take(_ location: BundleLocation) -> Outcome {
        let previous = models.current
        var trace = ModelLoadTrace(of: location, telemetry, clock: clock)
        guard let bundle = load(location, &trace) else { return .refused }
        if let previous, previous.digest == bundle.digest.hex { return .taken }
        guard !isQuarantined(bundle) else { return .quarantined }
        trace.begin(.swap)
        guard
            let model = prepare(
                bundle,
                location,
                epoch: models.generation + 1,
                after: previous,
                trace
            )
        else {
            return .refused
        }
        let nanoseconds = clock.nowNanoseconds - trace.began
        let allowsShift = directory.allowsShift(of: location.version)
        let served =
            previous == nil
            ? resumed(model, allowsShift: allowsShift)
            : onProbation(model, after: previous, allowsShift: allowsShift)
        models.install(served, loadSeconds: Double(nanoseconds) * 1e-9)
        trace.succeed(model, as: "in_service")
        metrics.countSwap()
        log.event(
            .info,
            "model_in_service",
            [
                ("model", .string(model.name)), ("version", .string(model.version)),
                ("milliseconds", .integer(Int(nanoseconds / 1_000_000))),
                ("on_probation", served.trial == nil ? "no" : "yes"),
                ("allows_shift", served.trial?.allowsShift == true ? "yes" : "no"),
            ]
        )
        return .taken
    }

    /// Loads a bundle and verifies it; nil where it is refused.
    func load(_ location: BundleLocation, _ trace: inout ModelLoadTrace) -> LoadedModel? {
        do {
            return try loaded(location) { trace.begin(.selfTest) }
        } catch {
            refuse(location, "\(type(of: error))", "\(error)", trace)
            return nil
        }
    }

    /// Loads a bundle and verifies it; `willTest` is called before its golden cases.
    func loaded(_ location: BundleLocation, willTest: () -> Void) throws -> LoadedModel {
        let keys = try [Ed25519PublicKey](settingOf: keyFile)
        return try BundleReader.load(location, signedBy: keys, willTest: willTest)
    }

    /// Makes a bundle ready to compute beside the model in service or in its place; nil where it
    /// is refused.
    func prepare(
        _ bundle: LoadedModel,
        _ location: BundleLocation,
        epoch: Int,
        after previous: ServedModel?,
        _ trace: ModelLoadTrace
    ) -> ServedModel? {
        do throws(StateRefusal) {
            return try ServedModel(
                bundle,
                after: previous,
                counts: metrics.counts(of: bundle.manifest, besides: models.versionsInUse),
                epoch: epoch,
                limits: limits,
                keeper: state,
                decisions: decisions
            )
        } catch {
            refuse(location, "\(type(of: error))", "\(error)", trace)
            return nil
        }
    }

    /// Notes and tells that a bundle is refused, for an error of that type.
    func refuse(
        _ location: BundleLocation,
        _ type: String,
        _ reason: String,
        _ trace: ModelLoadTrace
    ) {
        let version = location.version?.description ?? location.path
        models.note(
            ModelRefusal(version: version, reason: reason, time: wallClock.nowMicroseconds)
        )
        trace.fail(version: version, type: type, reason: reason)
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
