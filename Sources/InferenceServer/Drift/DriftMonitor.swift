// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Drift
internal import Features
internal import Platform
internal import Synchronization

/// Compares windows of live readings with the reference of the model in service.
///
/// - Note: Thread-safe: comparing happens on one queue of its own.
final class DriftMonitor: Sendable {
    struct State {
        var standing = DriftStanding()
        var raised = DriftState()
        /// What the last window counted.
        var sketch: FleetSketch?
        /// The counts at the start of the window.
        var before = ReadingCounts()
        var startNanoseconds: Int64 = 0
    }

    /// How often a window's end is looked for.
    private static let interval = DispatchTimeInterval.seconds(1)

    private let models: ModelStore
    private let metrics: ServiceMetrics
    private let settings: DriftSettings
    let memory: DriftMemory
    let log: Log
    let clock: MonotonicClock
    let wallClock: WallClock
    private let queue = DispatchQueue(label: "drift", qos: .utility)
    private let state = Lock(State())
    /// Whether what was kept before the start has been looked for.
    private let hasResumed = Atomic(false)
    private let isStopped = Atomic(false)

    init(
        models: ModelStore,
        metrics: ServiceMetrics,
        settings: DriftSettings,
        memory: DriftMemory,
        log: Log,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        self.models = models
        self.metrics = metrics
        self.settings = settings
        self.memory = memory
        self.log = log
        self.clock = clock
        self.wallClock = wallClock
    }

    /// What is known now.
    var standing: DriftStanding {
        let (standing, before) = state.withLock { ($0.standing, $0.before) }
        guard let model = standing.model else { return standing }
        var current = standing
        current.gatheredCount = model.counts.readingCount - before.readings
        return current
    }

