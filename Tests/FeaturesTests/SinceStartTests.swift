// SPDX-License-Identifier: MIT

@testable import Features
import TestSupport
import Testing

/// Means and slopes since a machine's start or its last maintenance.
struct SinceStartTests {
    private func values(_ generator: inout SplitMix) -> [Double] {
        let isMissing = Int.random(in: 0..<8, using: &generator) == 0
        let heat = isMissing ? .nan : Double.random(in: -50...250, using: &generator)
        return [heat, 3, 90, 1400, 20, 5000]
    }

    private func readings(_ hours: Range<Int64>, _ generator: inout SplitMix) -> [Reading] {
        hours.flatMap { hour -> [Reading] in
            (0..<Int64.random(in: 1...3, using: &generator)).map { part in
                Reading(
                    timestamp: hour * Timestamp.microsecondsPerHour + part * 1_000_000,
                    values: values(&generator)
                )
            }
        }
    }

    @Test(arguments: FeaturePropertyTests.seeds)
    func duplicatesAndStaleReadingsLeaveTheSums(seed: UInt64) throws {
        var generator = SplitMix(seed: seed)
        var machine = Machine(try FeatureEngine(makeTransform(.everything)))
        let readings = readings(0..<60, &generator)
        for reading in readings { machine.take(reading) }
        let before = Array(machine.sinceStart)
        var repeated = readings[readings.count - 1]
        repeated.values[0] = 240
        #expect(machine.take(repeated) == .duplicate)
        #expect(machine.take(Reading(timestamp: 0, values: values(&generator))) == .stale)
        #expect(Array(machine.sinceStart) == before, "seed \(seed)")
        // What a stale reading is answered from is that reading alone.
        #expect(machine.feature("temperature_slope_since_start") == 0)
    }

    @Test(arguments: FeaturePropertyTests.seeds, [0, 5, 23] as [Int64])
    func maintenanceLeavesWhatCameAfterIt(seed: UInt64, hoursAgo: Int64) throws {
        var generator = SplitMix(seed: seed)
        let engine = try FeatureEngine(makeTransform(.everything))
        let earlier = readings(0..<80 - hoursAgo, &generator)
        let later = readings(80 - hoursAgo..<80, &generator)
        var serviced = Machine(engine)
        for reading in earlier + later { serviced.take(reading) }
        // Told late, in the midst of a pane.
        serviced.beginAnew((80 - hoursAgo) * hour + 1_800_000_000)
        var fresh = Machine(engine)
        for reading in later { fresh.take(reading) }
        #expect(serviced.sinceStart == fresh.sinceStart, "seed \(seed)")
        let next = Reading(timestamp: 81 * hour, values: values(&generator))
        serviced.take(next)
        fresh.take(next)
        #expect(
            serviced.feature("temperature_slope_since_start")
                == fresh.feature("temperature_slope_since_start")
        )
    }

    @Test func recordsGrowByWhatTheSpecAsksFor() throws {
        func words(_ statistics: [FeatureSpec.SinceStartStatistic]) throws -> Int {
            var spec = FeatureSpec.standard
            if !statistics.isEmpty { spec.elements.append(.sinceStart(statistics, .gauges)) }
            return try FeatureEngine(makeTransform(spec)).records.wordCount
        }
        let plain = try words([])
        #expect(try words([.mean]) == plain + 5 * 2)
        #expect(try words([.slope]) == plain + 5 * 8)
        #expect(try words([.mean, .slope]) == plain + 5 * 8)
    }

    @Test func countsUpToItsLimitAndNoFurther() {
        var totals = SinceStartTotals()
        totals.add(count: SinceStartTotals.countMax - 1, sum: 7, pane: 3)
        totals.add(count: 1, sum: 1, pane: 4)
        #expect(totals.count == SinceStartTotals.countMax)
        let full = totals
        totals.add(count: 1, sum: 1, pane: 5)
        #expect(totals == full)
    }

    /// Sums of squares take more than 64 bits here, and their products more than 128.
    @Test(arguments: [1_000_000_000, -2_000_000_000, 200_000_000_000] as [Int64])
    func slopesAreExactFarFromTheEpoch(first: Int64) throws {
        let gauge = StateLayout.Gauge(
            sensor: 0,
            range: 0...4_294_967_295,
            keepsSquares: false,
            keepsMaximum: false,
            sinceStart: .slope
        )
        let cell = RecordLayout.Cell(gauge, isStandardised: false)
        var totals = SinceStartTotals()
        for step: Int64 in [0, 1, 5, 1000, 1_000_000] {
            let value = UInt64(2000 + 3 * step)
            let count: UInt64 = 1 << 20
            totals.add(count: count, sum: count * value, pane: first + step)
        }
        #expect(totals.slope(cell) == 3)
    }
}
