// SPDX-License-Identifier: MIT

internal import Synchronization

/// Why a bundle was not taken.
struct ModelRefusal: Sendable, Equatable {
    /// The version's name, or the path where it has none.
    let version: String
    let reason: String
    /// Microseconds since the epoch.
    let time: Int64
}

/// The model in service and the last bundle that was refused.
///
/// - Note: Thread-safe. Readers compare ``generation``, one atomic load, and take the lock only
///   after it changed; the lock is held for a copy of references.
final class ModelStore: Sendable {
    /// Versions whose counters stay on the metrics page; the oldest leave it first.
    private static let countedMax = 16

    private struct State {
        var model: ServedModel?
        var refusal: ModelRefusal?
        var counted: [(version: String, counts: PredictionCounts)] = []
    }

    private let state = Mutex(State())
    private let count = Atomic(0)
    private let slots: Int

    /// `slots` is the number of those who count predictions at a time, as in ``ServiceMetrics``.
    init(slots: Int) { self.slots = slots }

    /// Grows with every swap.
    var generation: Int { count.load(ordering: .acquiring) }

    /// The model in service.
    var current: ServedModel? { state.withLock { $0.model } }

    /// The last bundle that was refused since the start.
    var refusal: ModelRefusal? { state.withLock { $0.refusal } }

    /// The predictions of the versions that have served, the newest last.
    var counted: [(version: String, counts: PredictionCounts)] { state.withLock { $0.counted } }

    /// The counters of a version, which go on where it serves again.
    func counts(ofVersion version: String) -> PredictionCounts {
        state.withLock { state in
            if let known = state.counted.first(where: { $0.version == version }) {
                return known.counts
            }
            let counts = PredictionCounts(slots: slots)
            if state.counted.count == Self.countedMax { state.counted.removeFirst() }
            state.counted.append((version, counts))
            return counts
        }
    }

    /// Puts a model into service; requests under way finish with the one before.
    func install(_ model: ServedModel) {
        state.withLock { $0.model = model }
        count.add(1, ordering: .releasing)
    }

    /// Notes that a bundle was refused; the model in service stays.
    func note(_ refusal: ModelRefusal) {
        state.withLock { $0.refusal = refusal }
    }
}
