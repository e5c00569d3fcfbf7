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
        "0001-01-01T00:00:00+01:00",
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
    }
}
