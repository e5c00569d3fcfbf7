// SPDX-License-Identifier: MIT

import Features
@testable import InferenceServer
import JSON
import Testing

/// The short way of reading against the long one, which is the reference.
@Suite struct PlainReadingTests {
    private static let parts: [String] = [
        "{", "}", "[", "]", ",", ":", "\"", " ", "\n", "\\", "\\u0061", "-", "0", "01", "1e400",
        "NaN", "null", "\"equipment_id\"", "\"temperature\"", "\"timestamp\"", "\"history\"",
        "\"new\"", "\u{e9}", "\u{0}", "2024-01-15T10:30:00Z", "9", "..", "{}", "true",
    ]

    /// Outcome of one decoder: what it found, or why it refused.
    private func outcome(_ body: [UInt8], _ format: ReadingFormat, isBatch: Bool) -> String {
        var decoder = ReadingDecoder(format: format)
        var rows = ReadingRows(sensorCount: format.fields.count)
        decoder.begin(arrival: 1_800_000_000_000_000)
        do throws(ServiceError) {
            if isBatch {
                _ = try decoder.readBatch(body.span, skipsErrors: false, into: &rows)
            } else {
                try decoder.readSingle(body.span, into: &rows)
            }
        } catch {
            return "\(error)"
        }
        return "\(rows.rows) \(rows.values.map(\.bitPattern)) \(rows.ids) \(rows.unknownNames)"
    }

    private func number(_ random: inout SplitMix64) -> String {
        let digits = String(random.next() >> (random.next() % 63))
        let sign = random.next() % 8 == 0 ? "-" : ""
        switch random.next() % 6 {
        case 0: return sign + digits
        case 1: return "\(sign)\(digits)e-3"
        case 2: return "\(sign)0.\(digits)"
        case 3: return "\(sign)\(digits).\(random.next() % 1_000_000)"
        default: return "\(sign)\(random.next() % 1000).\(random.next() % 1000)"
        }
    }

    private func reading(_ random: inout SplitMix64, _ names: [String]) -> String {
        let blank = random.next() % 2 == 0 ? " " : ""
        var members = ["\"equipment_id\":\(blank)\"EQ\(random.next() % 100)\""]
        members += names.map { "\"\($0)\":\(blank)\(number(&random))" }
        if random.next() % 4 == 0 { members.append("\"timestamp\":\"2026-11-25T18:00:00.5Z\"") }
        if random.next() % 4 == 0 { members.swapAt(0, Int(random.next() % UInt64(members.count))) }
        return "{\(members.joined(separator: "," + blank))}"
    }

    @Test func readsAsTheLongWay() {
        let schema = Schema.standard
        let short = ReadingFormat(schema: schema, limits: ServiceLimits())
        let long = ReadingFormat(
            schema: schema,
            limits: ServiceLimits(),
            takesPlainReadings: false
        )
        #expect(short.takesPlainReadings && !long.takesPlainReadings)
        var random = SplitMix64(state: 20_261_125)
        for round in 0..<4000 {
            let isBatch = round % 3 == 0
            let readings = (0..<(isBatch ? 3 : 1)).map { _ in
                reading(&random, schema.sensors.map(\.name))
            }
            var body = Array(readings.joined(separator: ",").utf8)
            if isBatch { body = Array("[".utf8) + body + Array("]".utf8) }
            for _ in 0..<random.next() % 3 {
                let place = Int(random.next() % UInt64(body.count))
                let part = Self.parts[Int(random.next() % UInt64(Self.parts.count))].utf8
                let end = min(body.count, place + Int(random.next() % 4))
                body.replaceSubrange(place..<end, with: part)
            }
            #expect(
                outcome(body, short, isBatch: isBatch) == outcome(body, long, isBatch: isBatch),
                "round \(round): \(String(decoding: body, as: UTF8.self))"
            )
        }
    }

    /// The short way must be the one that is taken, or it would be no short way.
    @Test(arguments: [
        #"{"equipment_id":"E","temperature":85.5,"vibration":2.3,"pressure":95.0,"#
            + #""rotation_speed":1350,"current":22.5,"operating_hours":1500}"#,
        #"{ "equipment_id": "E", "timestamp": "2024-01-15T10:30:00Z", "temperature": -8.5,"#
            + "\n"
            + #""vibration":2.3456789012345678,"pressure":0, "rotation_speed":1350, "#
            + #""current":22.5,"operating_hours":1500 }"#,
    ])
    func takesUsualReadings(_ body: String) {
        let format = ReadingFormat(schema: .standard, limits: ServiceLimits())
        var rows = ReadingRows(sensorCount: format.fields.count)
        let bytes = Array(body.utf8)
        let end = format.appendPlainReading(
            bytes.span,
            at: 0,
            base: 0,
            latest: .max,
            to: &rows
        )
        #expect(end == bytes.count)
    }
}

/// SplitMix64, for the same numbers in every run.
private struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
