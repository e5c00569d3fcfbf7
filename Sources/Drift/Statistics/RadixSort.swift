// SPDX-License-Identifier: MIT

/// Sorts Doubles by their bits, eleven at a time: a fraction of the time of comparing them where
/// there are many.
///
/// The upper 33 bits of what tells the values apart put nearly all of them where they belong, in
/// three passes; what is left is moved by an insertion sort. Only where that would have much to
/// move, since thousands of values differ in their lower bits alone, do more passes sort by all.
package enum RadixSort {
    private static let digitBits = 11
    private static let digitCount = 1 << digitBits
    private static let upperPasses = 3
    private static let signBit: UInt64 = 1 << 63
    /// Below it comparing is faster than clearing the counters.
    private static let countMin = 512
    /// Places by which an insertion sort may move each value on average: about what the passes
    /// cost that it saves.
    private static let movesMax = 8

    /// The values in ascending order; none may be NaN.
    ///
    /// - Complexity: O(n).
    package static func sorted(_ values: [Double]) -> [Double] {
        guard values.count >= countMin else { return values.sorted() }
        var (least, most) = (UInt64.max, UInt64.min)
        var keys = values.map { value in
            let key = key(value)
            least = min(least, key)
            most = max(most, key)
            return key
        }
        // What all have in common orders nothing.
        for index in keys.indices { keys[index] &-= least }
        let bits = UInt64.bitWidth - (most - least).leadingZeroBitCount
        let lowerBits = max(0, bits - upperPasses * digitBits)
        sort(&keys, from: lowerBits, to: bits)
        if lowerBits > 0, !insert(&keys) { sort(&keys, from: 0, to: bits) }
        return keys.map { value($0 &+ least) }
    }

    /// Sorts by some of the bits and leaves in their order those that are equal in these.
    private static func sort(_ keys: inout [UInt64], from first: Int, to end: Int) {
        let passes = (end - first + digitBits - 1) / digitBits
        let shifts = (0..<passes).map { UInt64(first + $0 * digitBits) }
        var places = counts(keys.span, shifts.span)
        var target = Array(repeating: UInt64(0), count: keys.count)
        for (pass, shift) in shifts.enumerated() {
            let first = pass * digitCount
            // All values have one digit here, as the low bits of Floats: there is nothing to do.
            guard places[first + digit(keys[0], shift)] < keys.count else { continue }
            var sum = 0
            for place in first..<first + digitCount {
                (places[place], sum) = (sum, sum &+ places[place])
            }
            var free = places.mutableSpan
            var written = target.mutableSpan
            move(keys.span, by: shift, &free, from: first, to: &written)
            swap(&keys, &target)
        }
    }

    /// Writes each key to the next place that is free for its digit.
    private static func move(
        _ keys: Span<UInt64>,
        by shift: UInt64,
        _ places: inout MutableSpan<Int>,
        from first: Int,
        to target: inout MutableSpan<UInt64>
    ) {
        for index in keys.indices {
            let key = keys[index]
            let digit = first &+ digit(key, shift)
            let place = places[digit]
            target[place] = key
            places[digit] = place &+ 1
        }
    }

    /// How often each digit has each value, digit after digit.
    private static func counts(_ keys: Span<UInt64>, _ shifts: Span<UInt64>) -> [Int] {
        var counts = Array(repeating: 0, count: shifts.count * digitCount)
        var sums = counts.mutableSpan
        for index in keys.indices {
            let key = keys[index]
            for pass in shifts.indices {
                sums[pass &* digitCount &+ digit(key, shifts[pass])] &+= 1
            }
        }
        return counts
    }

    /// Moves every value before those that are larger; false where that is too much to move, and
    /// the values are then in any order.
    private static func insert(_ values: inout [UInt64]) -> Bool {
        var keys = values.mutableSpan
        var moves = movesMax * keys.count
        for index in 1..<keys.count {
            let key = keys[index]
            var place = index
            while place > 0, keys[place - 1] > key {
                keys[place] = keys[place - 1]
                place -= 1
            }
            if place < index { keys[place] = key }
            moves -= index - place
            if moves < 0 { return false }
        }
        return true
    }

    @inline(__always)
    private static func digit(_ key: UInt64, _ shift: UInt64) -> Int {
        Int(truncatingIfNeeded: key &>> shift) & (digitCount - 1)
    }

    /// A whole number that orders as the value does.
    @inline(__always)
    private static func key(_ value: Double) -> UInt64 {
        // Adding 0 makes -0 the 0 that it equals.
        let bits = (value + 0).bitPattern
        return bits & signBit == 0 ? bits | signBit : ~bits
    }

    @inline(__always)
    private static func value(_ key: UInt64) -> Double {
        Double(bitPattern: key & signBit == 0 ? ~key : key & ~signBit)
    }
}
