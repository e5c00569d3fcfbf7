// SPDX-License-Identifier: MIT

package import Features
package import JSON

/// What a bundle's model is: `manifest.json`, format 1.
///
/// The number goes up when a reader of the old format would misread the new one. Keys that may be
/// ignored can be added at any time; those that may not are named in `requires`.
package struct Manifest: Equatable, Sendable {
    /// What the model was trained on.
    package struct TrainingData: Equatable, Sendable {
        /// The SHA-256 of the training file in hexadecimal digits.
        package var sha256: String
        /// The number of training rows.
        package var rowCount: Int

        /// Describes the data.
        package init(sha256: String, rowCount: Int) {
            self.sha256 = sha256
            self.rowCount = rowCount
        }
    }

    /// The number that the manifest carries as `format`.
    package static let format = 1
    /// The longest model name and framework in bytes: they become labels and folder names.
    package static let nameBytesMax = 64

    /// Keys of the manifest that a reader must understand, beside those that its content implies.
    package var requires: [String]
    /// The model's name, also that of its folder.
    package var model: String
    /// The bundle's name.
    package var version: BundleVersion
    /// When it was made, microseconds since the epoch.
    package var createdMicroseconds: Int64
    /// What trained it.
    package var framework: String
    /// What turns readings into the network's input.
    package var transform: FeatureTransform
    /// The network's layers in order.
    package var layers: [Layer]
    /// How many networks of these layers answer together.
    package var memberCount: Int
    /// What turns the logit into a probability.
    package var calibration: Calibrator
    /// How far ahead a prediction looks, in hours; nil where it does not look ahead.
    package var horizonHours: Double?
    /// The least probability that is a positive prediction.
    package var threshold: Double
    /// The borders of the risk levels.
    package var riskLevels: RiskLevels
    /// When predictions become an alarm; nil where the model raises none.
    package var alarm: AlarmRule?
    /// What the model was trained on.
    package var trainingData: TrainingData
    /// A summary of the evaluation, shown as it is.
    package var evaluation: JSONObject

    /// Describes a model; ``validate()`` says whether the parts fit.
    package init(
        requires: [String] = [],
        model: String,
        version: BundleVersion,
        createdMicroseconds: Int64,
        framework: String,
        transform: FeatureTransform,
        layers: [Layer],
        memberCount: Int = 1,
        calibration: Calibrator = .identity,
        horizonHours: Double?,
        threshold: Double = 0.5,
        riskLevels: RiskLevels = RiskLevels(),
        alarm: AlarmRule? = nil,
        trainingData: TrainingData,
        evaluation: JSONObject
    ) {
        self.requires = requires.filter { !Self.impliedKeys.contains($0) }
        self.model = model
        self.version = version
        self.createdMicroseconds = createdMicroseconds
        self.framework = framework
        self.transform = transform
        self.layers = layers
        self.memberCount = memberCount
        self.calibration = calibration
        self.horizonHours = horizonHours
        self.threshold = threshold
        self.riskLevels = riskLevels
        self.alarm = alarm
        self.trainingData = trainingData
        self.evaluation = evaluation
    }

    /// Checks what the parts cannot check alone, but for the layers, which the network checks.
    ///
    /// - Throws: ``BundleError`` naming the first part that does not fit.
    package func validate() throws(BundleError) {
        guard Self.isModelName(model) else {
            throw .manifest(
                what: "model",
                why: "a name has 1 to \(Self.nameBytesMax) letters, digits, '_', '-' and '.'"
            )
        }
        guard !framework.isEmpty, framework.utf8.count <= Self.nameBytesMax else {
            throw .manifest(what: "framework", why: "1 to \(Self.nameBytesMax) bytes are possible")
        }
        guard threshold > 0, threshold < 1 else {
            throw .manifest(what: "threshold", why: "it must lie between 0 and 1")
        }
        guard riskLevels.medium > 0, riskLevels.medium < riskLevels.high, riskLevels.high <= 1
        else { throw .manifest(what: "risk_levels", why: "0 < medium < high <= 1 must hold") }
        guard (1...Network.memberCountMax).contains(memberCount) else {
            throw .manifest(what: "members", why: "1 to \(Network.memberCountMax) are possible")
        }
        if let fault = calibration.fault { throw .manifest(what: "calibration", why: fault) }
        if let fault = SpecLimits.fault(ofHorizonHours: horizonHours) {
            throw .manifest(what: "horizon_hours", why: fault)
        }
        guard trainingData.rowCount >= 0 else {
            throw .manifest(what: "training_data", why: "a count of rows is never negative")
        }
        do throws(SpecError) { try transform.validate() } catch { throw .transform(error) }
        let features = transform.features.count
        guard let first = layers.first, first.inputs == features else {
            throw .manifest(
                what: "layers",
                why: "the first takes \(layers.first?.inputs ?? 0) inputs of \(features) features"
            )
        }
    }

    /// Whether a model may have this name: it becomes a folder and a label.
    package static func isModelName(_ name: String) -> Bool {
        guard (1...nameBytesMax).contains(name.utf8.count), !name.hasPrefix(".") else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
    }
}
