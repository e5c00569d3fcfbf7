// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import Integrity
internal import JSON
internal import ModelRuntime
internal import Platform
internal import Synchronization

/// A verified bundle made ready to serve: engine, network, state and what answers are written with.
///
/// - Note: Thread-safe: immutable but for state and counters, which are thread-safe themselves.
final class ServedModel: Sendable {
    /// What a logit means to a client.
    struct Decision {
        let probability: Double
        let prediction: Int
        let riskLevel: RiskLevel
    }

    let name: String
    let version: String
    var engine: FeatureEngine { bundle.engine }
    var network: Network { bundle.network }
    var explainer: Explainer? { bundle.explainer }
    /// The machines' windows, shared by all versions of equal layout; nil for a schema without
    /// them.
    let state: StateStore?
    /// The alarms of the machines whose windows are kept; nil where there are none.
    let alarms: AlarmPolicy?
    let format: ReadingFormat
    let encoder: PredictionEncoder
    let counts: PredictionCounts
    /// What its readings are compared with; nil where nobody wants that or the bundle cannot.
    let drift: ModelDrift?
    /// Where its predictions are kept; nil where they are not.
    let decisions: DecisionChannel?
    /// When it was made, microseconds since the epoch.
    var createdMicroseconds: Int64 { bundle.manifest.createdMicroseconds }
    /// Tells its notes about machines from those of the models before it.
    let epoch: Int
    /// The digest of the whole bundle, in hexadecimal digits.
    let digest: String
    /// What `/model/info` says, as far as the last refusal.
    let info: [UInt8]
    /// A second model that computes beside this one; usually none.
    let trial: Trial?
    /// Readings to which it gave no finite answer since it came.
    let faults = Atomic(0)
    /// What it had answered by then.
    private let earlierAnswers: Int
    /// What its bundle says of it.
    var manifest: Manifest { bundle.manifest }
    private let bundle: LoadedModel
    /// The descriptions of the routes that were asked for, by listener.
    private let descriptions = Lock<[Listener: [UInt8]]>([:])

    /// Prepares a bundle; `previous` is the model in service, whose windows it takes over.
    ///
    /// - Throws: ``StateRefusal`` where the windows that are kept mean something else or cannot be
    ///   opened.
    init(
        _ bundle: LoadedModel,
        after previous: ServedModel?,
        counts: PredictionCounts,
        epoch: Int,
        limits: ServiceLimits,
        keeper: StateKeeper,
        decisions: DecisionLog?
    ) throws(StateRefusal) {
        let manifest = bundle.manifest
        name = manifest.model
        version = manifest.version.description
        digest = bundle.digest.hex
        self.bundle = bundle
        self.counts = counts
        drift = limits.drift.isOn == .on ? ModelDrift(bundle) : nil
        self.epoch = epoch
        self.decisions = decisions?.channel(for: LoggedModel(bundle))
        state = try Self.state(for: bundle.engine, after: previous, limits: limits, keeper)
        let mark = UInt64(digest.prefix(16), radix: 16) ?? 0
        alarms =
            state == nil ? nil : manifest.alarm.map { AlarmPolicy(rule: $0, model: mark) }
        format = ReadingFormat(schema: bundle.engine.transform.schema, limits: limits)
        trial = nil
        earlierAnswers = counts.total
        encoder = Self.encoder(of: bundle, windowsOf: bundle, tellsAlarms: alarms != nil)
        info = ModelInfo.opening(bundle)
    }

    /// The same model with another one beside it, or with none.
    init(_ other: ServedModel, trial: Trial?) {
        name = other.name
        version = other.version
        digest = other.digest
        bundle = other.bundle
        counts = other.counts
        drift = other.drift
        decisions = other.decisions
        epoch = other.epoch
        state = other.state
        alarms = other.alarms
        format = other.format
        encoder = other.encoder
        info = other.info
        self.trial = trial
        earlierAnswers = counts.total
    }

