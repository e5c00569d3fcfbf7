// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import JSON
import Testing

/// Batches of few bytes that would cost much.
struct HostileBatchTests {
    private static let format = ReadingFormat(schema: .standard, limits: ServiceLimits())

    /// One whose readings may leave all sensors out.
    private static let lax: ReadingFormat = {
        var schema = Schema.standard
        for sensor in schema.sensors.indices { schema.sensors[sensor].isOptional = true }
        return ReadingFormat(schema: schema, limits: ServiceLimits())
    }()

    /// A reading with a history of so many, all without sensors.
    private func reading(historyOf count: Int, after blanks: String = "") -> String {
        let history = repeatElement("{}", count: count).joined(separator: ",")
        return "{\"equipment_id\":\"E\",\"history\":[\(blanks)\(history)]}"
    }

    private func batch(_ count: Int) -> String {
        "[\(repeatElement("{}", count: count).joined(separator: ","))]"
    }

    private func decoded(
        _ body: String,
        countMax: Int = .max,
        by format: ReadingFormat = Self.format
    ) throws -> (isWhole: Bool, rows: ReadingRows) {
        var decoder = ReadingDecoder(format: format)
        var rows = ReadingRows(sensorCount: format.fields.count)
        decoder.begin(arrival: 0)
        let isWhole = try decoder.readBatch(
            Array(body.utf8).span,
            skipsErrors: true,
            countMax: countMax,
            into: &rows
        )
        return (isWhole, rows)
    }

    @Test func listsABoundedNumberOfProblemsAndEveryBadRow() throws {
        let rows = try decoded(batch(5000)).rows
        #expect(rows.refused.count == 5000)
        let listed = rows.refused.values.map(\.problems.count)
        #expect(listed.reduce(0, +) == ServiceLimits.batchProblemsListedMax)
        #expect(rows.refused[0]?.problems.isEmpty == false)
        #expect(rows.refused[4999] == .unlistedContent)
    }

