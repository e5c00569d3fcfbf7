// SPDX-License-Identifier: MIT

/// A feature spec fitted to training data: everything that turns readings into a network's input.
///
/// It is what training, the server and the bundle share. Its JSON form stands in a bundle's
/// manifest and in the `features.json` beside a feature file.
package struct FeatureTransform: Equatable, Sendable {
    /// A sensor's cleaning parameters, from the training rows' measured values.
    package struct Cleaning: Equatable, Sendable {
        /// What a value takes that is missing and was never measured before.
        package var imputed: Double
        /// The bounds to which a value is clipped, where clipping is on.
        package var clip: ClosedRange<Double>?

        /// Describes the parameters of one sensor.
        package init(imputed: Double, clip: ClosedRange<Double>?) {
            self.imputed = imputed
            self.clip = clip
        }
    }

    /// A column's scaling: `(x - center) / scale` in Double, then clipped, then rounded to Float.
    package struct Scaling: Equatable, Sendable {
        /// The training rows' median.
        package var center: Double
        /// Their interquartile range, 1 where that is 0 (scikit-learn's RobustScaler).
        package var scale: Double

        /// Describes the scaling of one column.
        package init(center: Double, scale: Double) {
            self.center = center
            self.scale = scale
        }
    }

    /// The schema of the readings.
    package var schema: Schema
    /// The panes that a machine's record keeps.
    package var layout: StateLayout
    /// The name of the spec that was fitted.
    package var specName: String
    /// Whether a missing value takes the machine's last measured one.
    package var forwardFill: Bool
    /// Cleaning parameters, one per sensor.
    package var cleaning: [Cleaning]
    /// The columns, constant ones dropped.
    package var features: [Feature]
    /// The scaling of each column.
    package var scaling: [Scaling]
    /// Scaled values are clipped to plus or minus this; nil for no limit.
    package var scaledClip: Double?

    /// Puts the fitted parts together; ``validate()`` says whether they fit.
    package init(
        schema: Schema,
        layout: StateLayout,
        specName: String,
        forwardFill: Bool,
        cleaning: [Cleaning],
        features: [Feature],
        scaling: [Scaling],
        scaledClip: Double?
    ) {
        self.schema = schema
        self.layout = layout
        self.specName = specName
        self.forwardFill = forwardFill
        self.cleaning = cleaning
        self.features = features
        self.scaling = scaling
        self.scaledClip = scaledClip
    }

    /// The columns' names in order.
    package var featureNames: [String] { features.map { $0.name(in: schema) } }

    /// The hours of the windows that the features use, ascending.
    package var windowHours: [Int] {
        Set(features.compactMap(\.windowHours)).sorted()
    }

    /// Checks that the parts belong together and that every number is finite.
    ///
    /// - Throws: ``SpecError`` naming the first part that does not fit.
    package func validate() throws(SpecError) {
        try schema.validate()
        guard !features.isEmpty, features.count <= SpecLimits.featuresMax else {
            throw .count(what: "features", count: features.count, limit: SpecLimits.featuresMax)
        }
        guard cleaning.count == schema.sensors.count else {
            throw .invalid(what: "cleaning", why: "not one entry per sensor")
        }
        guard scaling.count == features.count else {
            throw .invalid(what: "scaler", why: "not one entry per feature")
        }
        for (index, sensor) in schema.sensors.enumerated() {
            let clip = cleaning[index].clip
            guard cleaning[index].imputed.isFinite, clip?.lowerBound.isFinite ?? true,
                clip?.upperBound.isFinite ?? true
            else { throw .invalid(what: sensor.name, why: "its cleaning is not finite") }
        }
        for (index, part) in scaling.enumerated() {
            guard part.center.isFinite, part.scale.isFinite, part.scale > 0 else {
                throw .invalid(
                    what: features[index].name(in: schema),
                    why: "its scaling is not finite"
                )
            }
        }
        for case .power(_, let exponent) in features
        where !SpecLimits.exponents.contains(exponent) {
            throw .invalid(what: "exponent \(exponent)", why: "it is not known")
        }
        if let scaledClip, !scaledClip.isFinite || scaledClip <= 0 {
            throw .invalid(what: "scaled clip", why: "it is not a positive number")
        }
        try layout.validate(for: self)
    }
}
