// SPDX-License-Identifier: MIT

internal import JSON
import TestSupport
internal import Testing

/// The reference is Swift's `Double(String)`, which is the C library's `strtod`.
struct JSONNumberParsingTests {
    private func parse(_ text: String) -> Double? { JSONNumber.parse(Array(text.utf8).span) }

    /// Compares with the reference to the last bit.
    private func agrees(_ text: String) -> Bool {
        parse(text)?.bitPattern == Double(text)?.bitPattern
    }

    @Test(arguments: [
        "0", "-0", "0.0", "1", "-1", "85.5", "2.3", "1350", "0.1", "0.3", "1e22", "1e23", "-1e-22",
        "123456789012345678", "9007199254740993", "9007199254740992.5", "9007199254740993.5",
        "1.7976931348623157e308", "1.7976931348623158e308", "4.9e-324", "5e-324", "2.5e-324",
        "2.4703282292062327e-324", "2.4703282292062328e-324", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "2.225073858507201136057409796709131975934819546351645648e-308",
        "1e-400", "1e-999999999999999999999", "0e999999999999999999999", "7.2057594037927933e16",
        "0.000000000000000000000000000000000000000000000000001",
        "100000000000000000000000000000000",
        "3.14159265358979323846264338327950288419716939937510",
        "1.00000000000000011102230246251565",
        "1.00000000000000011102230246251566",
        "0.500000000000000166533453693773481063544750213623046875",
        "8.5e1", "8.5E+01", "00012", "+5",
    ])
    func agreesWithTheReference(_ text: String) {
        #expect(agrees(text), "\(text) gave \(String(describing: parse(text)))")
    }

    @Test(arguments: [("5.", 5.0), (".5", 0.5), ("-.5e1", -5)])
    func takesAPointWithoutDigitsOnOneSide(_ text: String, _ expected: Double) {
        #expect(parse(text) == expected)
    }

