// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// The constants of the simulated fleet: a rotating machine of about 11 kW with cooling and a
/// hydraulic circuit at 95 bar.
///
/// They are tuned for about 12 % of rows within 24 hours of a failure, and for damage that shows
/// in the gauges well before the end, under noise and load that are as large as its first signs.
enum FleetModel {
    /// Failures per hour of a part at severity 1.
    static let hazardAtSeverityOne = 0.05
    /// How steeply the hazard rises: by e for each 1 / steepness of severity.
    static let hazardSteepness = 9.0
    /// Where damage stops growing (the gauge saturates; hardly a part lives so long).
    static let severityMax = 1.6
    /// Hours that a repair after a failure takes.
    static let repairHours: ClosedRange<Double> = 24...60
    /// Hours that planned maintenance takes.
    static let maintenanceHours = 8.0
    /// Days between two planned maintenances of a machine.
    static let maintenanceDays = 18...30

    /// The gauges without load and damage.
    static let base = GaugeVector(46, 1.4, 98, 1390, 8, 0, 0, 0)
    /// Standard deviation of ``base`` between machines.
    static let baseDeviation = GaugeVector(1.5, 0.15, 0.9, 15, 0.5, 0, 0, 0)
    /// What full load adds.
    static let loadEffect = GaugeVector(30, 0.9, -4, -50, 18, 0, 0, 0)
    /// What a degree of ambient temperature adds.
    static let ambientEffect = GaugeVector(1, 0, 0.05, 0, 0, 0, 0, 0)
    /// Standard deviation of the noise of one reading.
    static let noise = GaugeVector(0.6, 0.1, 0.4, 4, 0.35, 0, 0, 0)
    /// Standard deviation of the slow wandering of a gauge.
    static let wander = GaugeVector(0.6, 0.06, 0.35, 3, 0.25, 0, 0, 0)
    /// Hours in which the wandering forgets.
    static let wanderHours = 6.0
    /// Decimals of each gauge in the file, as a power of ten.
    static let resolution = GaugeVector(100, 1000, 100, 10, 100, 1, 1, 1)
    /// No gauge reads below zero but the temperature.
    static let floor = GaugeVector(-50, 0, 0, 0, 0, 0, 0, 0)

    /// Load of a machine without noise, from 0 to about 1: more by day, less at weekends.
    ///
    /// It decides both wear and gauges.
    static func load(_ traits: MachineTraits, hours: Double) -> Double {
        let day = wave((hours - traits.shiftHours) / 24)
        let weekday = Int(hours / 24) % 7
        let weekend = weekday >= 5 ? traits.weekendLoad : 1
        return traits.load * (1 + traits.loadSwing * day) * weekend
    }

    /// Degrees that the ambient temperature differs from its mean.
    static func ambient(hours: Double) -> Double { 3 * wave((hours - 9) / 24) }

    /// A smooth wave of period 1 from -1 to 1, near the sine but plain arithmetic: the same bits
    /// everywhere.
    static func wave(_ phase: Double) -> Double {
        let x = phase - phase.rounded(.down)
        let triangle = x < 0.25 ? 4 * x : x < 0.75 ? 2 - 4 * x : 4 * x - 4
        return triangle * (1.5 - 0.5 * triangle * triangle)
    }
}

/// What sets one machine of the fleet apart from the others.
struct MachineTraits {
    /// Mean load.
    let load: Double
    /// Part of the load that comes and goes with the day.
    let loadSwing: Double
    /// Factor of the load at weekends.
    let weekendLoad: Double
    /// Hour of the day at which the load rises through its mean.
    let shiftHours: Double
    /// Factor of the speed of wear.
    let wearRate: Double
    /// Running hours before the record.
    let operatingHours: Double
    /// The machine's gauges without load and damage.
    let base: GaugeVector

    init(generator: inout SeededGenerator) {
        load = 0.72 + 0.12 * generator.uniform()
        loadSwing = 0.1 + 0.15 * generator.uniform()
        weekendLoad = 0.75 + 0.2 * generator.uniform()
        shiftHours = 5 + 3 * generator.uniform()
        operatingHours = (200 + 6000 * generator.uniform()).rounded()
        // Old machines wear faster, and no two are alike.
        let age = operatingHours / 6000 - 0.5
        wearRate = PortableMath.exp(0.2 * generator.normal() + 0.2 * age)
        var base = FleetModel.base
        for gauge in 0..<SensorFaults.gaugeCount {
            base[gauge] += FleetModel.baseDeviation[gauge] * generator.normal()
        }
        self.base = base
    }
}

extension SeededGenerator {
    /// A number from the exponential distribution of mean 1.
    mutating func exponential() -> Double { -PortableMath.log(1 - uniform()) }
}
