// SPDX-License-Identifier: MIT

import Features
import ModelRuntime
import Testing
import Training

struct LeadTimeTests {
    private let template: FeatureMatrix

    init() throws {
        let table = SampleReadings.table(machines: 2, hours: 10)
        template = FeatureMatrix(
            table,
            engine: try FeatureEngine(try SampleReadings.transform(table))
        )
    }

    /// Plays machines whose rows are an hour apart: `+` is an alarming row with a failure ahead,
    /// `-` a quiet one, `!` an alarming one without, `.` a quiet one.
    private func play(_ machines: String..., horizon: Double? = nil) throws -> LeadTime {
        var matrix = template
        var (codes, times, probabilities) = ([Int32](), [Int64](), [Double]())
        matrix.labels = []
        for (code, machine) in machines.enumerated() {
            for (hour, row) in machine.enumerated() {
                codes.append(Int32(code))
                times.append(Int64(hour) * SampleReadings.hour)
                probabilities.append(row == "+" || row == "!" ? 0.9 : 0.1)
                matrix.labels.append(row == "+" || row == "-" ? 1 : 0)
            }
        }
        matrix.entities = CategoryColumn(categories: machines, codes: codes)
        matrix.timestamps = times
        let rule = try #require(AlarmRule(raise: 0.5, clear: 0.3, needed: 1, of: 1))
        return try #require(
            LeadTime(matrix, probabilities: probabilities, rule: rule, horizonHours: horizon)
        )
    }

    @Test func countsFromTheAlarmToTheLastRow() throws {
        let result = try play("....-++-", "..++", "...--")
        #expect(result.failures == 3)
        #expect(result.leadHours == [1, 2])
        #expect(result.medianHours == 1.5)
        #expect(result.caught(hoursAhead: 2) == 1)
        #expect(result.falseAlarms == 0)
    }

    @Test func takesTheHorizonWhereTheRunBeganInSight() throws {
        #expect(try play("..-+", horizon: 24).leadHours == [23])
        #expect(try play("-+++", horizon: 24).leadHours == [2])
    }

    @Test func anAlarmThatIsUpWhenTheRunBeginsIsNoFalseOne() throws {
        let result = try play("..!!++", "..!!-+")
        #expect(result.leadHours == [0, 3])
        #expect(result.falseAlarms == 1)
    }

    @Test func countsAlarmsThatNoFailureFollows() throws {
        let result = try play(".!..!!.", "......!")
        #expect(result.failures == 0 && result.medianHours == nil)
        #expect(result.falseAlarms == 3)
        #expect(abs(result.machineMonths - 12 / 730.5) < 1e-12)
        #expect(abs((result.falseAlarmsPerMonth ?? 0) - 730.5 / 4) < 1e-9)
    }

    @Test func aRepairEndsTheAlarm() throws {
        // The row after the repair begins an alarm of its own.
        let result = try play("..++!..-+")
        #expect(result.failures == 2)
        #expect(result.leadHours == [0, 1])
        #expect(result.falseAlarms == 1)
    }

    @Test func tellsWhereEachAlarmBeganAndWhetherItWasTrue() throws {
        let result = try play(".!..!!++", "..++!..-+")
        #expect(result.alarms.map(\.row) == [1, 4, 10, 12, 16])
        #expect(result.alarms.map(\.isTrue) == [false, true, true, false, true])
    }

    @Test func theOrderOfTheRowsDoesNotMatter() throws {
        let rule = try #require(AlarmRule(raise: 0.5, clear: 0.3))
        let probabilities = template.labels.map { $0 == 1 ? 0.8 : 0.2 }
        let expected = LeadTime(
            template,
            probabilities: probabilities,
            rule: rule,
            horizonHours: 24
        )
        var reversed = template
        reversed.labels.reverse()
        reversed.entities = reversed.entities.map {
            CategoryColumn(categories: $0.categories, codes: $0.codes.reversed())
        }
        reversed.timestamps?.reverse()
        let result = LeadTime(
            reversed,
            probabilities: probabilities.reversed(),
            rule: rule,
            horizonHours: 24
        )
        // But for the rows' numbers.
        let texts = [expected, result].map { $0?.json(rule: rule, hoursAhead: 12) }
        #expect(texts[0] != nil && texts[0] == texts[1])
    }

    @Test func needsMachinesAndTime() throws {
        let rule = try #require(AlarmRule(raise: 0.5, clear: 0.3))
        let probabilities = template.labels.map { _ in 0.1 }
        var matrix = template
        matrix.timestamps = nil
        #expect(
            LeadTime(matrix, probabilities: probabilities, rule: rule, horizonHours: nil) == nil
        )
    }
}
