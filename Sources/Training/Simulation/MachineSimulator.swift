// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// One reading of a simulated machine, with what only the simulator knows.
package struct SimulatedReading: Equatable, Sendable {
    /// Microseconds since the epoch.
    package let timestamp: Int64
    /// Number of the machine, from 0.
    package let machine: Int
    /// Temperature, vibration, pressure, rotation speed, current; NaN where lost.
    package let gauges: [5 of Double]
    /// Running hours.
    package let operatingHours: Double
    /// Whether the machine fails within the next 24 hours.
    package let isFailing: Bool
    /// The true probability of that, given wear, its speed and the load to come.
    package let failureProbability: Double
}

extension SimulatedReading {
    package static func == (left: Self, right: Self) -> Bool {
        left.timestamp == right.timestamp && left.machine == right.machine
            && (0..<5).allSatisfy { left.gauges[$0].bitPattern == right.gauges[$0].bitPattern }
            && left.operatingHours == right.operatingHours && left.isFailing == right.isFailing
            && left.failureProbability == right.failureProbability
    }
}

/// Simulates one machine over the whole record, run by run.
///
/// A run lasts from a start to a failure, a planned maintenance or the end of the record. Its wear
/// is laid out first, 24 hours past its end: the integral of the hazard gives both the moment of
/// failure (where it passes an exponential draw) and each reading's true probability,
/// 1 - exp(-(H(t + 24 h) - H(t))). Then the gauges are read.
///
/// A reading is left out when maintenance is planned, or the record ends, within its next 24 hours:
/// whatever happens before, since leaving out only the undecided ones would favour failures.
struct MachineSimulator {
    private let configuration: SimulationConfiguration
    private let machine: Int
    private var generator: SeededGenerator
    private let traits: MachineTraits
    private var wear: [WearState] = []
    private var wander = GaugeVector(repeating: 0)
    private var loadNoise = 0.0
    private var operatingHours: Double
    private let maintenanceSteps: [Int]

    /// Faults of the gauges, and how many so far.
    private(set) var faults: SensorFaults
    /// When the machine failed so far, microseconds since the epoch, and how.
    private(set) var events: [(timestamp: Int64, mode: FailureMode)] = []
    /// Failures so far, by mode.
    private(set) var failures = [Int](repeating: 0, count: FailureMode.allCases.count)
    /// Planned maintenances so far.
    private(set) var maintenanceCount = 0

    init(_ configuration: SimulationConfiguration, machine: Int) {
        self.configuration = configuration
        self.machine = machine
        generator = SeededGenerator(seed: configuration.seed, stream: UInt64(machine))
        traits = MachineTraits(generator: &generator)
        operatingHours = traits.operatingHours
        faults = SensorFaults(stepHours: configuration.stepHours)
        var steps: [Int] = []
        let days = FleetModel.maintenanceDays
        let period = days.lowerBound + generator.uniform(below: days.count)
        var day = 1 + generator.uniform(below: period)
        while day < configuration.days {
            steps.append(day * configuration.stepsPerDay + configuration.stepsPerDay / 4)
            day += period
        }
        maintenanceSteps = steps
        renew(FailureMode.allCases)
        // The record opens in the middle of the parts' lives.
        for index in wear.indices { wear[index].age = wear[index].incubation * generator.uniform() }
    }

    /// Simulates the record and hands out every labelled reading in time order.
    mutating func run<Failure: Error>(
        _ body: (SimulatedReading) throws(Failure) -> Void
    ) throws(Failure) {
        var step = 0
        while step < configuration.stepCount {
            let planned = maintenanceSteps.first { $0 > step } ?? configuration.stepCount
            let course = layOut(from: step, to: min(planned, configuration.stepCount))
            try read(course, from: step, until: min(planned, configuration.stepCount), body)
            for index in wear.indices { wear[index].age = course.ages[index] }
            step = restart(after: course, from: step, planned: planned)
            faults.clear()
        }
    }

    /// Books the end of a run and finds the step at which the machine runs again.
    private mutating func restart(after course: RunCourse, from step: Int, planned: Int) -> Int {
        let stepHours = configuration.stepHours
        let maintenanceEnd = planned + Int((FleetModel.maintenanceHours / stepHours).rounded(.up))
        guard let failure = course.failure else {
            if planned < configuration.stepCount {
                maintenanceCount += 1
                renew(FailureMode.allCases)
            }
            return maintenanceEnd
        }
        failures[failure.mode.rawValue] += 1
        let minutes = (Double(step) + failure.steps) * Double(configuration.intervalMinutes)
        let time = configuration.startMicroseconds + Int64((minutes * 60_000_000).rounded())
        events.append((time, failure.mode))
        renew([failure.mode])
        let range = FleetModel.repairHours
        let hours =
            range.lowerBound + (range.upperBound - range.lowerBound) * generator.uniform()
        let restart = step + Int((failure.steps + hours / stepHours).rounded(.up))
        // Maintenance that falls into the repair is done along with it.
        guard restart > planned, planned < configuration.stepCount else { return restart }
        maintenanceCount += 1
        renew(FailureMode.allCases)
        return max(restart, maintenanceEnd)
    }

