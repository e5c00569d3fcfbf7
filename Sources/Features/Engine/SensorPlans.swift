// SPDX-License-Identifier: MIT

/// What the engine needs of the sensors' schema and cleaning, side by side by sensor.
struct SensorPlans: Sendable {
    /// No name of a category has this index.
    private static let noCategory = -1.0

    /// Equal readings in a row that count as stuck.
    let stuckAfter: KernelTable<UInt32>
    /// The least that counts as measured, then the most; of standardised gauges their limits.
    let accepted: KernelTable<Double>
    /// Likewise of every sensor as it is measured.
    let measurable: [ClosedRange<Double>]
    /// What stands in for a missing value, then the bounds to which values are clipped.
    let cleaning: KernelTable<Double>
    /// Whether a missing value takes the last measured one.
    let forwardFill: Bool
    /// The number of sensors.
    var count: Int { stuckAfter.count }

    init(_ transform: FeatureTransform) {
        let finite = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
        let sensors = transform.schema.sensors
        let measurable = sensors.indices.map { index in
            if sensors[index].kind == .category {
                return 0...Double(max(sensors[index].categories.count - 1, 0))
            }
            // The physical range and, for a gauge with panes, theirs.
            let physical = sensors[index].range ?? finite
            let panes = transform.layout.gauges.first { $0.sensor == index }?.range
            return physical.clamped(to: panes ?? physical)
        }
        var accepted = measurable
        for gauge in transform.layout.regimes?.gauges ?? [] {
            accepted[gauge.sensor] = Regimes.limits
        }
        let isCategory = sensors.map { $0.kind == .category }
        let imputed = zip(isCategory, transform.cleaning).map { $0 ? Self.noCategory : $1.imputed }
        let clip = zip(isCategory, transform.cleaning).map { $0 ? finite : $1.clip ?? finite }
        stuckAfter = KernelTable(sensors.map { UInt32(clamping: $0.stuckAfter ?? .max) })
        self.measurable = measurable
        self.accepted = KernelTable(accepted.map(\.lowerBound) + accepted.map(\.upperBound))
        cleaning = KernelTable(imputed + clip.map(\.lowerBound) + clip.map(\.upperBound))
        forwardFill = transform.forwardFill
    }
}
