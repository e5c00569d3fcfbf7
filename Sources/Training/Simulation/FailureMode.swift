// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// Values of the five gauges in the order of the file: temperature, vibration, pressure,
/// rotation speed, current; the other lanes are unused.
typealias GaugeVector = SIMD8<Double>

/// A way in which a machine of the simulated fleet wears out.
package enum FailureMode: Int, CaseIterable, Sendable {
    /// Bearing wear: vibration grows over days, then temperature.
    case bearing
    /// Loss of cooling: temperature climbs.
    case cooling
    /// A leaking seal: pressure falls.
    case seal
    /// Damage of the winding's insulation: current grows and speed sags, within little more
    /// than a day.
    case winding

    /// The name in reports.
    package var name: String {
        switch self {
        case .bearing: "bearing"
        case .cooling: "cooling"
        case .seal: "seal"
        case .winding: "winding"
        }
    }

    /// Mean hours at full load from renewal until damage begins to grow.
    var incubationHours: Double {
        switch self {
        case .bearing: 150
        case .cooling: 180
        case .seal: 165
        case .winding: 210
        }
    }

    /// Hours at full load from the begin of growth to severity 1, where failure is imminent.
    var growthHours: Double {
        switch self {
        case .bearing: 130
        case .cooling: 80
        case .seal: 100
        case .winding: 60
        }
    }

    /// What severity 1 adds to each gauge.
    var signature: GaugeVector {
        switch self {
        case .bearing: GaugeVector(7, 5.5, 0, -25, 2.5, 0, 0, 0)
        case .cooling: GaugeVector(30, 0.4, -3, 0, 2, 0, 0, 0)
        case .seal: GaugeVector(2, 0.8, -28, 20, -1.5, 0, 0, 0)
        case .winding: GaugeVector(10, 0.6, 0, -80, 10, 0, 0, 0)
        }
    }
}

/// How a mode's damage goes on in one machine: age, and what the next renewal drew.
struct WearState {
    /// Hours at full load since renewal.
    var age: Double
    /// Age at which growth begins.
    let incubation: Double
    /// Hours from there to severity 1.
    let growth: Double

    /// Draws a new part's life.
    init(_ mode: FailureMode, wearRate: Double, generator: inout SeededGenerator) {
        age = 0
        // A sum of two exponential times: parts differ widely in age at first damage, and few are
        // damaged from the start.
        let draw = generator.exponential() + generator.exponential()
        incubation = mode.incubationHours / 2 * draw / wearRate
        growth = mode.growthHours * PortableMath.exp(0.1 * generator.normal()) / wearRate
    }

    /// Damage: 0 until growth begins, 1 where failure is imminent.
    var severity: Double {
        let grown = (age - incubation) / growth
        guard grown > 0 else { return 0 }
        return min(grown * grown.squareRoot(), FleetModel.severityMax)
    }

    /// Failures per hour at this damage.
    var hazard: Double {
        let severity = severity
        guard severity > 0 else { return 0 }
        let steepness = FleetModel.hazardSteepness
        // Less its value at severity 0, so that a sound part does not fail.
        return FleetModel.hazardAtSeverityOne
            * (PortableMath.exp(steepness * (severity - 1)) - PortableMath.exp(-steepness))
    }
}
