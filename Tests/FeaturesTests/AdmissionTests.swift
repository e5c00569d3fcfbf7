// SPDX-License-Identifier: MIT

import Features
import Testing

struct AdmissionTests {
    private let values = [70.0, 3, 90, 1400, 20, 100]

    @Test func staleReadingLeavesTheRecordAndIsAnsweredAlone() throws {
        let engine = try FeatureEngine(makeTransform())
        var machine = Machine(engine)
        for step in 0..<30 { machine.take(Int64(step) * hour, values) }
        let before = machine.words
        // The newest pane is 29; pane 6 is the oldest of 24, pane 5 is gone.
        #expect(machine.take(6 * hour - 1, [.nan, 8, 90, 1400, 20, 100]) == .stale)
        #expect(machine.words == before)
        #expect(machine.feature("temperature_mean_24h") == 70)
        #expect(machine.scratch.flags[0] == [.missing, .imputed])
        var lone = engine.makeScratch()
        lone.values = [.nan, 8, 90, 1400, 20, 100]
        let time = ReadingTime(timestamp: 6 * hour - 1, isTimestamped: true, arrival: 0)
        engine.observeAlone(time, scratch: &lone)
        engine.finishRow(&lone)
        #expect(machine.scratch.row == lone.row)
        #expect(machine.take(6 * hour + 1, values) == .late)
    }

    @Test func duplicateLeavesTheRecordAndItsRateIsZero() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        machine.take(0, values)
        machine.take(hour, [80, 3, 90, 1400, 20, 100])
        let before = machine.words
        #expect(machine.take(hour, [100, 3, 90, 1400, 20, 100]) == .duplicate)
        #expect(machine.words == before)
        #expect(machine.feature("temperature") == 100)
        #expect(machine.feature("temperature_rate") == 0)
        #expect(abs((machine.feature("temperature_mean_6h") ?? 0) - 75) < 1e-6)
        #expect(machine.take(hour, [.nan, 3, 90, 1400, 20, 100]) == .duplicate)
        #expect(machine.feature("temperature") == 80)
    }

    @Test(arguments: [(16, Admission.duplicate), (17, .late)])
    func remembersSixteenTimestamps(count: Int, expected: Admission) throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        for step in 0..<count { machine.take(Int64(step) * 1_000_000, values) }
        #expect(machine.take(0, values) == expected)
    }

    @Test func readingWithoutTimestampIsNeverADuplicate() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        let reading = Reading(timestamp: 5 * hour, isTimestamped: false, values: values)
        for _ in 0..<3 { #expect(machine.take(reading) == .inOrder) }
        #expect(machine.take(Reading(timestamp: 5 * hour, values: values)) == .late)
        #expect(machine.take(reading) == .inOrder)
        #expect(machine.take(Reading(timestamp: 5 * hour, values: values)) == .duplicate)
    }

    @Test func gapLongerThanTheWindowsEmptiesThem() throws {
        var machine = Machine(try FeatureEngine(makeTransform()))
        for step in 0..<24 { machine.take(Int64(step) * hour, values) }
        #expect(machine.scratch.windowFill == [1, 1, 1])
        machine.take(1000 * hour, [.nan, 3, 90, 1400, 20, 100])
        #expect(machine.scratch.windowFill == [6, 12, 24].map { 1 / $0 })
        #expect(machine.feature("temperature") == 70)
        machine.take(1001 * hour, values)
        #expect(machine.scratch.windowFill == [6, 12, 24].map { 2 / $0 })
    }

    @Test func newBeginningForgetsThePanesBeforeIt() throws {
        let engine = try FeatureEngine(makeTransform())
        var machine = Machine(engine)
        for step in 0..<10 { machine.take(Int64(step) * hour, values) }
        machine.beginAnew(20 * hour + 1)
        #expect(machine.take(20 * hour - 1, values) == .stale)
        #expect(machine.take(20 * hour, [80, .nan, 90, 1400, 20, 100]) == .inOrder)
        #expect(machine.scratch.windowFill == [6, 12, 24].map { 1 / $0 })
        #expect(machine.feature("temperature_rate") == 0)
        #expect(machine.scratch.flags[1] == [.missing, .imputed])
        // An earlier one that is heard of afterwards changes nothing.
        let before = machine.words
        machine.beginAnew(19 * hour)
        #expect(machine.words == before)
    }

    @Test func newBeginningInThePastKeepsWhatCameAfterIt() throws {
        let engine = try FeatureEngine(makeTransform())
        var machine = Machine(engine)
        for step in 0..<10 { machine.take(Int64(step) * hour, values) }
        machine.beginAnew(7 * hour)
        #expect(machine.take(7 * hour - 1, values) == .stale)
        #expect(machine.take(7 * hour + 1, values) == .late)
        #expect(machine.take(10 * hour, [90, 3, 90, 1400, 20, 100]) == .inOrder)
        #expect(machine.scratch.windowFill == [6, 12, 24].map { 4 / $0 })
        #expect(machine.feature("temperature_rate") == 20)
    }
}
