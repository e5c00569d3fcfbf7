// SPDX-License-Identifier: MIT

extension JSONNumber {
    /// Appends the shortest decimal that reads back as the same double: plain between 0.0001 and
    /// 1e16, with an exponent of two digits or more outside, integers without a point.
    ///
    /// The digits are those of Swift's `description`. JSON has no spelling for a value that is
    /// not finite: giving one is a mistake of the caller and traps.
    package static func append(_ value: Double, to output: inout [UInt8]) {
        output.append(addingCapacity: byteCountMax) { append(value, to: &$0) }
    }

    /// Appends the shortest decimal of a double to an output that has room for ``byteCountMax``
    /// bytes.
    package static func append(_ value: Double, to output: inout OutputSpan<UInt8>) {
        precondition(value.isFinite, "JSON has no NaN or Infinity")
        let decimal = ShortestDecimal(value.magnitude)
        append(decimal, isNegative: value.sign == .minus, to: &output)
    }

    /// Appends a count of thousandths that is not negative, as the shortest decimal of its double
    /// would be up to 2^53, to an output that has room for ``byteCountMax`` bytes.
    package static func append(thousandths value: Int, to output: inout OutputSpan<UInt8>) {
        let (whole, rest) = UInt64(value).quotientAndRemainder(dividingBy: 1000)
        let digits = DecimalDigits(whole)
        digits.append(0..<digits.count, to: &output)
        guard rest > 0 else { return }
        // 1 before the rest keeps its leading zeros.
        let fraction = DecimalDigits(1000 + rest)
        let end = rest % 10 > 0 ? 4 : rest % 100 > 0 ? 3 : 2
        output.append(UInt8(ascii: "."))
        fraction.append(1..<end, to: &output)
    }

    /// Appends the shortest decimal that reads back as the same float, in the form of doubles.
    package static func append(_ value: Float, to output: inout [UInt8]) {
        precondition(value.isFinite, "JSON has no NaN or Infinity")
        let decimal = ShortestDecimal(value.magnitude)
        output.append(addingCapacity: byteCountMax) { output in
            append(decimal, isNegative: value.sign == .minus, to: &output)
        }
    }

    /// Appends an integer.
    package static func append(_ value: Int, to output: inout [UInt8]) {
        output.append(addingCapacity: byteCountMax) { output in
            if value < 0 { output.append(UInt8(ascii: "-")) }
            let digits = DecimalDigits(UInt64(value.magnitude))
            digits.append(0..<digits.count, to: &output)
        }
    }

    /// More than the 24 bytes of `-2.2250738585072014e-308`, the longest form.
    package static let byteCountMax = 32

    private static func append(
        _ decimal: ShortestDecimal,
        isNegative: Bool,
        to output: inout OutputSpan<UInt8>
    ) {
        if isNegative { output.append(UInt8(ascii: "-")) }
        let digits = DecimalDigits(decimal.digits)
        // The value is 0.ddd * 10^point.
        let point = digits.count + decimal.exponent
        guard decimal.digits == 0 || (point > -4 && point <= 16) else {
            appendScientific(digits, point - 1, to: &output)
            return
        }
        if point <= 0 {
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: "."))
            for _ in point..<0 { output.append(UInt8(ascii: "0")) }
            digits.append(0..<digits.count, to: &output)
        } else if point < digits.count {
            digits.append(0..<point, to: &output)
            output.append(UInt8(ascii: "."))
            digits.append(point..<digits.count, to: &output)
        } else {
            digits.append(0..<digits.count, to: &output)
            for _ in digits.count..<point { output.append(UInt8(ascii: "0")) }
        }
    }

    private static func appendScientific(
        _ digits: DecimalDigits,
        _ exponent: Int,
        to output: inout OutputSpan<UInt8>
    ) {
        digits.append(0..<1, to: &output)
        if digits.count > 1 {
            output.append(UInt8(ascii: "."))
            digits.append(1..<digits.count, to: &output)
        }
        output.append(UInt8(ascii: "e"))
        output.append(UInt8(ascii: exponent < 0 ? "-" : "+"))
        let places = DecimalDigits(UInt64(exponent.magnitude))
        if places.count < 2 { output.append(UInt8(ascii: "0")) }
        places.append(0..<places.count, to: &output)
    }
}

/// The decimal digits of an integer, in fixed storage; 0 has one.
private struct DecimalDigits {
    private var storage: InlineArray<20, UInt8> = .init(repeating: UInt8(ascii: "0"))
    private let start: Int

    var count: Int { 20 - start }

    init(_ value: UInt64) {
        var rest = value
        var index = 20
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            index -= 1
            storage[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        } while rest != 0
        start = index
    }

    func append(_ range: Range<Int>, to output: inout OutputSpan<UInt8>) {
        for index in range { output.append(storage[start + index]) }
    }
}
