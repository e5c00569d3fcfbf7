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
        append(digits: whole, count: digitCount(of: whole), to: &output)
        guard rest > 0 else { return }
        output.append(UInt8(ascii: "."))
        if rest % 10 > 0 {
            append(digits: rest, count: 3, to: &output)
        } else if rest % 100 > 0 {
            append(digits: rest / 10, count: 2, to: &output)
        } else {
            append(digits: rest / 100, count: 1, to: &output)
        }
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
            let digits = UInt64(value.magnitude)
            append(digits: digits, count: digitCount(of: digits), to: &output)
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
        let count = digitCount(of: decimal.digits)
        // The value is 0.ddd * 10^point.
        let point = count + decimal.exponent
        guard decimal.digits == 0 || (point > -4 && point <= 16) else {
            appendScientific(DecimalDigits(decimal.digits), point - 1, to: &output)
            return
        }
        if point <= 0 {
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: "."))
            append(digits: decimal.digits, count: count - point, to: &output)
        } else if point < count {
            let digits = DecimalDigits(decimal.digits)
            digits.append(0..<point, to: &output)
            output.append(UInt8(ascii: "."))
            digits.append(point..<count, to: &output)
        } else {
            append(digits: decimal.digits, count: count, to: &output)
            for _ in count..<point { output.append(UInt8(ascii: "0")) }
        }
    }

    /// How many decimal digits an integer has; 0 has one.
    private static func digitCount(of value: UInt64) -> Int {
        var rest = value
        var count = 1
        while rest >= 10_000 {
            rest /= 10_000
            count &+= 4
        }
        while rest >= 10 {
            rest /= 10
            count &+= 1
        }
        return count
    }

    /// Appends the lowest `count` digits, with zeros before them where there are fewer.
    private static func append(
        digits value: UInt64,
        count: Int,
        to output: inout OutputSpan<UInt8>
    ) {
        let zero = UInt8(ascii: "0")
        let start = output.count
        // Room for all first: an append for each digit would look for it each time.
        output.append(repeating: zero, count: count)
        var bytes = output.mutableSpan
        var rest = value
        var place = start &+ count
        while place &- start >= 2 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            let (tens, ones) = UInt32(truncatingIfNeeded: pair).quotientAndRemainder(dividingBy: 10)
            place &-= 2
            bytes[place] = zero &+ UInt8(truncatingIfNeeded: tens)
            bytes[place &+ 1] = zero &+ UInt8(truncatingIfNeeded: ones)
            rest = quotient
        }
        if place > start { bytes[start] = zero &+ UInt8(truncatingIfNeeded: rest % 10) }
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
