// SPDX-License-Identifier: MIT

extension Regimes {
    /// Puts the standardised gauges in the place of the measured ones, which are noted beside them.
    ///
    /// Without a setting there is no regime, and the gauges are missing. What is out of range is
    /// missing too, and noted as such.
    func standardise(_ scratch: inout FeatureScratch, _ sensors: SensorPlans) {
        for sensor in scratch.values.indices {
            let value = scratch.values[sensor]
            let isMeasured = sensors.measurable[sensor].contains(value)
            scratch.measuredFlags[sensor] =
                isMeasured ? [] : value.isNaN ? .missing : .outOfRange
            if !isMeasured { scratch.values[sensor] = .nan }
        }
        scratch.regime = regime(of: scratch.values.span)
        for index in gauges.indices {
            let sensor = gauges[index].sensor
            let value = scratch.values[sensor]
            scratch.measured[index] = value
            scratch.values[sensor] =
                scratch.regime.map { standardised(value, gauge: index, regime: $0) } ?? .nan
        }
    }

    /// Writes the gauges' cleaned values in their own units from `start` on.
    ///
    /// A value that was not measured, or that was clipped, is what its standardised form stands for
    /// in the reading's regime, or in the first where it has none.
    func fillMeasured(_ scratch: inout FeatureScratch, from start: Int) {
        for index in gauges.indices {
            let sensor = gauges[index].sensor
            let isAsMeasured = scratch.inputs[sensor] == scratch.values[sensor]
            scratch.inputs[start + index] =
                isAsMeasured
                ? scratch.measured[index]
                : measured(scratch.inputs[sensor], gauge: index, regime: scratch.regime ?? 0)
        }
    }
}

extension FeatureScratch {
    /// Makes the flags those of the reading as it was measured, and stuck those that are.
    mutating func flagAsMeasured() {
        for sensor in flags.indices {
            flags[sensor] = measuredFlags[sensor].union(flags[sensor].intersection(.stuck))
        }
    }
}