    @Test(arguments: [
        "", "-", "+", ".", "-.", "e5", "1e", "1e+", "1e5.", "1.2.3", "1 ", " 1", "1x", "--1",
        "0x10",
        "nan", "inf", "Infinity", "1,5", "1_000",
    ])
    func refusesWhatIsNoNumber(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test func tellsOverflowByAnInfinity() {
        #expect(parse("1e400") == .infinity)
        #expect(parse("-1e999999999999999999999") == -.infinity)
        #expect(parse("1.7976931348623159e308") == .infinity)
        let digits = String(repeating: "9", count: 400)
        #expect(parse(digits) == .infinity)
    }

    @Test func roundsTheMiddleAboveTheGreatestDoubleToInfinity() {
        // 2^1024 - 2^970 ends with the digit 2.
        let middle = exactMiddle(above: Double.greatestFiniteMagnitude.bitPattern)
        #expect(middle.hasSuffix("2."))
        let below = middle.dropLast(2) + "1.9999"
        #expect(parse(middle) == .infinity)
        #expect(parse(String(below)) == .greatestFiniteMagnitude)
    }

    @Test func readsNumbersOfAnyLength() {
        let zeros = String(repeating: "0", count: 5000)
        #expect(parse("0.\(zeros)1e5001") == 1)
        #expect(parse("1\(zeros)e-5000") == 1)
        #expect(parse("1.\(zeros)1") == 1)
        // The middle between 1 and the next double, and a last digit far behind it.
        #expect(parse("1.00000000000000011102230246251565404236316680908203125") == 1)
        let above = "1.00000000000000011102230246251565404236316680908203125\(zeros)1"
        #expect(parse(above) == 1.0.nextUp)
    }

    @Test func agreesOnRandomDecimals() {
        let seed: UInt64 = 20_260_301
        var random = SplitMix(seed: seed)
        for _ in 0..<caseCount(release: 400_000) {
            let mantissa = random.next() >> UInt64.random(in: 0..<64, using: &random)
            let text = "\(mantissa)e\(Int.random(in: -345...310, using: &random))"
            guard agrees(text) else {
                Issue.record("seed \(seed): \(text)")
                return
            }
        }
    }

    @Test func agreesOnRandomPlainNumbers() {
        let seed: UInt64 = 20_260_302
        var random = SplitMix(seed: seed)
        for _ in 0..<caseCount(release: 200_000) {
            let digits = "\(random.next())\(random.next())"
            let point = Int.random(in: 1...25, using: &random)
            let text = "\(digits.prefix(point)).\(digits.dropFirst(point))"
            let short = String(text.prefix(Int.random(in: point + 2...point + 12, using: &random)))
            guard agrees(text), agrees(short) else {
                Issue.record("seed \(seed): \(text) \(short)")
                return
            }
        }
    }

    @Test func agreesOnRandomDoublesIncludingSubnormals() {
        let seed: UInt64 = 20_260_303
        var random = SplitMix(seed: seed)
        for round in 0..<caseCount(release: 200_000) {
            let bits = random.next() & (round % 4 == 0 ? 1 << 55 - 1 : UInt64(Int64.max))
            let value = Double(bitPattern: bits)
            guard value.isFinite else { continue }
            let parsed = parse(value.description)
            guard parsed?.bitPattern == bits else {
                Issue.record("seed \(seed): \(value) gave \(String(describing: parsed))")
                return
            }
        }
    }

    @Test func agreesOnMiddlesBetweenDoublesAndTheirNeighbours() {
        let seed: UInt64 = 20_260_304
        var random = SplitMix(seed: seed)
        for round in 0..<caseCount(release: 20_000) {
            let range = round % 3 == 0 ? 0..<UInt64(1) << 53 : 0x3CA0 << 48..<0x4340 << 48
            let bits = UInt64.random(in: range, using: &random)
            let middle = exactMiddle(above: bits)
            let above = middle.hasSuffix("e") ? middle : middle + "1"
            guard agrees(middle), agrees(above), agrees(String(middle.dropLast())) else {
                Issue.record("seed \(seed): \(middle)")
                return
            }
        }
    }

    /// All digits of the value half-way between a double and the next.
    private func exactMiddle(above bits: UInt64) -> String {
        let biased = Int(bits >> 52)
        let fraction = bits & (1 << 52 - 1)
        var digits = decimalDigits(2 * (biased == 0 ? fraction : fraction | 1 << 52) + 1)
        let exponent = max(biased, 1) - 1076
        // m * 2^-n = m * 5^n / 10^n.
        for _ in 0..<max(0, -exponent) { multiply(&digits, by: 5) }
        for _ in 0..<max(0, exponent) { multiply(&digits, by: 2) }
        var text = digits.reversed().map { "\($0)" }.joined()
        let pointPlaces = max(0, -exponent)
        if text.count <= pointPlaces {
            text = String(repeating: "0", count: pointPlaces - text.count + 1) + text
        }
        return "\(text.dropLast(pointPlaces)).\(text.suffix(pointPlaces))"
    }

    private func decimalDigits(_ value: UInt64) -> [UInt8] {
        "\(value)".utf8.reversed().map { $0 - UInt8(ascii: "0") }
    }

    private func multiply(_ digits: inout [UInt8], by factor: UInt8) {
        var carry: UInt8 = 0
        for index in digits.indices {
            let product = digits[index] * factor + carry
            digits[index] = product % 10
            carry = product / 10
        }
        if carry > 0 { digits.append(carry) }
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-12", -12), ("9223372036854775807", Int.max),
            ("-9223372036854775808", Int.min), ("9223372036854775808", nil),
            ("-9223372036854775809", nil), ("99999999999999999999", nil), ("", nil), ("-", nil),
            ("1.0", nil), ("1e3", nil), ("+1", nil),
        ] as [(String, Int?)]
    )
    func readsIntegers(_ text: String, _ expected: Int?) {
        let bytes = Array(text.utf8)
        #expect(JSONNumber.parseInteger(bytes.span, 0..<bytes.count) == expected)
    }
}