    /// Readings to which it gave a finite answer since it came, or the one beside it did.
    var answerCount: Int { counts.total - earlierAnswers }

    /// Which of the two models answers a machine.
    func answering(id: Span<UInt8>) -> ServedModel {
        guard let trial, trial.share?.contains(id) == true else { return self }
        return trial.model
    }

    /// What writes its answers where another model's windows are told.
    func makeEncoder(windowsOf other: ServedModel) -> PredictionEncoder {
        Self.encoder(of: bundle, windowsOf: other.bundle, tellsAlarms: alarms != nil)
    }

    private static func encoder(
        of bundle: LoadedModel,
        windowsOf other: LoadedModel,
        tellsAlarms: Bool
    ) -> PredictionEncoder {
        let transform = other.engine.transform
        return PredictionEncoder(
            sensors: transform.schema.sensors.map(\.name),
            windows: transform.windowHours.map { hours in
                (hours, hours * 3600 / transform.layout.paneSeconds)
            },
            horizonHours: bundle.manifest.horizonHours,
            modelVersion: bundle.manifest.version.description,
            tellsAlarms: tellsAlarms
        )
    }

    /// What `/openapi.json` answers on a listener, made once.
    func description(for listener: Listener) -> [UInt8] {
        descriptions.withLock { descriptions in
            if let known = descriptions[listener] { return known }
            let made = OpenAPIDocument(self, listener: listener).bytes
            descriptions[listener] = made
            return made
        }
    }

    /// What the network's last sum means; the offline evaluation does the same.
    func decision(ofLogit logit: Float) -> Decision {
        let probability = bundle.probability(ofLogit: logit)
        return Decision(
            probability: probability,
            prediction: bundle.isPositive(probability: probability) ? 1 : 0,
            riskLevel: bundle.riskLevel(probability: probability)
        )
    }

    /// What is noted about a machine with this risk.
    func mark(_ riskLevel: RiskLevel) -> MachineMark {
        let label =
            switch riskLevel {
            case .low: 1
            case .medium: 2
            case .high: 3
            }
        return MachineMark(label: label, epoch: epoch)
    }

    private static func state(
        for engine: FeatureEngine,
        after previous: ServedModel?,
        limits: ServiceLimits,
        _ keeper: StateKeeper
    ) throws(StateRefusal) -> StateStore? {
        let transform = engine.transform
        guard transform.schema.hasState else { return nil }
        if let previous, let state = previous.state {
            let before = previous.engine.transform
            let isEqual =
                before.layout == transform.layout
                && before.schema.sensors.map(\.name) == transform.schema.sensors.map(\.name)
            if isEqual { return state }
            let machines = state.counts().machines
            if machines > 0 { throw .otherLayout(machineCount: machines) }
        }
        do throws(StateFileError) {
            return try keeper.store(
                for: engine,
                limits: StateLimits(machinesMax: limits.machinesMax)
            )
        } catch {
            throw .file(error)
        }
    }
}

extension LoggedModel {
    /// What a decision log says of a bundle.
    fileprivate init(_ bundle: LoadedModel) {
        self.init(
            name: bundle.manifest.model,
            version: bundle.manifest.version.description,
            digest: bundle.digest.hex,
            transform: bundle.engine.transform,
            horizonHours: bundle.manifest.horizonHours,
            threshold: bundle.manifest.threshold,
            alarm: bundle.manifest.alarm
        )
    }
}

/// Why a bundle has no state to work with.
enum StateRefusal: Error, CustomStringConvertible {
    /// Its windows are laid out in another way than those that are kept.
    case otherLayout(machineCount: Int)
    /// Its state file cannot be opened.
    case file(StateFileError)

    var description: String {
        switch self {
        case .otherLayout(let machineCount):
            "its sensors, panes or ranges differ from those of the windows kept for"
                + " \(machineCount) machines; restart the server to serve it with its own"
        case .file(let error): "\(error)"
        }
    }
}