    private mutating func renew(_ modes: [FailureMode]) {
        for mode in modes {
            let state = WearState(mode, wearRate: traits.wearRate, generator: &generator)
            if mode.rawValue < wear.count {
                wear[mode.rawValue] = state
            } else {
                wear.append(state)
            }
        }
    }
}

/// The wear of one run, laid out in advance.
private struct RunCourse {
    /// When a run fails, in steps from its start, and how.
    struct Failure {
        let steps: Double
        let mode: FailureMode
    }

    /// Sum of the modes' signatures, each times its severity, at each step.
    var damage: [GaugeVector] = []
    /// Load without noise at each step.
    var loads: [Double] = []
    /// Integral of the hazard from the start of the run to each step.
    var hazard: [Double] = [0]
    var failure: Failure?
    /// The modes' ages at the run's end.
    var ages: [Double] = []
}

extension MachineSimulator {
    private mutating func layOut(from start: Int, to end: Int) -> RunCourse {
        var course = RunCourse()
        var states = wear
        let threshold = generator.exponential()
        let choice = generator.uniform()
        var total = 0.0
        var stepsAfterFailure = 0
        var index = 0
        while start + index < end || course.failure != nil {
            let hours = Double(start + index) * configuration.stepHours
            let load = FleetModel.load(traits, hours: hours)
            var damage = GaugeVector(repeating: 0)
            var hazards: [4 of Double] = [0, 0, 0, 0]
            var hazard = 0.0
            // Wear goes with the square of the load; the hazard holds over the step.
            let ageing = load * load * configuration.stepHours
            for mode in FailureMode.allCases {
                let state = states[mode.rawValue]
                damage += state.severity * mode.signature
                hazards[mode.rawValue] = state.hazard
                hazard += state.hazard
                states[mode.rawValue].age += ageing
            }
            let before = total
            total += hazard * configuration.stepHours
            course.hazard.append(total)
            course.loads.append(load)
            course.damage.append(damage)
            index += 1
            if course.failure != nil {
                stepsAfterFailure += 1
                if stepsAfterFailure >= configuration.stepsPerDay { break }
            } else {
                course.ages = states.map(\.age)
                guard total >= threshold else { continue }
                let part = (threshold - before) / (total - before)
                course.failure = RunCourse.Failure(
                    steps: Double(index - 1) + part,
                    mode: Self.mode(hazards, of: choice * hazard)
                )
            }
        }
        return course
    }

    /// The mode in whose share of the hazard a number falls.
    private static func mode(_ hazards: [4 of Double], of share: Double) -> FailureMode {
        var rest = share
        for mode in FailureMode.allCases {
            rest -= hazards[mode.rawValue]
            if rest < 0 { return mode }
        }
        return .winding
    }

    private mutating func read<Failure: Error>(
        _ course: RunCourse,
        from start: Int,
        until end: Int,
        _ body: (SimulatedReading) throws(Failure) -> Void
    ) throws(Failure) {
        let day = configuration.stepsPerDay
        let failureSteps = course.failure?.steps ?? .infinity
        var index = 0
        while start + index < end, Double(index) < failureSteps {
            let gauges = measure(course, index: index, step: start + index)
            operatingHours += configuration.stepHours
            defer { index += 1 }
            guard start + index + day <= end else { continue }
            let expected = course.hazard[index + day] - course.hazard[index]
            let micros = Int64(start + index) * Int64(configuration.intervalMinutes) * 60_000_000
            try body(
                SimulatedReading(
                    timestamp: configuration.startMicroseconds + micros,
                    machine: machine,
                    gauges: gauges,
                    operatingHours: operatingHours,
                    isFailing: failureSteps <= Double(index + day),
                    failureProbability: 1 - PortableMath.exp(-expected)
                )
            )
        }
    }

    /// What the file says of the gauges at a step of the run.
    private mutating func measure(
        _ course: RunCourse,
        index: Int,
        step: Int
    ) -> [5 of Double] {
        let hours = Double(step) * configuration.stepHours
        let memory = PortableMath.exp(-configuration.stepHours / FleetModel.wanderHours)
        let fresh = (1 - memory * memory).squareRoot()
        loadNoise = memory * loadNoise + fresh * 0.04 * generator.normal()
        var noise = GaugeVector(repeating: 0)
        var drift = GaugeVector(repeating: 0)
        for gauge in 0..<SensorFaults.gaugeCount {
            noise[gauge] = generator.normal()
            drift[gauge] = generator.normal()
        }
        wander = memory * wander + fresh * FleetModel.wander * drift
        let load = course.loads[index] + loadNoise
        var values = traits.base + load * FleetModel.loadEffect + course.damage[index]
        values += FleetModel.ambient(hours: hours) * FleetModel.ambientEffect
        // A shaken gauge is a noisy one: vibration scatters with its level.
        var scatter = FleetModel.noise
        scatter[1] *= 0.5 + values[1] * 0.2
        values += wander + scatter * noise
        values.replace(with: FleetModel.floor, where: values .< FleetModel.floor)
        values = (values * FleetModel.resolution).rounded(.toNearestOrEven) / FleetModel.resolution
        let written = faults.apply(to: values, generator: &generator)
        return [written[0], written[1], written[2], written[3], written[4]]
    }
}
