// SPDX-License-Identifier: MIT

package import Features
package import Integrity

/// A verified bundle, ready to answer.
///
/// - Note: Immutable, so that every thread may use it; scratch belongs to the caller.
package final class LoadedModel: Sendable {
    /// What the model is.
    package let manifest: Manifest
    /// What turns readings into rows.
    package let engine: FeatureEngine
    /// What turns rows into logits.
    package let network: Network
    /// What explains its predictions; nil where the bundle has no background records.
    package let explainer: Explainer?
    /// What the training fleet's rows look like; nil in bundles of before.
    package let fleet: FleetCounts?
    /// The SHA-256 of the bundle's `SHA256SUMS`, hence of all of it.
    package let digest: Digest
    /// The bundle's directory.
    package let path: String

    init(
        manifest: Manifest,
        engine: FeatureEngine,
        network: Network,
        explainer: Explainer?,
        fleet: FleetCounts?,
        digest: Digest,
        path: String
    ) {
        self.manifest = manifest
        self.engine = engine
        self.network = network
        self.explainer = explainer
        self.fleet = fleet
        self.digest = digest
        self.path = path
    }

    /// The same model at the place that its directory was renamed to.
    func moved(to path: String) -> LoadedModel {
        LoadedModel(
            manifest: manifest,
            engine: engine,
            network: network,
            explainer: explainer,
            fleet: fleet,
            digest: digest,
            path: path
        )
    }

    /// The probability that a logit of the network means, offline and online.
    package func probability(ofLogit logit: Float) -> Double {
        manifest.calibration.probability(ofLogit: logit)
    }

    /// Whether a probability reaches the threshold.
    package func isPositive(probability: Double) -> Bool { probability >= manifest.threshold }

    /// How urgent a probability is; one that reaches the threshold is never low.
    package func riskLevel(probability: Double) -> RiskLevel {
        manifest.riskLevels.level(
            probability: probability,
            isPositive: isPositive(probability: probability)
        )
    }
}
