// SPDX-License-Identifier: MIT

import Features
import Testing

struct CompanionRowsTests {
    /// A transform of the same schema and layout with some of the features, and other cleaning.
    private func other(
        than transform: FeatureTransform,
        _ isKept: (String) -> Bool
    ) throws -> FeatureTransform {
        var other = transform
        let kept = transform.featureNames.indices.filter { isKept(transform.featureNames[$0]) }
        other.features = kept.map { transform.features[$0] }
        other.scaling = kept.map { _ in .init(center: 3, scale: 2) }
        other.cleaning = transform.cleaning.map { .init(imputed: $0.imputed + 1, clip: 0...200) }
        return other
    }

    @Test(arguments: [("", false), ("24h", true), ("6h", true)])
    func givesTheRowsThatTheSecondEngineAloneWould(without: String, hasFewer: Bool) throws {
        let transform = try makeTransform(.everything)
        let second = try other(than: transform) { without.isEmpty || !$0.contains(without) }
        #expect((second.windowHours != transform.windowHours) == hasFewer)
        var first = Machine(try FeatureEngine(transform))
        var alone = Machine(try FeatureEngine(second))
        var companion = CompanionRows(of: alone.engine, beside: &first.scratch)
        var plain = Machine(first.engine)
        var generator = SystemRandomNumberGenerator()
        for step in 0..<300 {
            // In order, late, stale and duplicate readings, some values missing or out of range.
            let hours = Int64(step) - Int64(step % 7 == 3 ? 2 : step % 31 == 30 ? 100 : 0)
            let values = (0..<6).map { sensor in
                sensor == step % 9
                    ? Double.nan : Double.random(in: -50...150, using: &generator) + Double(sensor)
            }
            let reading = Reading(timestamp: hours * hour / 2, values: values)
            let expected = alone.take(reading)
            #expect(plain.take(reading) == expected)
            let time = ReadingTime(
                timestamp: reading.timestamp,
                isTimestamped: true,
                arrival: Int64(step) + 1
            )
            first.scratch.values = values
            var record = first.words
            var span = record.mutableSpan
            let admission = first.engine.observe(time, in: &span, at: 0, scratch: &first.scratch)
            first.words = record
            #expect(admission == expected)
            companion.take(first.scratch)
            var row: [Float] = []
            companion.appendRow(to: &row)
            first.engine.finishRow(&first.scratch)
            try #require(row == alone.scratch.row)
            try #require(first.scratch.row == plain.scratch.row)
        }
        #expect(first.words == plain.words)
        #expect(first.words == alone.words)
    }
}
