// SPDX-License-Identifier: MIT

internal import Features
internal import ModelRuntime

/// A second model that computes beside the one in service, from the same record of each machine.
///
/// - Note: Thread-safe: immutable but for its counters.
final class Trial: Sendable {
    /// Why there are two models, and what the second one answers.
    enum Role: Sendable, Equatable {
        /// It is a challenger that answers none.
        case shadow
        /// It is a challenger that answers this share of the machines.
        case share(Double)
        /// It is the version before, and the one in service is on probation, at least until this
        /// moment of the monotonic clock, in nanoseconds.
        case predecessor(until: Int64)
    }

    /// The second model.
    let model: ServedModel
    let role: Role
    /// The machines that the second model answers; nil for none.
    let share: MachineShare?
    /// Writes what the second model answers, with the windows of the first.
    let encoder: PredictionEncoder
    /// Whether both models take the same row.
    let sharesRows: Bool
    /// Whether the registry says that the risk levels of the version on trial are meant to move,
    /// so that they are not judged.
    let allowsShift: Bool
    let counts: TrialCounts

    /// Puts a model beside the one that is to serve, of whose kind it is.
    init(
        of model: ServedModel,
        beside served: ServedModel,
        as role: Role,
        allowsShift: Bool,
        slots: Int
    ) {
        self.model = model
        self.role = role
        self.allowsShift = allowsShift
        if case .share(let share) = role { self.share = MachineShare(share) } else { share = nil }
        var renamed = model.engine.transform
        renamed.specName = served.engine.transform.specName
        sharesRows = renamed == served.engine.transform
        encoder = model.makeEncoder(windowsOf: served)
        counts = TrialCounts(slots: slots)
    }

    /// Whether the second model is the one that is judged, and not the one in service.
    var judgesSecond: Bool {
        if case .predecessor = role { false } else { true }
    }

    /// The version that is judged, and the one that it is compared with.
    func versions(beside served: ServedModel) -> (onTrial: String, other: String) {
        judgesSecond ? (model.version, served.version) : (served.version, model.version)
    }

    /// Why a model's answers cannot stand beside those of the one in service; nil where they can.
    static func refusal(of manifest: Manifest, beside served: ServedModel) -> TrialRefusal? {
        let (own, other) = (manifest.transform, served.engine.transform)
        if own.schema != other.schema { return .differs("schema") }
        if own.layout != other.layout { return .differs("layout") }
        // It says what counts as a sensor's last value, before any features.
        if own.forwardFill != other.forwardFill { return .differs("forward fill") }
        return manifest.horizonHours == served.manifest.horizonHours ? nil : .differs("horizon")
    }
}

/// Why a model is not tried beside the one in service.
enum TrialRefusal: CustomStringConvertible {
    /// This is not the same.
    case differs(String)

    var description: String {
        switch self {
        case .differs(let what):
            "its \(what) differs from that of the model in service, so it cannot be tried beside it"
        }
    }
}

extension Trial.Role {
    init(_ mode: ModelRegistry.Challenger.Mode) {
        switch mode {
        case .shadow: self = .shadow
        case .share(let share): self = .share(share)
        }
    }

    /// The role in a word.
    var mode: String {
        switch self {
        case .shadow: "shadow"
        case .share: "share"
        case .predecessor: "probation"
        }
    }

    /// The share of the machines that the version on trial answers.
    var share: Double {
        switch self {
        case .shadow: 0
        case .share(let share): share
        case .predecessor: 1
        }
    }
}
