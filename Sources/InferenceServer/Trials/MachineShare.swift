// SPDX-License-Identifier: MIT

/// A share of the machines: which ones depends on their ids alone, not on versions or restarts.
///
/// Ids are hashed evenly over all 64-bit numbers, and those below the share of them belong to it.
/// So a larger share keeps the machines of a smaller one.
struct MachineShare: Sendable {
    private let bound: UInt64

    /// `share` is above 0 and below 1.
    init(_ share: Double) { bound = UInt64(share * 0x1p64) }

    func contains(_ id: Span<UInt8>) -> Bool {
        var hash = Self.basis
        for index in 0..<id.count { hash = (hash ^ UInt64(id[index])) &* Self.prime }
        return Self.mixed(hash) < bound
    }

    /// Readings that name no machine are dealt out by what they say.
    func contains(values: ArraySlice<Double>) -> Bool {
        var hash = Self.basis
        for value in values { hash = Self.mixed(hash ^ value.bitPattern) &* Self.prime }
        return Self.mixed(hash) < bound
    }

    // FNV-1a, whose upper bits are uneven for short ids, then the finaliser of SplitMix64.
    private static let basis: UInt64 = 0xCBF2_9CE4_8422_2325
    private static let prime: UInt64 = 0x0000_0100_0000_01B3

    private static func mixed(_ hash: UInt64) -> UInt64 {
        var bits = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
