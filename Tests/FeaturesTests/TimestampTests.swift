// SPDX-License-Identifier: MIT

import Features
import TestSupport
import Testing

struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0),
        ("2024-01-15T10:30:00", 1_705_314_600_000_000),
        ("2024-01-15 10:30:00.5+01:30", 1_705_309_200_500_000),
        ("2024-02-29T23:59:60Z", 1_709_251_200_000_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
        ("2016-12-31T23:59:60.25Z", 1_483_228_800_250_000),
        ("2017-01-01T00:59:60+01:00", 1_483_228_800_000_000),
        ("2016-12-31T15:59:60-08:00", 1_483_228_800_000_000),
        ("2017-01-01T05:29:60+05:30", 1_483_228_800_000_000),
        ("1969-12-31t23:59:59.999999z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ])
    func readsRFC3339(text: String, microseconds: Int64) {
        let bytes = Array(text.utf8)
        #expect(
            Timestamp.parse(bytes.span, 0..<bytes.count, naiveOffsetMinutes: 0) == microseconds
        )
    }

    @Test(arguments: [
        "", "2024-01-15", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-01-15T24:00:00Z",
        "2024-01-15T10:30:00+25:00", "2024-01-15T10:30:00.", "2024-01-15T10:30:00Zx",
        "2024-01-15T10:30", "0000-01-01T00:00:00Z", "2024-01-15T10:30:61Z",
        "0001-01-01T00:00:00+01:00", "2024-01-15T10:30:60Z", "2016-12-30T23:59:60Z",
        "2016-12-31T23:58:60Z", "2016-12-31T22:59:60Z", "2016-12-31T23:59:60+01:00",
        "2016-12-31T23:59:60-00:30", "2023-02-28T23:59:61Z", "2024-02-28T23:59:60Z",
        "9999-12-31T23:59:60Z", "2016-12-31T23:59:99Z",
    ])
    func refusesWhatIsNoMoment(text: String) {
        let bytes = Array(text.utf8)
        #expect(Timestamp.parse(bytes.span, 0..<bytes.count, naiveOffsetMinutes: 0) == nil)
    }

    @Test(
        arguments: [
            (-62_135_596_800, -62_135_596_800_000_000), (253_402_300_799, 253_402_300_799_000_000),
            (-62_135_596_801, nil), (253_402_300_800, nil), (1e300, nil), (.nan, nil),
        ] as [(Double, Int64?)]
    )
    func takesSecondsOfTheYears1To9999(seconds: Double, microseconds: Int64?) {
        #expect(Timestamp.microseconds(ofSeconds: seconds) == microseconds)
    }

    @Test func writesWhatItReads() {
        var generator = SplitMix(seed: 3)
        for _ in 0..<10_000 {
            let moment = Int64.random(in: Timestamp.range, using: &generator)
            let bytes = Array(Timestamp.text(moment).utf8)
            #expect(
                Timestamp.parse(bytes.span, 0..<bytes.count, naiveOffsetMinutes: 90) == moment
            )
        }
    }

    @Test func takesNaiveTextForTheZone() {
        let bytes = Array("1970-01-01T01:00:00".utf8)
        #expect(Timestamp.parse(bytes.span, 0..<bytes.count, naiveOffsetMinutes: 60) == 0)
        let leap = Array("2017-01-01T00:59:60".utf8)
        let moment = Timestamp.parse(leap.span, 0..<leap.count, naiveOffsetMinutes: 60)
        #expect(moment == 1_483_228_800_000_000)
        #expect(Timestamp.parse(leap.span, 0..<leap.count, naiveOffsetMinutes: 0) == nil)
    }

    @Test(arguments: [
        ("0", 0), ("1", 1_000_000), ("1705314600", 1_705_314_600_000_000),
        ("1705314600.1234567", 1_705_314_600_123_456),
        ("1705314600.123457", 1_705_314_600_123_457),
        ("1705314600.9999999999999999999", 1_705_314_600_999_999), ("0.1", 100_000),
        ("-1", -1_000_000), ("-0.5", -500_000), ("1.5e3", 1_500_000_000), ("1E-6", 1),
        ("253402300799", 253_402_300_799_000_000),
        ("253402300799.9999999", 253_402_300_799_999_999),
        ("253402300800", nil), ("274877906944", nil), ("999999999999", nil),
        ("99999999999999999999999", nil), ("1e400", nil), ("1e12", nil), ("-1e12", nil),
        ("-62135596800", -62_135_596_800_000_000), ("-62135596801", nil), ("", nil), ("x", nil),
        ("1x", nil), (".", nil),
    ])
    func readsSecondsToTheMicrosecond(text: String, microseconds: Int64?) {
        // Behind the number something else follows.
        let bytes = Array("\(text)0".utf8)
        #expect(Timestamp.parseSeconds(bytes.span, 0..<bytes.count - 1) == microseconds)
    }

    @Test func cutsTextAndNumbersAlike() {
        var generator = SplitMix(seed: 4)
        for _ in 0..<10_000 {
            let second = Int64.random(in: 0...253_402_300_799, using: &generator)
            let digits = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                String(Int.random(in: 0...9, using: &generator))
            }.joined()
            let text = Timestamp.text(second * 1_000_000).replacing("Z", with: ".\(digits)Z")
            let (written, number) = (Array(text.utf8), Array("\(second).\(digits)".utf8))
            let expected = Timestamp.parse(
                written.span,
                0..<written.count,
                naiveOffsetMinutes: 0
            )
            let found = Timestamp.parseSeconds(number.span, 0..<number.count)
            #expect(expected != nil && found == expected, "\(text)")
        }
    }
}
