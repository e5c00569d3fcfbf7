// SPDX-License-Identifier: MIT
//
// Kernels of the feature engine for a reading: cleaning it, and adding it to its pane. As
// Kernel.swift, this source is compiled once per instruction set, under the same rules. Whole
// numbers are exact, and the operations on Double are the same in the same order everywhere, none
// fused: every build gives the same bits.
//
// SAFETY: every pointer stands for as many elements as the numbers beside it say; the one caller,
// FeatureKernels in Features, checks them against the storage, and no kernel reads or writes beyond
// them or keeps a pointer.

/// Takes a reading's values, NaN for none, and notes what the record keeps of the sensors.
///
/// accepted[2][count] are the least and the most that counts as measured. Of a record, `last`
/// (Double) are the last measured values and `equal` (UInt32) how many equal ones in a row they
/// are, the highest bit set where the reading before lacked the sensor.
///
/// values[count] lose what was not accepted; previous[count] take the last values, without
/// `fillsForward` only those of the reading before; flags[count], bytes, say 1 missing, 2 out of
/// range. Where `advances`, the values become the last ones, and from stuckAfter[count] equal
/// readings on a flag says 8.
@inline(never) public func readSensors(
    _ count: Int,
    _ accepted: UnsafePointer<Double>,
    _ stuckAfter: UnsafePointer<UInt32>,
    _ fillsForward: Bool,
    _ advances: Bool,
    _ last: UnsafeMutableRawPointer,
    _ equal: UnsafeMutableRawPointer,
    _ values: UnsafeMutablePointer<Double>,
    _ flags: UnsafeMutableRawPointer,
    _ previous: UnsafeMutablePointer<Double>
) {
    let missingBit: UInt32 = 1 << 31
    var s = 0
    while s < count {
        let value = unsafe values[s]
        let before = unsafe last.load(fromByteOffset: 8 &* s, as: Double.self)
        var run = unsafe equal.load(fromByteOffset: 4 &* s, as: UInt32.self)
        unsafe previous[s] = fillsForward || run & missingBit == 0 ? before : .nan
        var flag: UInt8 = 0
        if unsafe value >= accepted[s] && value <= accepted[count &+ s] {
            if advances {
                run = value == before ? run & ~missingBit &+ 1 : 1
                if run == missingBit { run = ~missingBit }
                if unsafe run >= stuckAfter[s] { flag = 8 }
                unsafe last.storeBytes(of: value, toByteOffset: 8 &* s, as: Double.self)
            }
        } else {
            flag = value == value ? 2 : 1
            unsafe values[s] = .nan
            if advances { run |= missingBit }
        }
        unsafe equal.storeBytes(of: run, toByteOffset: 4 &* s, as: UInt32.self)
        unsafe flags.storeBytes(of: flag, toByteOffset: s, as: UInt8.self)
        s &+= 1
    }
}

/// The last stages of cleaning: values[count] -> inputs[count], and previous[count] in place.
///
/// cleaning[3][count] are what stands in for a value that is missing and, with `fillsForward`, was
/// never measured before, and the bounds to which values are clipped. Such a value gets 4 in flags.
@inline(never) public func cleanSensors(
    _ count: Int,
    _ cleaning: UnsafePointer<Double>,
    _ fillsForward: Bool,
    _ values: UnsafePointer<Double>,
    _ flags: UnsafeMutableRawPointer,
    _ inputs: UnsafeMutablePointer<Double>,
    _ previous: UnsafeMutablePointer<Double>
) {
    var s = 0
    while s < count {
        let (least, most) = unsafe (cleaning[count &+ s], cleaning[2 &* count &+ s])
        let before = unsafe previous[s]
        var value = unsafe values[s]
        if value != value {
            value = fillsForward ? before : value
            if value != value {
                value = unsafe cleaning[s]
                let flag = unsafe flags.load(fromByteOffset: s, as: UInt8.self)
                unsafe flags.storeBytes(of: flag | 4, toByteOffset: s, as: UInt8.self)
            }
        }
        unsafe inputs[s] = clipped(value, least, most)
        unsafe previous[s] = clipped(before == before ? before : cleaning[s], least, most)
        s &+= 1
    }
}

@inline(__always) private func clipped(_ x: Double, _ least: Double, _ most: Double) -> Double {
    let raised = least >= x ? least : x
    return most < raised ? most : raised
}

/// The nearest of the steps 0 to 2^32 - 1; half a step and more goes up.
@inline(__always) private func quantised(_ steps: Double) -> UInt64 {
    if steps >= 4_294_967_294.5 { return 4_294_967_295 }
    let x = steps > 0 ? steps : 0
    // Adding and taking off 2^52 rounds to the nearest integer, kept in the low bits.
    let shifted = x + 4_503_599_627_370_496
    let nearest = shifted - 4_503_599_627_370_496
    let step = shifted.bitPattern & 0xFFFF_FFFF
    // A half goes to the even side in that; the difference is exact.
    return x - nearest == 0.5 ? step &+ 1 : step
}

/// Adds a reading's values, NaN for none, to their gauges' numbers in a pane.
///
/// shape[6] are a record's panes, a pane's words, the gauges, and where the sums, the squares and
/// the maxima of the first gauge stand in a pane, the last in halves of words; negative where they
/// are not kept. pane[0] is its index: where it is not `epoch`, the pane begins anew.
/// values[sensors[g]] is gauge g's, scale[2][gauges] their lower bounds and steps per unit. At
/// `countMax` readings a gauge takes no more.
@inline(never) public func addReading(
    _ pane: UnsafeMutablePointer<UInt64>,
    _ shape: UnsafePointer<Int>,
    _ epoch: Int64,
    _ values: UnsafePointer<Double>,
    _ sensors: UnsafePointer<Int>,
    _ scale: UnsafePointer<Double>,
    _ countMax: UInt64
) {
    let (width, gauges) = unsafe (shape[1], shape[2])
    let (sums, squares, maxima) = unsafe (shape[3], shape[4], shape[5])
    if unsafe pane[0] != UInt64(bitPattern: epoch) {
        unsafe pane[0] = UInt64(bitPattern: epoch)
        var word = 1
        while word < width {
            unsafe pane[word] = 0
            word &+= 1
        }
    }
    var g = 0
    while g < gauges {
        let value = unsafe values[sensors[g]]
        let place = sums &+ gauges &+ g
        var count = unsafe pane[place]
        if value == value, count & 0xFFFF_FFFF < countMax {
            let step = unsafe quantised((value - scale[g]) * scale[gauges &+ g])
            count &+= 1
            unsafe pane[sums &+ g] &+= step
            if squares >= 0 {
                let sum = unsafe pane[squares &+ g] &+ step &* step
                unsafe pane[squares &+ g] = sum
                if sum < step &* step { count &+= 1 << 32 }
            }
            unsafe pane[place] = count
            if maxima >= 0 {
                let at = unsafe UnsafeMutableRawPointer(pane) + (maxima &+ g) &* 4
                let largest = unsafe UInt64(at.load(as: UInt32.self))
                if step > largest {
                    unsafe at.storeBytes(of: UInt32(truncatingIfNeeded: step), as: UInt32.self)
                }
            }
        }
        g &+= 1
    }
}
