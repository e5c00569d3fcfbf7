// SPDX-License-Identifier: MIT

internal import Platform
internal import Synchronization

/// Why a bundle was not taken.
struct ModelRefusal: Sendable, Equatable {
    /// The version's name, or the path where it has none.
    let version: String
    let reason: String
    /// Microseconds since the epoch.
    let time: Int64
}

/// What is known of the models beside the one in service, for those who watch.
struct ModelStanding: Sendable {
    /// When the model in service was made, microseconds since the epoch.
    var createdMicroseconds: Int64 = 0
    /// How long loading and verifying it took.
    var loadSeconds = 0.0
    /// Bundles that were found at the last look and may serve.
    var versionCount = 0
    /// Whether the one that should serve is refused.
    var isPreferredRefused = false
}

/// The model in service and the last bundle that was refused.
///
/// - Note: Thread-safe. Readers compare ``generation``, one atomic load, and take the lock only
///   after it changed; the lock is held for a copy of references.
final class ModelStore: Sendable {
    private struct State {
        var model: ServedModel?
        var refusal: ModelRefusal?
        var standing = ModelStanding()
    }

    /// Versions that are not taken.
    let quarantine: Quarantine
    private let state = Lock(State())
    private let count = Atomic(0)

    init(quarantine: Quarantine) { self.quarantine = quarantine }

    /// Grows with every swap.
    var generation: Int { count.load(ordering: .acquiring) }

    /// The model in service.
    var current: ServedModel? { state.withLock { $0.model } }

    /// The versions that answer: that in service, and that on trial beside it.
    var versionsInUse: [String] {
        guard let current else { return [] }
        return [current.version] + (current.trial.map { [$0.model.version] } ?? [])
    }

    /// The last bundle that was refused since the start.
    var refusal: ModelRefusal? { state.withLock { $0.refusal } }

    /// What is known beside the model itself.
    var standing: ModelStanding { state.withLock { $0.standing } }

    /// Puts a model into service; requests under way finish with the one before.
    func install(_ model: ServedModel, loadSeconds: Double) {
        state.withLock { state in
            state.model = model
            state.standing.createdMicroseconds = model.createdMicroseconds
            state.standing.loadSeconds = loadSeconds
        }
        count.add(1, ordering: .releasing)
    }

    /// Puts a model, or takes it away, beside the one in service.
    func setTrial(_ trial: Trial?) {
        state.withLock { state in
            state.model = state.model.map { ServedModel($0, trial: trial) }
        }
        count.add(1, ordering: .releasing)
    }

    /// Notes what a look at MODEL_DIR found.
    func note(versionCount: Int, isPreferredRefused: Bool) {
        state.withLock { state in
            state.standing.versionCount = versionCount
            state.standing.isPreferredRefused = isPreferredRefused
        }
    }

    /// Notes that a bundle was refused; the model in service stays.
    func note(_ refusal: ModelRefusal) {
        state.withLock { $0.refusal = refusal }
    }
}
