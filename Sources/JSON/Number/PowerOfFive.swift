// SPDX-License-Identifier: MIT

/// The powers of five that number reading and printing need, to 128 bits each.
///
/// Entry q holds the first 128 binary digits of 5^q, rounded down, the first of them set. They
/// are computed exactly at first use, which takes some 50 microseconds: upwards by multiplying,
/// downwards by dividing a power of two large enough for every quotient to keep 128 digits.
enum PowerOfFive {
    /// 10^-342 times the largest 19-digit number is below half the least double.
    static let exponentMin = -342
    /// Printing a double takes powers up to 10^324, reading one up to 10^308.
    static let exponentMax = 324

    /// The entry for the exponent q.
    static func leadingBits(_ q: Int) -> (high: UInt64, low: UInt64) {
        let index = 2 * (q - exponentMin)
        return (table[index], table[index + 1])
    }

    private static let table: [UInt64] = {
        let count = 2 * (exponentMax - exponentMin + 1)
        var table = [UInt64](repeating: 0, count: count)
        func store(_ power: borrowing BigUnsigned, _ q: Int) {
            let bits = power.leadingBits
            table[2 * (q - exponentMin)] = bits.high
            table[2 * (q - exponentMin) + 1] = bits.low
        }
        var power = BigUnsigned(1)
        store(power, 0)
        for q in 1...exponentMax {
            power.multiply(by: 5)
            store(power, q)
        }
        // floor(floor(x / 5) / 5) = floor(x / 25), and 5^342 has 795 bits: 960 - 795 > 128.
        power = BigUnsigned(1)
        power.shiftLeft(by: 960)
        for q in 1...(-exponentMin) {
            power.divide(by: 5)
            store(power, -q)
        }
        return table
    }()
}
