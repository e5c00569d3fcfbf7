// SPDX-License-Identifier: MIT

/// What goes wrong between a gauge and the file: lost values, stuck values, nonsense values.
struct SensorFaults {
    /// Number of gauges.
    static let gaugeCount = 5

    /// Chance per hour that a gauge falls silent for some hours.
    private static let outagesPerHour = 0.0004
    /// Chance per reading that a single value is lost.
    private static let lossPerReading = 0.002
    /// Chance per hour that a gauge sticks to its last value for some hours.
    private static let sticksPerHour = 0.0002
    /// Chance per reading of a value that no such machine can have.
    private static let glitchPerReading = 0.0001

    private let stepHours: Double
    private var silentSteps = [Int](repeating: 0, count: gaugeCount)
    private var stuckSteps = [Int](repeating: 0, count: gaugeCount)
    private var last = GaugeVector(repeating: .nan)

    /// Values lost so far.
    private(set) var dropoutCount = 0
    /// Stuck values so far.
    private(set) var stuckCount = 0
    /// Nonsense values so far.
    private(set) var glitchCount = 0

    init(stepHours: Double) { self.stepHours = stepHours }

    /// Forgets faults that last: a machine that starts again has had its gauges looked at.
    mutating func clear() {
        for gauge in 0..<Self.gaugeCount {
            silentSteps[gauge] = 0
            stuckSteps[gauge] = 0
        }
        last = GaugeVector(repeating: .nan)
    }

    /// Turns what the gauges measured into what the file says; NaN is a lost value.
    mutating func apply(to values: GaugeVector, generator: inout SeededGenerator) -> GaugeVector {
        var result = values
        for gauge in 0..<Self.gaugeCount {
            startFaults(of: gauge, generator: &generator)
            let draw = generator.uniform()
            if silentSteps[gauge] > 0 {
                silentSteps[gauge] -= 1
                result[gauge] = .nan
                dropoutCount += 1
            } else if draw < Self.lossPerReading {
                result[gauge] = .nan
                dropoutCount += 1
            } else if draw > 1 - Self.glitchPerReading {
                result[gauge] = draw > 1 - Self.glitchPerReading / 2 ? -999 : 9999
                glitchCount += 1
            } else if stuckSteps[gauge] > 0, !last[gauge].isNaN {
                result[gauge] = last[gauge]
                stuckCount += 1
            } else {
                last[gauge] = values[gauge]
            }
            if stuckSteps[gauge] > 0 { stuckSteps[gauge] -= 1 }
        }
        return result
    }

    private mutating func startFaults(of gauge: Int, generator: inout SeededGenerator) {
        let draw = generator.uniform()
        if draw < Self.outagesPerHour * stepHours {
            silentSteps[gauge] = duration(1...12, generator: &generator)
        } else if draw > 1 - Self.sticksPerHour * stepHours {
            stuckSteps[gauge] = duration(6...36, generator: &generator)
        }
    }

    private func duration(
        _ hours: ClosedRange<Double>,
        generator: inout SeededGenerator
    ) -> Int {
        let length =
            hours.lowerBound + (hours.upperBound - hours.lowerBound) * generator.uniform()
        return max(1, Int((length / stepHours).rounded()))
    }
}
