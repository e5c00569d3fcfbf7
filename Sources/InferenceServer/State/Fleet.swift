// SPDX-License-Identifier: MIT

internal import Dispatch
internal import Features
internal import Platform
internal import Synchronization

/// Counts the machines by their last risk, and the silent ones, every few seconds.
///
/// - Note: Thread-safe: counting happens on one queue of its own.
final class Fleet: Sendable {
    /// What the last count found.
    struct Counts: Sendable {
        /// In the order of the risk levels.
        var byRiskLevel = [0, 0, 0]
        /// Without a reading in order since the model in service came or the program started.
        var unknown = 0
        /// Those from which nothing has come for longer than the setting allows.
        var silent = 0
    }

    /// The least time between two counts.
    private static let intervalNanoseconds: Int64 = 5_000_000_000
    /// A count takes this part of the time at most: a million machines take some 50 ms.
    private static let pauseFactor: Int64 = 200

    private let models: ModelStore
    private let silentAfter: Duration
    private let log: Log
    private let clock: MonotonicClock
    private let wallClock: WallClock
    private let queue = DispatchQueue(label: "fleet", qos: .utility)
    private let last = Lock(Counts())
    private let isStopped = Atomic(false)

    init(
        models: ModelStore,
        silentAfter: Duration,
        log: Log,
        clock: MonotonicClock,
        wallClock: WallClock
    ) {
        self.models = models
        self.silentAfter = silentAfter
        self.log = log
        self.clock = clock
        self.wallClock = wallClock
    }

    var counts: Counts { last.withLock { $0 } }

    /// Counts now.
    func countNow() {
        var counts = Counts()
        if let census = census(now: wallClock.nowMicroseconds) {
            counts.byRiskLevel = Array(census.labelled.dropFirst())
            counts.unknown = census.labelled[0]
            counts.silent = census.silent
            note(census)
        }
        last.withLock { $0 = counts }
    }

    /// Writes a line where more machines are silent than at the last count.
    private func note(_ census: MachineCensus) {
        guard census.silent > counts.silent else { return }
        let ids = census.silentIDs.map { String(decoding: $0, as: UTF8.self) }
        log.event(
            .warning,
            "machines_silent",
            [
                ("count", .integer(census.silent)),
                ("some", .string(ids.joined(separator: ","))),
            ]
        )
    }

    /// Looks at all machines; nil where none are kept.
    func census(now: Int64) -> MachineCensus? {
        guard let model = models.current, let state = model.state else { return nil }
        let microseconds = Int64(silentAfter / .microseconds(1))
        return state.census(epoch: model.epoch, silentSince: now - microseconds)
    }

    /// Counts from now on.
    func start() { count(after: 0) }

    /// Counts no more.
    func stop() { isStopped.store(true, ordering: .releasing) }

    private func count(after nanoseconds: Int64) {
        queue.asyncAfter(deadline: .now() + .nanoseconds(Int(nanoseconds))) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            let start = clock.nowNanoseconds
            countNow()
            let cost = clock.nowNanoseconds - start
            count(after: max(Self.intervalNanoseconds, cost * Self.pauseFactor))
        }
    }
}
