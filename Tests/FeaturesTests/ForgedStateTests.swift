// SPDX-License-Identifier: MIT

@testable import Features
import JSON
import Platform
import TestSupport
import Testing

/// Records whose checksums are right and whose numbers no server writes: they are torn as any
/// other damage is, and stop no process.
struct ForgedStateTests {
    private let engine: FeatureEngine

    init() throws { engine = try FeatureEngine(makeTransform(.everything)) }

    /// Whether a record with other words is sound, by its checksum or otherwise.
    private func isSound(_ change: (inout MutableSpan<UInt64>, RecordLayout) -> Void) -> Bool {
        var machine = Machine(engine)
        for step in 0..<20 {
            machine.take(Int64(1_000_000 + step) * hour, [20, 3, 90, 1400, 20, 100])
        }
        var words = machine.words
        var span = words.mutableSpan
        change(&span, engine.records)
        engine.records.seal(&span)
        return engine.records.isHeaderSound(&span)
    }

    @Test func takesTheRecordOfAServer() { #expect(isSound { _, _ in }) }

    private typealias Bound = (word: Int, last: [Int64], beyond: [Int64])

    /// What each word may hold at the most, and what lies beyond.
    private static let bounds: [Bound] = [
        (
            RecordLayout.lastTimestamp,
            [.min, Timestamp.range.lowerBound, Timestamp.range.upperBound],
            [.min + 1, .max, Timestamp.range.lowerBound - 1, Timestamp.range.upperBound + 1]
        ),
        (RecordLayout.lastArrival, [Timestamp.range.upperBound], [.min, .max]),
        (RecordLayout.readingCount, [1 << 53], [-1, .max]),
        // The panes of an hour that years 1 to 9999 have.
        (
            RecordLayout.firstPane, [.min, -17_259_888, 70_389_527],
            [1 << 62, -(1 << 62), -17_259_889, 70_389_528]
        ),
        // The number of timestamps in the ring in the lower half, the next place in the upper.
        (RecordLayout.ringCounts, [15 << 32 | 16], [17, 16 << 32, -1]),
        (RecordLayout.idByteCount, [64], [65]),
    ]

    @Test func boundsEveryNumber() {
        for (word, last, beyond) in Self.bounds {
            for value in last {
                #expect(isSound { words, _ in words.store(value, at: word) }, "\(word): \(value)")
            }
            for value in beyond {
                #expect(!isSound { words, _ in words.store(value, at: word) }, "\(word): \(value)")
            }
        }
    }

    @Test(arguments: [
        (SinceStartTotals.countMax, true), (SinceStartTotals.countMax + 1, false),
        (1 << 63, false), (.max, false),
    ])
    func boundsTheSumsSinceTheStart(count: UInt64, expected: Bool) {
        #expect(!engine.records.sinceStart.isEmpty)
        for entry in engine.records.sinceStart {
            #expect(isSound { words, _ in words[entry.word] = count } == expected)
        }
    }

    @Test func refusesALineOfAnArchive() throws {
        let archive = StateArchive(StateDescription(engine.transform))
        var machine = Machine(engine)
        machine.take(1_000_000 * hour, [20, 3, 90, 1400, 20, 100])
        var span = machine.words.mutableSpan
        engine.records.seal(&span)
        #expect(try archive.record(archive.line(machine.words)) == machine.words)
        span = machine.words.mutableSpan
        span.store(.min + 1, at: RecordLayout.lastTimestamp)
        engine.records.seal(&span)
        let line = archive.line(machine.words)
        #expect(throws: StateArchiveError.self) { try archive.record(line) }
    }

    /// What an archive's first line says of the records.
    @Test(arguments: [
        ("\"panes\":24", "\"panes\":257"), ("\"panes\":24", "\"panes\":0"),
        ("\"pane_seconds\":3600", "\"pane_seconds\":604801"),
        ("\"range\":[0,50]", "\"range\":[-1e308,1e308]"),
        ("\"sensor\":\"vibration\"", "\"sensor\":\"temperature\""),
    ])
    func refusesALayoutThatNoRecordHas(part: String, other: String) throws {
        let line = String(
            decoding: StateArchive(StateDescription(engine.transform)).firstLine,
            as: UTF8.self
        )
        _ = try StateArchive(firstLine: Array(line.utf8))
        try #require(line.contains(part), "\(line)")
        #expect(throws: StateArchiveError.self) {
            try StateArchive(firstLine: Array(line.replacing(part, with: other).utf8))
        }
    }
}
