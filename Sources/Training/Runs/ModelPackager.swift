// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
package import JSON
package import ModelRuntime

/// Makes a bundle of a trained network.
package struct ModelPackager: Sendable {
    private static let sampleRows = 1024
    private static let quantileLevels = 101

    /// The model's name, also that of its folder.
    package var model: String
    /// The bundle's version.
    package var version: BundleVersion
    /// The SHA-256 of the training file, in hexadecimal digits.
    package var trainingDigest: String
    /// What trained the network.
    package var framework = "pdm"
    /// When predictions become an alarm.
    package var alarm = AlarmChoice()

    /// Describes a bundle.
    package init(model: String, version: BundleVersion, trainingDigest: String) {
        self.model = model
        self.version = version
        self.trainingDigest = trainingDigest
    }

    /// Writes the bundle below `directory`.
    ///
    /// - Returns: The bundle as a server loads it.
    /// - Throws: ``TrainingError``.
    package func write(
        _ outcome: TrainingRun.Outcome,
        fitted: FittedFeatures,
        train: FeatureMatrix,
        evaluation: JSONObject,
        to directory: String
    ) throws(TrainingError) -> LoadedModel {
        let network = try TrainingRun.network(outcome.members)
        let engine: FeatureEngine
        do throws(SpecError) {
            engine = try FeatureEngine(fitted.transform)
        } catch {
            throw .spec(path: FittedFeatures.fileName, error)
        }
        let contents = BundleContents(
            manifest: try manifest(outcome, fitted, train, evaluation),
            members: outcome.members.map(\.tensors),
            reference: reference(train, Self.fleet(train, network, fitted.transform)),
            golden: fitted.golden.map { sample in
                GoldenCase(
                    history: sample.history,
                    reading: sample.reading,
                    engine: engine,
                    network: network,
                    calibration: outcome.calibrator
                )
            },
            background: fitted.background,
            evaluation: evaluation
        )
        do throws(BundleError) {
            return try BundleWriter.write(contents, to: directory)
        } catch {
            throw .unusable("\(directory): \(error)")
        }
    }

    private func manifest(
        _ outcome: TrainingRun.Outcome,
        _ fitted: FittedFeatures,
        _ train: FeatureMatrix,
        _ evaluation: JSONObject
    ) throws(TrainingError) -> Manifest {
        var summary = JSONObject()
        for key in [
            "roc_auc", "pr_auc", "accuracy", "brier_skill", "expected_calibration_error", "rows",
            "failure_rate", "protocol", "threshold_rule",
        ] { summary[key] = evaluation[key] }
        return Manifest(
            model: model,
            version: version,
            createdMicroseconds: version.microseconds,
            framework: framework,
            transform: fitted.transform,
            layers: outcome.members[0].layers,
            memberCount: outcome.members.count,
            calibration: outcome.calibrator,
            horizonHours: fitted.transform.schema.horizonHours,
            threshold: outcome.threshold,
            riskLevels: RiskLevels(threshold: outcome.threshold),
            alarm: try alarm.rule(
                threshold: outcome.threshold,
                riskLevels: RiskLevels(threshold: outcome.threshold)
            ),
            trainingData: Manifest.TrainingData(
                sha256: trainingDigest,
                rowCount: train.rowCount
            ),
            evaluation: summary
        )
    }

    /// A sample of evenly spaced rows, each feature sorted, and the features' percentiles.
    private func reference(_ train: FeatureMatrix, _ fleet: FleetCounts) -> ReferenceData {
        let width = train.names.count
        let count = min(Self.sampleRows, train.rowCount)
        var sample = [Float](repeating: 0, count: count * width)
        var quantiles = [Float](repeating: 0, count: Self.quantileLevels * width)
        for feature in 0..<width {
            let column = (0..<train.rowCount).map { Double(train.values[$0 * width + feature]) }
            let rows = (0..<count).map { column[$0 * train.rowCount / count] }
            for (place, value) in RadixSort.sorted(rows).enumerated() {
                sample[place * width + feature] = Float(value)
            }
            let sorted = RadixSort.sorted(column)
            for level in 0..<Self.quantileLevels {
                let q = Double(level) / Double(Self.quantileLevels - 1)
                quantiles[level * width + feature] = Float(
                    TransformFitter.quantile(q, ofSorted: sorted)
                )
            }
        }
        return ReferenceData(
            featureCount: width,
            sample: sample,
            quantiles: quantiles,
            fleet: fleet
        )
    }
}