    /// Looks for the end of a window from now on.
    func start() {
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            look()
            start()
        }
    }

    /// Looks no more, and writes down what has been gathered.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.sync { keepAll() }
    }

    /// Looks now.
    func lookNow() { queue.sync { look() } }

    /// Ends the window now, however long it has lasted.
    func endWindowNow() { queue.sync { look(isForced: true) } }

    private func look(isForced: Bool = false) {
        let model = models.current.flatMap { $0.drift == nil ? nil : $0 }
        var state = state.withLock { $0 }
        // A model that comes or goes on trial beside it changes nothing.
        guard state.standing.model?.drift === model?.drift else { return begin(with: model) }
        guard let model, let drift = model.drift else { return }
        let counts = counts(of: model)
        let elapsed = clock.nowNanoseconds - state.startNanoseconds
        guard isForced || elapsed >= Int64(settings.window / .nanoseconds(1)),
            counts.readings - state.before.readings >= settings.readingsMin
        else { return }
        finishWindow(of: model, drift, counts, &state)
        let next = state
        self.state.withLock { $0 = next }
        keep(kept(next), of: model)
    }

    /// Writes everything down; what is gathered is then no longer here.
    private func keepAll() {
        let state = state.withLock { $0 }
        guard memory.path != nil, let model = state.standing.model, let drift = model.drift else {
            return
        }
        var kept = kept(state)
        kept.gathered = DriftMemory.Kept.Window(
            start: state.standing.gatheredSince,
            end: wallClock.nowMicroseconds,
            seconds: Double(clock.nowNanoseconds - state.startNanoseconds) * 1e-9,
            counts: counts(of: model).since(state.before),
            sketch: drift.sketches.collect()
        )
        keep(kept, of: model)
    }

    /// A new model starts with new sketches: it has another reference.
    private func begin(with model: ServedModel?) {
        var state = State()
        state.standing.model = model
        if let model {
            _ = model.drift?.sketches.collect()
            state.before = counts(of: model)
        }
        state.startNanoseconds = clock.nowNanoseconds
        state.standing.gatheredSince = wallClock.nowMicroseconds
        // Only the model that served before the start goes on with what was kept.
        if let model, !hasResumed.exchange(true, ordering: .relaxed),
            let kept = kept(of: model, flagCount: state.before.flags.count)
        {
            resume(kept, &state)
        }
        let next = state
        self.state.withLock { $0 = next }
    }

    private func counts(of model: ServedModel) -> ReadingCounts {
        let admissions = metrics.admissions
        return ReadingCounts(
            readings: model.counts.readingCount,
            flags: model.counts.noticedCounts,
            late: admissions.late,
            stale: admissions.stale,
            duplicate: admissions.duplicate
        )
    }

    private func finishWindow(
        of model: ServedModel,
        _ drift: ModelDrift,
        _ total: ReadingCounts,
        _ state: inout State
    ) {
        let sketch = drift.sketches.collect()
        let counts = total.since(state.before)
        let now = wallClock.nowMicroseconds
        let (sensors, verdict) = judge(drift, counts, sketch)
        note(sensors, after: state.standing.sensors, model)
        state.standing.window = DriftStanding.Window(
            start: state.standing.gatheredSince,
            end: now,
            counts: counts,
            comparedCount: sketch.rowCount,
            machineCount: Int(sketch.machineCount.rounded())
        )
        state.standing.sensors = sensors
        state.standing.verdict = nil
        state.sketch = sketch
        if let verdict { take(verdict, of: model, &state) }
        state.before = total
        state.startNanoseconds = clock.nowNanoseconds
        state.standing.gatheredSince = now
    }

    /// What a window's counts say of the sensors, and of drift where it had machines enough.
    func judge(
        _ drift: ModelDrift,
        _ counts: ReadingCounts,
        _ sketch: FleetSketch
    ) -> ([SensorQuality], WindowVerdict?) {
        var sensors = drift.quality(counts, rule: settings.rule)
        let hasLeftRanges = sensors.takeBackCommonRanges(share: settings.rule.featureShare)
        guard sketch.machineCount.rounded() >= WindowVerdict.machinesMin else {
            return (sensors, nil)
        }
        let verdict = WindowVerdict(
            sketch,
            reference: drift.reference,
            columns: drift.columns,
            faulty: Set(sensors.indices.filter { !sensors[$0].faults.isEmpty }),
            hasLeftRanges: hasLeftRanges,
            rule: settings.rule
        )
        return (sensors, verdict)
    }

    private func take(_ verdict: WindowVerdict, of model: ServedModel, _ state: inout State) {
        state.standing.verdict = verdict
        state.standing.windowCount += 1
        state.raised.observe(
            drifts: verdict.drifts,
            needed: settings.windowsNeeded,
            of: settings.windowCount
        )
        let isRaised = state.raised.isRaised
        if isRaised != (state.standing.state == .drift) { note(verdict, isRaised, model) }
        state.standing.state = isRaised ? .drift : .stable
    }

    private func note(_ verdict: WindowVerdict, _ isRaised: Bool, _ model: ServedModel) {
        let names = verdict.features.filter(\.drifts).map(\.column.name)
        log.event(
            isRaised ? .warning : .info,
            isRaised ? "drift_raised" : "drift_ended",
            [
                ("model_version", .string(model.version)),
                ("drifted_share", .number(verdict.share)),
                ("features", .string(names.joined(separator: ","))),
            ]
        )
    }

    /// Writes a line for each sensor that has become broken or whole.
    private func note(
        _ sensors: [SensorQuality],
        after before: [SensorQuality],
        _ model: ServedModel
    ) {
        for (index, sensor) in sensors.enumerated() {
            let known = before.isEmpty ? [] : before[index].faults
            guard sensor.faults != known else { continue }
            let isFaulty = !sensor.faults.isEmpty
            log.event(
                isFaulty ? .warning : .info,
                isFaulty ? "sensor_fault" : "sensor_recovered",
                [
                    ("sensor", .string(sensor.name)),
                    ("kinds", .string(sensor.faults.map(\.rawValue).joined(separator: ","))),
                    ("model_version", .string(model.version)),
                ]
            )
        }
    }
}
