// SPDX-License-Identifier: MIT

@testable import Features
import JSON
import TestSupport
import Testing

/// Gauges that are standardised within operating regimes.
struct RegimeTests {
    private static let schema = Schema(
        name: "regimes",
        entityColumn: "unit",
        time: .init(column: "t", unit: .hours),
        sensors: [
            Sensor(name: "load", kind: .setting),
            Sensor(name: "altitude", kind: .setting),
            Sensor(name: "heat", range: -1000...1000, warn: 300, alarm: 500),
            Sensor(name: "speed", range: 0...10_000),
        ],
        label: .column("y"),
        horizonHours: nil
    )

    private static let spec = FeatureSpec(
        name: "regimes",
        elements: [
            .raw(.gauges),
            .window([.mean, .standardDeviation, .maximum], hours: [6, 24], .gauges),
            .sinceStart([.mean, .slope], .gauges),
            .rate(.gauges),
            .deviation(hours: 6, .gauges),
        ]
    )

    /// Two loads at either of two altitudes.
    private static let regimes = Regimes(
        settings: [
            .init(sensor: 0, center: 50, scale: 10), .init(sensor: 1, center: 1000, scale: 500),
        ],
        centers: [[-1, -1], [-1, 1], [1, -1], [1, 1]],
        gauges: [
            .init(sensor: 2, centers: [100, -200, 300, 400], scales: [10, 20, 5, 0.5]),
            .init(sensor: 3, centers: [1000, 2000, 3000, 4000], scales: [100, 1, 50, 25]),
        ]
    )

    private func transform(
        _ elements: [FeatureSpec.Element] = spec.elements,
        regimes: Regimes? = regimes,
        schema: Schema = schema
    ) throws -> FeatureTransform {
        var spec = Self.spec
        spec.elements = elements
        var transform = try makeTransform(
            spec,
            schema: schema,
            imputed: [50, 1000, 0, 0],
            clip: [nil, nil, -6...6, nil]
        )
        transform.layout.regimes = regimes
        return transform
    }

    private func reading(_ timestamp: Int64, _ generator: inout SplitMix) -> Reading {
        func value(_ range: ClosedRange<Double>) -> Double {
            let isMissing = Int.random(in: 0..<7, using: &generator) == 0
            return isMissing ? .nan : .random(in: range, using: &generator)
        }
        return Reading(
            timestamp: timestamp,
            values: [value(35...65), value(0...2000), value(-400...600), value(500...5000)]
        )
    }

    /// The regime and the gauges by plain arithmetic.
    private func standardised(_ reading: Reading) -> Reading {
        var standardised = reading
        let regimes = Self.regimes
        let distances = regimes.centers.map { center in
            zip(regimes.settings, center).reduce(0.0) { sum, pair in
                let value = reading.values[pair.0.sensor]
                let scaled = (value - pair.0.center) / pair.0.scale
                return value.isNaN ? sum : sum + (scaled - pair.1) * (scaled - pair.1)
            }
        }
        let regime = distances.firstIndex(of: distances.min() ?? 0) ?? 0
        let isUnknown = reading.values[0].isNaN && reading.values[1].isNaN
        for gauge in regimes.gauges {
            let value = reading.values[gauge.sensor]
            let scaled = (value - gauge.centers[regime]) / gauge.scales[regime]
            let isMissing = value.isNaN || isUnknown
            standardised.values[gauge.sensor] = isMissing ? .nan : min(max(scaled, -64), 64)
        }
        return standardised
    }

    /// Late rows, repeats and gaps included.
    @Test(arguments: FeaturePropertyTests.seeds)
    func equalsAnEngineThatIsGivenStandardisedReadings(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        var machine = Machine(try FeatureEngine(transform()))
        var plainSchema = Self.schema
        plainSchema.sensors[2].range = -64...64
        plainSchema.sensors[3].range = -64...64
        var plain = Machine(try FeatureEngine(transform(regimes: nil, schema: plainSchema)))
        for step: Int64 in 0..<200 {
            let back = Int64.random(in: 0...30, using: &generator)
            let moment = step * hour - (back > 20 ? back * hour / 2 : 0)
            let reading = reading(moment, &generator)
            let admission = machine.take(reading)
            #expect(plain.take(standardised(reading)) == admission)
            #expect(machine.scratch.row == plain.scratch.row, "seed \(seed) step \(step)")
            #expect(machine.words == plain.words, "seed \(seed) step \(step)")
        }
    }