    /// Readings of histories may take as much memory as the body has bytes, or as one reading's.
    @Test func boundsTheHistoriesOfABatch() throws {
        let stride = ReadingRows(sensorCount: Self.lax.fields.count).historyStride
        let one = Self.lax.limits.historyRowsMax
        let first = reading(historyOf: one)
        #expect(try decoded("[\(first)]", by: Self.lax).rows.historyTimestamps.count == one)
        #expect(throws: ServiceError.tooManyRows(limit: one)) {
            _ = try decoded("[\(first),\(reading(historyOf: 1))]", by: Self.lax)
        }
        let padding = String(repeating: " ", count: one * stride)
        let body = "[\(first),\(reading(historyOf: 1, after: padding))]"
        #expect(try decoded(body, by: Self.lax).rows.historyTimestamps.count == one + 1)
    }

    /// What is refused takes no memory from the readings behind it.
    @Test func aRefusedReadingHasNoHistory() throws {
        let one = Self.lax.limits.historyRowsMax
        let good = reading(historyOf: 1)
        let unfit = reading(historyOf: one - 1).replacing("\"E\"", with: "0")
        let rows = try decoded("[\(good),\(unfit),\(good)]", by: Self.lax).rows
        #expect(rows.refused.keys.sorted() == [1])
        #expect(rows.rows.map(\.history) == [0..<1, nil, 1..<2])
        #expect(rows.historyValues.count == 2 * rows.sensorCount)
        let long = reading(historyOf: one + 1)
        let broken = String(reading(historyOf: one - 1).dropLast())
        var decoder = ReadingDecoder(format: Self.lax)
        var lines = ReadingRows(sensorCount: Self.lax.fields.count)
        decoder.begin(arrival: 0)
        let body = [good, unfit, long, broken, good].joined(separator: "\n")
        decoder.readLines(Array(body.utf8).span, into: &lines)
        #expect(lines.refused.keys.sorted() == [1, 2, 3])
        #expect(lines.refused[2] == .tooManyRows(limit: one))
        #expect(lines.rows.map(\.history) == [0..<1, nil, nil, nil, 1..<2])
        #expect(lines.historyTimestamps.count == 2)
        #expect(lines.historyValues.count == 2 * lines.sensorCount)
    }

    @Test func whatIsNoReadingTakesNoPlaceInAHistory() throws {
        let history = "{\"history\":[0,{},\"a\",[{}],null,{}]}"
        let body = "[\(history),\(history)]"
        #expect(try decoded(body, countMax: 2 + 4).isWhole)
        #expect(try !decoded(body, countMax: 2 + 3).isWhole)
        let rows = try decoded(body).rows
        let pointers = rows.refused[1]?.problems.map(\.pointer) ?? []
        #expect(pointers.contains("/1/history/4") && !pointers.contains("/1/history/5"))
    }

    @Test(arguments: ["/batch_predict?on_error=skip", "lines"])
    func answersEveryBadRowInFewBytes(_ path: String) throws {
        let server = try TestServer()
        let count = 5000
        let good = TestReading.json(1, hour: 1)
        var answers: [JSONValue] = []
        var byteCount = 0
        if path == "lines" {
            let lines = String(repeating: "{}\n", count: count) + good
            let answer = try server.client().request(
                "POST",
                "/batch_predict",
                body: lines,
                type: "application/x-ndjson"
            )
            byteCount = answer.body.utf8.count
            answers = try answer.body.split(separator: "\n").map {
                try JSONValue.parse(Array($0.utf8))
            }
        } else {
            let body = batch(count).dropLast() + ",\(good)]"
            let answer = try server.client().request("POST", path, body: String(body))
            byteCount = answer.body.utf8.count
            guard case .array(let elements) = try answer.json["predictions"] else {
                Issue.record("no predictions")
                return
            }
            answers = elements
        }
        #expect(answers.count == count + 1)
        #expect(answers.dropLast().allSatisfy { $0["error"]?["status"] == 422 })
        #expect(answers.last?["probability"] != nil)
        #expect(answers.first?["error"]?["errors"] != nil)
        #expect(byteCount < 150 * count, "\(byteCount) bytes")
    }

    @Test func endsABatchOfManyRowsForALoop() throws {
        let limits = ServiceLimits()
        let countMax = limits.inlineBatchRowsMax
        #expect(countMax * 128 == limits.inlineBatchBytesMax)
        func fitting(_ count: Int) -> String {
            "[\(repeatElement(reading(historyOf: 0), count: count).joined(separator: ","))]"
        }
        #expect(try decoded(fitting(countMax), countMax: countMax, by: Self.lax).isWhole)
        let ended = try decoded(fitting(200), countMax: countMax, by: Self.lax)
        #expect(!ended.isWhole && ended.rows.rows.count == countMax + 1)
        // Those that do not fit cost more: a few are enough.
        #expect(try decoded(batch(4), countMax: countMax).isWhole)
        let refused = try decoded(batch(64), countMax: countMax)
        #expect(!refused.isWhole && refused.rows.rows.count == 5)
        let past = repeatElement("{}", count: countMax).joined(separator: ",")
        let body = "{\"instances\":[{\"history\":[\(past)]}]}"
        #expect(try !decoded(body, countMax: countMax).isWhole)
    }

    @Test(arguments: [1, 64, 65, 150])
    func answersABatchOfManySmallRows(_ count: Int) throws {
        let server = try TestServer()
        let rows = repeatElement(TestReading.brief, count: count).joined(separator: ",")
        let answer = try server.client().request("POST", "/batch_predict", body: "[\(rows)]")
        #expect(answer.status == 200)
        #expect(try answer.json["count"] == .integer(count))
        let metrics = try server.client().request("GET", "/metrics").body
        #expect(metrics.contains("\nstate_machines 1\n"))
    }

    @Test func countsLinesUpToAMost() {
        var lines = LineBuffer(lineBytesMax: 100)
        lines.add(Array("a\nb\nc".utf8).span, isLast: true)
        #expect(lines.hasMoreLines(than: 2) && !lines.hasMoreLines(than: 3))
        lines.add(Array("a\nb\n".utf8).span, isLast: true)
        #expect(lines.hasMoreLines(than: 1) && !lines.hasMoreLines(than: 2))
    }

    @Test func suggestsForAsManyNamesAsARequestIsWorth() {
        let names = (0..<256).map { "\(String(repeating: "a", count: 56))\(1000 + $0)" }
        var suggestions = Suggestions()
        let found = (0..<100).map { suggestions.nearest(to: names[$0] + "x", among: [names[$0]]) }
        let first = found.prefix { $0 != nil }.count
        #expect((10..<100).contains(first) && found.dropFirst(first).allSatisfy { $0 == nil })
        var hostile = Suggestions()
        #expect(hostile.nearest(to: names[255] + "x", among: names) != nil)
        #expect(hostile.nearest(to: names[0], among: names) == nil)
    }

    @Test func makesNoTextThatIsNotListed() throws {
        var decoder = ReadingDecoder(format: Self.format)
        decoder.begin(arrival: 0)
        var made = 0
        func text() -> String {
            made += 1
            return ""
        }
        for _ in 0..<1000 { decoder.note(text(), text()) }
        #expect(made == 2 * ServiceLimits().problemsListedMax && decoder.isUnfit)
    }
}
