// SPDX-License-Identifier: MIT

package import Features

/// Fits a feature spec to training rows: layout, constant columns and scaling.
package enum TransformFitter {
    /// The transform of a spec, fitted on the rows that are not context.
    ///
    /// Columns that are constant over them are dropped. Scaling is scikit-learn's RobustScaler:
    /// median and interquartile range (linear interpolation), 1 where the range is 0.
    ///
    /// - Throws: ``TrainingError/spec(path:_:)`` where the spec does not fit the schema, and
    ///   ``TrainingError/unusable(_:)`` where no column is left.
    package static func fit(
        _ spec: FeatureSpec,
        specPath: String,
        parameters: CleaningParameters,
        table: ReadingTable
    ) throws(TrainingError) -> FeatureTransform {
        do throws(SpecError) {
            var transform = try unscaled(spec, parameters, table)
            if parameters.layout != nil { try checkInherited(transform) }
            let columns = columns(of: table, engine: try FeatureEngine(transform))
            let kept = columns.indices.filter { column in
                columns[column].contains { $0 != columns[column][0] }
            }
            guard !kept.isEmpty else {
                throw SpecError.invalid(what: spec.name, why: "every feature is constant")
            }
            let features = transform.features
            transform.features = kept.map { features[$0] }
            transform.scaling = kept.map { scaling(of: columns[$0]) }
            return transform
        } catch {
            throw .spec(path: specPath, error)
        }
    }

    private static func unscaled(
        _ spec: FeatureSpec,
        _ parameters: CleaningParameters,
        _ table: ReadingTable
    ) throws(SpecError) -> FeatureTransform {
        let features = try spec.resolved(for: parameters.schema)
        let gauges = try spec.regimeGauges(in: parameters.schema)
        let layout =
            parameters.layout
            ?? StateLayout(
                features: features,
                paneSeconds: spec.paneSeconds,
                ranges: parameters.sensors.map(\.range),
                regimes: spec.regimes.map { RegimeFitter($0, gauges).fit(table) }
            )
        guard layout.regimes?.gauges.map(\.sensor) ?? [] == gauges else {
            throw .invalid(
                what: "the layout of the model that serves",
                why: "it standardises other gauges; pdm preprocess --new-layout makes another"
            )
        }
        return FeatureTransform(
            schema: parameters.schema,
            layout: layout,
            specName: spec.name,
            forwardFill: parameters.forwardFill,
            cleaning: parameters.cleaning(in: layout.regimes),
            features: features,
            scaling: features.map { _ in FeatureTransform.Scaling(center: 0, scale: 1) },
            scaledClip: spec.scaledClip
        )
    }

    /// A model that serves keeps its layout, and with it the machines' windows, unless told.
    private static func checkInherited(_ transform: FeatureTransform) throws(SpecError) {
        do throws(SpecError) {
            try transform.layout.validate(for: transform)
        } catch {
            throw .invalid(
                what: "the layout of the model that serves",
                why: "\(error); pdm preprocess --new-layout makes another, with empty windows"
            )
        }
    }

    private static func columns(of table: ReadingTable, engine: FeatureEngine) -> [[Double]] {
        let count = engine.transform.features.count
        let replay = FeatureReplay(engine: engine, table: table)
        let rows = replay.unscaledRows()
        return (0..<count).map { column in
            stride(from: column, to: rows.count, by: count).map { rows[$0] }
        }
    }

    /// Median and interquartile range of a column, 1 where that is 0 or may come of rounding, as
    /// scikit-learn's RobustScaler has it.
    package static func scaling(of column: [Double]) -> FeatureTransform.Scaling {
        let quartiles = Quartiles(of: column)
        let spread = quartiles.upper - quartiles.lower
        return FeatureTransform.Scaling(
            center: quartiles.median,
            scale: spread < 10 * .ulpOfOne ? 1 : spread
        )
    }

    /// The quantile `q` (0 to 1) of ascending values by linear interpolation, numpy's default.
    package static func quantile(_ q: Double, ofSorted values: [Double]) -> Double {
        let place = q * Double(values.count - 1)
        let below = Int(place)
        let above = min(below + 1, values.count - 1)
        return values[below] + (values[above] - values[below]) * (place - Double(below))
    }
}

extension FeatureTransform {
    /// Whether the transform was fitted with these parameters, not with those of another split.
    package func isFitted(with parameters: CleaningParameters) -> Bool {
        schema == parameters.schema && forwardFill == parameters.forwardFill
            && cleaning == parameters.cleaning(in: layout.regimes)
            && parameters.layout ?? layout == layout
            && layout.gauges.allSatisfy { $0.range == parameters.sensors[$0.sensor].range }
    }
}