    @Test func comparesSensorsAndThresholdsAsTheyWereMeasured() throws {
        var machine = Machine(
            try FeatureEngine(
                transform([
                    .raw(.gauges), .health, .difference("speed", "heat"), .product("heat", "speed"),
                    .ratio("heat", "speed"), .power("heat", exponent: 2),
                ])
            )
        )
        machine.take(hour, [60, 1500, 400, 4100])
        #expect(machine.feature("heat") == 0)
        #expect(machine.feature("speed") == 4)
        #expect(machine.feature("heat_health") == 0.5)
        #expect(machine.feature("speed_minus_heat") == 3700)
        #expect(machine.feature("heat_x_speed") == 1_640_000)
        #expect(machine.feature("heat_per_speed") == 400.0 / 4100)
        #expect(machine.feature("heat_pow_2") == 160_000)
        // A missing value is as far off as the last one was, in the regime of now: 300 + 4 x 5.
        machine.take(2 * hour, [60, 1500, 402, 4100])
        machine.take(3 * hour, [60, 500, .nan, 3000])
        #expect(machine.feature("heat") == 4)
        #expect(machine.feature("heat_pow_2") == 102_400)
        // One that is clipped, at 6 here, stands for what lies there: -200 + 6 x 20.
        machine.take(4 * hour, [40, 1500, 900, 2000])
        #expect(machine.feature("heat") == 6)
        #expect(machine.feature("heat_pow_2") == 6400)
    }

    @Test func aReadingWithoutSettingsHasNoGauges() throws {
        var machine = Machine(try FeatureEngine(transform()))
        machine.take(hour, [60, 1500, 401, 4100])
        let panes = Array(machine.panes)
        machine.take(hour + 1, [.nan, .nan, 100, 1000])
        #expect(Array(machine.panes) == panes)
        #expect(machine.feature("heat") == 2)
    }

    @Test func transformIsReadBack() throws {
        let transform = try transform()
        let again = try FeatureTransform(json: JSONView(transform.json))
        #expect(again == transform)
        let everything = try makeTransform(.everything)
        #expect(try FeatureTransform(json: JSONView(everything.json)) == everything)
        for spec in [Self.spec, .everything] {
            var spec = spec
            spec.regimes = .init(countMax: 3, explained: 0.5, gauges: .named(["heat"]))
            spec.coldStart = 0.25
            #expect(try FeatureSpec(json: JSONView(spec.json)) == spec)
        }
    }

    @Test func refusesRegimesThatDoNotFit() throws {
        func isRefused(_ change: (inout Regimes) -> Void) throws -> Bool {
            var regimes = Self.regimes
            change(&regimes)
            let changed = try transform(regimes: regimes)
            do throws(SpecError) {
                _ = try FeatureEngine(changed)
                return false
            } catch {
                return true
            }
        }
        #expect(try !isRefused { _ in })
        #expect(try isRefused { $0.centers = [] })
        #expect(try isRefused { $0.centers[0].removeLast() })
        #expect(try isRefused { $0.settings = [] })
        #expect(try isRefused { $0.settings[0].scale = 0 })
        #expect(try isRefused { $0.settings[0].sensor = 2 })
        #expect(try isRefused { $0.gauges[0].sensor = 0 })
        #expect(try isRefused { $0.gauges[0].sensor = 9 })
        #expect(try isRefused { $0.gauges.swapAt(0, 1) })
        #expect(try isRefused { $0.gauges[1].centers.removeLast() })
        #expect(try isRefused { $0.gauges[1].centers[0] = .nan })
        #expect(try isRefused { $0.gauges[1].scales[0] = -1 })
        #expect(try isRefused { $0.gauges[1].scales[0] = .infinity })
        func regimes(_ count: Int) -> (inout Regimes) -> Void {
            { regimes in
                regimes.centers = Array(repeating: [0, 0], count: count)
                for gauge in 0..<2 {
                    regimes.gauges[gauge].centers = Array(repeating: 0, count: count)
                    regimes.gauges[gauge].scales = Array(repeating: 1, count: count)
                }
            }
        }
        #expect(try !isRefused(regimes(SpecLimits.regimesMax)))
        #expect(try isRefused(regimes(SpecLimits.regimesMax + 1)))
    }

    @Test func specRefusesRegimesWithoutSettings() throws {
        func gauges(_ rule: FeatureSpec.RegimeRule?, _ schema: Schema) throws -> [Int] {
            try FeatureSpec(name: "x", elements: [.raw(.all)], regimes: rule)
                .regimeGauges(in: schema)
        }
        #expect(try gauges(nil, .standard) == [])
        #expect(throws: SpecError.self) { try gauges(.init(), .standard) }
        #expect(try gauges(.init(), Self.schema) == [2, 3])
        #expect(try gauges(.init(gauges: .named(["speed"])), Self.schema) == [3])
        #expect(throws: SpecError.self) {
            try gauges(.init(gauges: .named(["load"])), Self.schema)
        }
        #expect(try gauges(.init(countMax: SpecLimits.regimesMax), Self.schema).count == 2)
        for count in [0, SpecLimits.regimesMax + 1] {
            #expect(throws: SpecError.self) { try gauges(.init(countMax: count), Self.schema) }
        }
    }
}
