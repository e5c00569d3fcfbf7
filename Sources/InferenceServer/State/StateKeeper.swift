// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Features
internal import Platform
internal import Synchronization

/// Opens the state that models share and writes it to the disk at an interval, off the loops.
///
/// Without a directory the state is in memory, and nothing of this waits or writes.
///
/// - Note: Thread-safe: the disk is touched on one serial queue.
final class StateKeeper: Sendable {
    private struct Reported {
        var isFull = false
        var isFailing = false
        var torn = 0
    }

    private let directory: StateDirectory?
    private let interval: Duration
    private let log: Log
    private let clock: MonotonicClock
    private let queue = DispatchQueue(label: "state")
    private let reported = Lock(Reported())
    private let lastSync: Atomic<Int64>
    private let isOpenFlag = Atomic(false)
    private let isStopped = Atomic(false)

    /// - Throws: `StateFileError` where the directory can be neither found nor made.
    init(settings: Settings, log: Log, clock: MonotonicClock) throws(StateFileError) {
        if let path = settings.stateDirectory {
            directory = try StateDirectory(path: path)
        } else {
            directory = nil
            isOpenFlag.store(true, ordering: .releasing)
        }
        interval = settings.stateSyncInterval
        self.log = log
        self.clock = clock
        lastSync = Atomic(clock.nowNanoseconds)
    }

    /// Whether state may be opened: nobody else has the directory.
    var isOpen: Bool { isOpenFlag.load(ordering: .acquiring) }

    /// The age of the last moment from which everything is on the disk; 0 without a directory.
    var syncLagSeconds: Double {
        guard directory != nil else { return 0 }
        return Double(clock.nowNanoseconds - lastSync.load(ordering: .relaxed)) * 1e-9
    }

    /// Takes the directory's lock; false where another process has it.
    func takeLock() throws(StateFileError) -> Bool {
        guard let directory, !isOpen else { return true }
        guard try directory.takeLock() else { return false }
        isOpenFlag.store(true, ordering: .releasing)
        return true
    }

    /// The error that the directory belongs to another process.
    var lockedError: StateFileError { .locked(path: directory?.path ?? "") }

    /// The state for an engine: what the directory holds, or an empty one in memory.
    func store(
        for engine: FeatureEngine,
        limits: StateLimits
    ) throws(StateFileError) -> StateStore {
        guard let directory else {
            return StateStore(
                records: engine.records,
                horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
                limits: limits
            )
        }
        let start = clock.nowNanoseconds
        let store = try directory.store(for: StateDescription(engine.transform), limits: limits)
        log.event(
            .info,
            "state_opened",
            [
                ("path", .string(store.file?.path ?? "")),
                ("machines", .integer(store.counts().machines)),
                ("milliseconds", .integer(Int((clock.nowNanoseconds - start) / 1_000_000))),
            ]
        )
        return store
    }

    /// Writes to the disk at the interval from now on.
    func start() {
        guard directory != nil else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(Int(interval / .milliseconds(1)))) {
            [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            sync()
            start()
        }
    }

    /// Writes to the disk a last time.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        if isOpen { queue.sync { sync() } }
    }

    private func sync() {
        let now = clock.nowNanoseconds
        var failure: StateFileError?
        var isFull = false
        var torn = 0
        for store in directory?.openStores ?? [] {
            store.file?.retryGrowth()
            store.moveToFile()
            do throws(StateFileError) { try store.file?.sync() } catch { failure = error }
            isFull = isFull || store.file?.isFull == true
            torn += store.counts().torn
        }
        if failure == nil { lastSync.store(now, ordering: .relaxed) }
        report(isFull: isFull, failure: failure, torn: torn)
    }

    /// Writes a line where something has changed.
    private func report(isFull: Bool, failure: StateFileError?, torn: Int) {
        let before = reported.withLock { reported in
            defer { reported = Reported(isFull: isFull, isFailing: failure != nil, torn: torn) }
            return reported
        }
        let path: LogValue = .string(directory?.path ?? "")
        if isFull != before.isFull {
            log.event(
                isFull ? .error : .info,
                isFull ? "state_disk_full" : "state_disk_has_room",
                [("path", path), ("new_machines", isFull ? "memory only" : "in the file")]
            )
        }
        if let failure, !before.isFailing {
            log.event(.error, "state_not_synced", [("path", path), ("reason", "\(failure)")])
        }
        if torn > before.torn {
            log.event(.error, "state_torn", [("path", path), ("dropped", .integer(torn))])
        }
    }
}
