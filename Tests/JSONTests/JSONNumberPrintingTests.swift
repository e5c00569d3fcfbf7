// SPDX-License-Identifier: MIT

internal import JSON
import TestSupport
internal import Testing

/// The reference is Swift's `description`: the shortest digits, the nearest among those.
struct JSONNumberPrintingTests {
    private func print(_ value: Double) -> String {
        var bytes: [UInt8] = []
        JSONNumber.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func print(_ value: Float) -> String {
        var bytes: [UInt8] = []
        JSONNumber.append(value, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "-0"), (1, "1"), (-1, "-1"), (0.872, "0.872"), (85.5, "85.5"),
            (0.0001, "0.0001"), (0.00012345, "0.00012345"), (0.00001, "1e-05"), (1e-7, "1e-07"),
            (1.25e-10, "1.25e-10"), (100, "100"), (1e15, "1000000000000000"),
            (9_007_199_254_740_991, "9007199254740991"),
            (9_007_199_254_740_992, "9007199254740992"),
            (1e16, "1e+16"), (1.5e300, "1.5e+300"), (.leastNonzeroMagnitude, "5e-324"),
            (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (1 / 3, "0.3333333333333333"),
            (123_456.789, "123456.789"), (2.2250738585072014e-308, "2.2250738585072014e-308"),
        ] as [(Double, String)]
    )
    func printsDoubles(_ value: Double, _ expected: String) {
        #expect(print(value) == expected)
    }

    @Test(
        arguments: [
            (0.872, "0.872"), (0.1, "0.1"), (16_777_216, "16777216"), (1e8, "100000000"),
            (.leastNonzeroMagnitude, "1e-45"), (.greatestFiniteMagnitude, "3.4028235e+38"),
            (-0.0, "-0"),
            (0.3, "0.3"), (1 / 3, "0.33333334"),
        ] as [(Float, String)]
    )
    func printsFloats(_ value: Float, _ expected: String) {
        #expect(print(value) == expected)
    }

    /// The digits and the exponent of the last one, whatever the form.
    private func decimal(_ text: String) -> [String] {
        var parts = text.split(separator: "e").map(String.init)
        var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        if halves.count > 1 { exponent -= halves[1].count }
        var digits = Array(halves.joined().drop { $0 == "-" || $0 == "0" })
        while digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        parts = [String(digits), digits.isEmpty ? "0" : "\(exponent)"]
        return parts
    }

    @Test func printsTheDigitsOfSwiftForRandomDoubles() {
        let seed: UInt64 = 20_260_305
        var random = SplitMix(seed: seed)
        for round in 0..<caseCount(release: 400_000) {
            let value =
                switch round % 4 {
                case 0: Double(bitPattern: random.next())
                case 1: Double(Int64(bitPattern: random.next()) >> (round & 63))
                case 2: Double(random.next() >> 40) / 1000
                default: Double(bitPattern: UInt64(round / 4 % 2047) << 52)
                }
            guard value.isFinite else { continue }
            let text = print(value)
            guard decimal(text) == decimal(value.description), Double(text) == value else {
                Issue.record("seed \(seed): \(value) gave \(text)")
                return
            }
        }
    }

    @Test func printsTheDigitsOfSwiftForRandomFloats() {
        let seed: UInt64 = 20_260_306
        var random = SplitMix(seed: seed)
        for round in 0..<caseCount(release: 400_000) {
            let word = UInt32(truncatingIfNeeded: random.next())
            let value =
                switch round % 3 {
                case 0: Float(bitPattern: word)
                case 1: Float(word >> 12) / 1024
                default: Float(bitPattern: UInt32(round / 3 % 255) << 23)
                }
            guard value.isFinite else { continue }
            let text = print(value)
            guard decimal(text) == decimal(value.description), Float(text) == value else {
                Issue.record("seed \(seed): \(value) gave \(text)")
                return
            }
        }
    }

    @Test(arguments: [0, 7, -7, 10, Int.max, Int.min])
    func printsIntegers(_ value: Int) {
        var bytes: [UInt8] = []
        JSONNumber.append(value, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\(value)")
    }

    @Test func trapsOnWhatJSONCannotSay() async {
        await #expect(processExitsWith: .failure) {
            var bytes: [UInt8] = []
            JSONNumber.append(Double.nan, to: &bytes)
        }
        await #expect(processExitsWith: .failure) {
            var bytes: [UInt8] = []
            JSONNumber.append(Float.infinity, to: &bytes)
        }
    }
}
