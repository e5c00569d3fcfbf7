// SPDX-License-Identifier: MIT

/// An unsigned integer of up to 4,608 bits in fixed storage, lowest word first.
///
/// That is room for the largest product of ``DecimalComparison`` (under 2,700 bits) and for the
/// powers of ``PowerOfFive``; more is a mistake of ours and traps.
struct BigUnsigned {
    private var words: InlineArray<72, UInt64> = .init(repeating: 0)
    /// How many words are in use; the highest of them is not 0.
    private var count = 0

    init(_ value: UInt64) {
        words[0] = value
        count = value == 0 ? 0 : 1
    }

    /// Replaces the value by `value * factor + addend`.
    mutating func multiply(by factor: UInt64, adding addend: UInt64 = 0) {
        var carry = addend
        for index in 0..<count {
            let (high, low) = words[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            words[index] = sum
            carry = high + (overflow ? 1 : 0)
        }
        if carry != 0 {
            words[count] = carry
            count += 1
        }
    }

    /// Multiplies by 5 to the given power.
    mutating func multiply(byPowerOfFive exponent: Int) {
        var rest = exponent
        while rest >= 27 {
            multiply(by: 7_450_580_596_923_828_125)  // 5^27, the largest in 64 bits
            rest -= 27
        }
        var factor: UInt64 = 1
        for _ in 0..<rest { factor *= 5 }
        if rest > 0 { multiply(by: factor) }
    }

    /// Divides by a small number and drops the remainder.
    mutating func divide(by divisor: UInt64) {
        var remainder: UInt64 = 0
        for index in stride(from: count - 1, through: 0, by: -1) {
            let result = divisor.dividingFullWidth((remainder, words[index]))
            words[index] = result.quotient
            remainder = result.remainder
        }
        if count > 0, words[count - 1] == 0 { count -= 1 }
    }

    /// Multiplies by 2 to the given power.
    mutating func shiftLeft(by bits: Int) {
        guard count > 0, bits > 0 else { return }
        let wordShift = bits / 64
        let bitShift = UInt64(bits % 64)
        words[count + wordShift] = 0
        for index in stride(from: count - 1, through: 0, by: -1) {
            let word = words[index]
            words[index] = 0
            if bitShift == 0 {
                words[index + wordShift] = word
            } else {
                words[index + wordShift + 1] |= word >> (64 - bitShift)
                words[index + wordShift] = word << bitShift
            }
        }
        count += wordShift + 1
        if words[count - 1] == 0 { count -= 1 }
    }

    /// The highest 128 bits, the first of them set; a shorter value is filled with zeros below.
    var leadingBits: (high: UInt64, low: UInt64) {
        precondition(count > 0)
        let shift = UInt64(words[count - 1].leadingZeroBitCount)
        let first = words[count - 1]
        let second = count > 1 ? words[count - 2] : 0
        let third = count > 2 ? words[count - 3] : 0
        guard shift > 0 else { return (first, second) }
        return (first << shift | second >> (64 - shift), second << shift | third >> (64 - shift))
    }

    /// -1, 0 or 1 as this value is less than, equal to or greater than the other.
    func compare(to other: borrowing BigUnsigned) -> Int {
        if count != other.count { return count < other.count ? -1 : 1 }
        for index in stride(from: count - 1, through: 0, by: -1)
        where words[index] != other.words[index] {
            return words[index] < other.words[index] ? -1 : 1
        }
        return 0
    }
}
