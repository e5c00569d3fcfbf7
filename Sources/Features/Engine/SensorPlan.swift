// SPDX-License-Identifier: MIT

/// What the engine needs of one sensor's schema and cleaning, side by side.
struct SensorPlan: Sendable {
    /// No name of a category has this index.
    private static let noCategory = -1.0

    /// Equal readings in a row that count as stuck.
    let stuckAfter: Int
    private let accepted: ClosedRange<Double>
    private let imputed: Double
    private let clip: ClosedRange<Double>

    init(sensor index: Int, _ transform: FeatureTransform) {
        let sensor = transform.schema.sensors[index]
        let finite = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        stuckAfter = sensor.stuckAfter ?? .max
        if sensor.kind == .category {
            accepted = 0...Double(max(sensor.categories.count - 1, 0))
            imputed = Self.noCategory
            clip = finite
            return
        }
        let physical = sensor.range ?? finite
        let panes = transform.layout.gauges.first { $0.sensor == index }?.range
        accepted = physical.clamped(to: panes ?? physical)
        imputed = transform.cleaning[index].imputed
        clip = transform.cleaning[index].clip ?? finite
    }

    /// Whether a value lies in the physical range and, for a gauge with panes, in theirs.
    func accepts(_ value: Double) -> Bool { accepted.contains(value) }

    /// The last two stages of cleaning, after the forward fill.
    func imputedAndClipped(_ value: Double) -> Double {
        let known = value.isNaN ? imputed : value
        return min(max(known, clip.lowerBound), clip.upperBound)
    }
}
