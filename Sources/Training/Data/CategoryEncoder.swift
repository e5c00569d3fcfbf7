// SPDX-License-Identifier: MIT

/// Gives each distinct byte string a code, in order of first appearance.
///
/// An open-addressing table over one pool of bytes: no string is made until the end, and a row
/// whose text equals that of the row before costs one comparison.
struct CategoryEncoder {
    private var pool: [UInt8] = []
    private var starts: [Int] = [0]
    private var hashes: [UInt64] = []
    private var slots = [Int32](repeating: -1, count: 64)
    private var last: Int32 = -1

    /// Number of distinct texts so far.
    var count: Int { hashes.count }

    /// The code of a text; a new one where it was not seen before.
    mutating func code(of bytes: Span<UInt8>, _ range: Range<Int>) -> Int32 {
        if last >= 0, isEqual(bytes, range, to: last) { return last }
        let hash = Self.hash(bytes, range)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let code = slots[slot]
            if hashes[Int(code)] == hash, isEqual(bytes, range, to: code) {
                last = code
                return code
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        let code = Int32(hashes.count)
        slots[slot] = code
        hashes.append(hash)
        for index in range { pool.append(bytes[index]) }
        starts.append(pool.count)
        if hashes.count * 2 > slots.count { grow() }
        last = code
        return code
    }

    /// The distinct texts in the order of their codes.
    func texts() -> [String] {
        (0..<count).map { String(decoding: pool[starts[$0]..<starts[$0 + 1]], as: UTF8.self) }
    }

    private func isEqual(_ bytes: Span<UInt8>, _ range: Range<Int>, to code: Int32) -> Bool {
        let start = starts[Int(code)]
        guard starts[Int(code) + 1] - start == range.count else { return false }
        for offset in 0..<range.count
        where bytes[range.lowerBound + offset] != pool[start + offset] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for (code, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(code)
        }
    }

    /// FNV-1a with a final mix: short keys, and no adversary who gains by collisions here.
    private static func hash(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in range { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return hash ^ (hash >> 29)
    }
}
