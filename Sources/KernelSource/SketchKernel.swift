// SPDX-License-Identifier: MIT
//
// Counts a row into the sketch of live drift. As Kernel.swift, this source is compiled
// once per instruction set, under the same rules.
//
// SAFETY: every pointer stands for as many elements as the numbers beside it say; the one caller,
// BorderCounts in Features, checks them against the storage, and no kernel reads or writes beyond
// them or keeps a pointer.

private typealias F = SIMD16<Float>
private typealias W = SIMD16<UInt32>

/// values[count], borders[count][16] -> above[count][16], each one more where the value is larger
/// than the border; none is larger than a border that is no number, nor is what is no number.
///
/// No border may be -0, which is smaller than 0 by its sign alone.
@inline(never) public func countAboveBorders(
    _ count: Int,
    _ values: UnsafePointer<Float>,
    _ borders: UnsafePointer<Float>,
    _ above: UnsafeMutablePointer<UInt32>
) {
    var column = 0
    while column < count {
        let from = unsafe UnsafeRawPointer(borders + column &* 16).loadUnaligned(as: F.self)
        let to = unsafe UnsafeMutableRawPointer(above + column &* 16)
        // The sign of a difference is a comparison of all sixteen that needs no mask, of which
        // Swift makes a call for each. The sign of one with what is no number is that of it, 0.
        let signs = unsafe unsafeBitCast(from - F(repeating: values[column]), to: W.self)
        let counts = unsafe UnsafeRawPointer(to).loadUnaligned(as: W.self)
        unsafe to.storeBytes(of: counts &+ (signs &>> W(repeating: 31)), as: W.self)
        column &+= 1
    }
}
