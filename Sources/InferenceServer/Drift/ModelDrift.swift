// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
internal import ModelRuntime

/// What comparing live readings with a bundle's reference needs of the model.
///
/// - Note: Thread-safe: immutable but for the sketches, which are thread-safe themselves.
final class ModelDrift: Sendable {
    /// What rows are counted into.
    let sketches: DriftSketches
    /// The features, then the score.
    let columns: [LiveColumn]
    /// The schema's sensors.
    let sensors: [Sensor]
    private let shape: SketchShape
    private let fleet: FleetCounts

    /// Nil where the bundle has no reference to compare with.
    init?(_ bundle: LoadedModel) {
        let transform = bundle.manifest.transform
        guard let fleet = bundle.fleet,
            fleet.ages.count == 1 || transform.ageFeature != nil
        else { return nil }
        let schema = transform.schema
        self.fleet = fleet
        sensors = schema.sensors
        let features = zip(transform.featureNames, transform.features).map { name, feature in
            LiveColumn(
                name: name,
                sensors: feature.sensors(in: schema),
                isMeasured: feature.isMeasured(in: schema)
            )
        }
        columns = features + [LiveColumn(name: "score", sensors: [], isMeasured: false)]
        let (count, borders) = (columns.count, SketchShape.binCount - 1)
        shape = SketchShape(
            columnCount: count,
            borders: (0..<count).flatMap { column in
                (0..<borders).map { fleet.borders[$0 * count + column] }
            },
            ageColumn: transform.ageFeature,
            ageBorders: Array(fleet.ages.dropFirst())
        )
        sketches = DriftSketches(shape)
    }

    /// The reference; made for each comparison, since it is larger than all else here.
    var reference: FleetReference {
        FleetReference(shape, machineCount: Double(fleet.machineCount), tensor: fleet.counts)
    }

    /// The borders between the bins of the score.
    var scoreBorders: [Float] {
        Array(shape.borders.suffix(SketchShape.binCount - 1))
    }

    /// What a window's counts say of each sensor.
    func quality(_ counts: ReadingCounts, rule: DriftRule) -> [SensorQuality] {
        let flagCount = counts.flags.count / max(sensors.count, 1)
        return sensors.enumerated().map { index, sensor in
            SensorQuality(
                sensor,
                flags: counts.flags[index * flagCount..<(index + 1) * flagCount],
                readings: counts.readings,
                rule: rule
            )
        }
    }
}
