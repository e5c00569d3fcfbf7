// SPDX-License-Identifier: MIT
//
// Kernels of the feature engine for windows: sums over panes, statistics, scaling. As
// Kernel.swift, this source is compiled once per instruction set, under the same rules. Whole
// numbers are exact, and the operations on Double are the same in the same order everywhere, none
// fused: every build gives the same bits.
//
// SAFETY: every pointer stands for as many elements as the numbers beside it say; the one caller,
// FeatureKernels in Features, checks them against the storage, and no kernel reads or writes beyond
// them or keeps a pointer.

private typealias Q = SIMD4<UInt64>
private typealias D = SIMD4<Double>

// MARK: - Vectors

@inline(__always) private func load(_ p: UnsafePointer<UInt64>, _ i: Int) -> Q {
    unsafe UnsafeRawPointer(p + i).loadUnaligned(as: Q.self)
}

@inline(__always) private func load(_ p: UnsafePointer<Double>, _ i: Int) -> D {
    unsafe UnsafeRawPointer(p + i).loadUnaligned(as: D.self)
}

@inline(__always) private func store(_ v: Q, _ p: UnsafeMutablePointer<UInt64>, _ i: Int) {
    unsafe UnsafeMutableRawPointer(p + i).storeBytes(of: v, as: Q.self)
}

@inline(__always) private func store(_ v: D, _ p: UnsafeMutablePointer<Double>, _ i: Int) {
    unsafe UnsafeMutableRawPointer(p + i).storeBytes(of: v, as: D.self)
}

@inline(__always) private var lower32: Q { Q(repeating: 0xFFFF_FFFF) }

/// The numbers below 2^52 as Doubles, exactly: set below the bits of 2^52, which is taken off.
@inline(__always) private func double(_ v: Q) -> D {
    let shifted = v | Q(repeating: 0x4330_0000_0000_0000)
    return unsafe unsafeBitCast(shifted, to: D.self) - D(repeating: 4_503_599_627_370_496)
}

@inline(__always) private func squareRoot(_ v: D) -> D {
    D(v[0].squareRoot(), v[1].squareRoot(), v[2].squareRoot(), v[3].squareRoot())
}
// MARK: - Sums over panes

/// Four gauges' sums over panes; the upper halves of the squares are added up apart.
private typealias Sums = (sum: Q, counts: Q, squares: Q, upper: Q, maxima: SIMD4<UInt32>)

/// Where things stand in a pane, in words from its start, maxima in halves of words.
private typealias Places = (sums: Int, counts: Int, squares: Int, maxima: Int)

/// Words of a pane from `first` on: four, or the `count` that there are.
@inline(__always) private func words(_ pane: UnsafePointer<UInt64>, _ first: Int, _ count: Int) -> Q
{
    if count == 4 { return unsafe load(pane, first) }
    let second = count > 1 ? unsafe pane[first &+ 1] : 0
    return unsafe Q(pane[first], second, count > 2 ? pane[first &+ 2] : 0, 0)
}

/// Likewise halves of words.
@inline(__always) private func halves(
    _ pane: UnsafePointer<UInt64>,
    _ first: Int,
    _ count: Int
) -> SIMD4<UInt32> {
    let p = unsafe UnsafeRawPointer(pane) + first &* 4
    if count == 4 { return unsafe p.loadUnaligned(as: SIMD4<UInt32>.self) }
    let second = count > 1 ? unsafe p.load(fromByteOffset: 4, as: UInt32.self) : 0
    let third = count > 2 ? unsafe p.load(fromByteOffset: 8, as: UInt32.self) : 0
    return unsafe SIMD4<UInt32>(p.load(as: UInt32.self), second, third, 0)
}

@inline(__always) private func add(
    _ pane: UnsafePointer<UInt64>,
    _ at: Places,
    _ first: Int,
    _ count: Int,
    _ sums: inout Sums
) {
    sums.sum &+= unsafe words(pane, at.sums &+ first, count)
    sums.counts &+= unsafe words(pane, at.counts &+ first, count)
    let squares = unsafe words(pane, at.squares &+ first, count)
    sums.squares &+= squares
    sums.upper &+= squares &>> Q(repeating: 32)
    let maxima = unsafe halves(pane, at.maxima &+ first, count)
    sums.maxima.replace(with: maxima, where: maxima .> sums.maxima)
}

/// Where the sums of windows go: totals[4][stride], maxima[stride].
private typealias Totals = (
    words: UnsafeMutablePointer<UInt64>, maxima: UnsafeMutablePointer<UInt32>, stride: Int
)

@inline(__always) private func store(_ sums: Sums, _ totals: Totals, _ entry: Int) {
    let stride = unsafe totals.stride
    // The lower halves of the squares, of which there are few: their sum leaves no word.
    let lower = sums.squares &- sums.upper &<< Q(repeating: 32)
    let carries = (sums.upper &+ lower &>> Q(repeating: 32)) &>> Q(repeating: 32)
    unsafe store(sums.sum, totals.words, entry)
    unsafe store(sums.counts & lower32, totals.words, stride &+ entry)
    unsafe store(sums.squares, totals.words, 2 &* stride &+ entry)
    let above = sums.counts &>> Q(repeating: 32) &+ carries
    unsafe store(above, totals.words, 3 &* stride &+ entry)
    unsafe UnsafeMutableRawPointer(totals.maxima + entry)
        .storeBytes(of: sums.maxima, as: SIMD4<UInt32>.self)
}

/// The windows of up to four gauges from `first` on.
@inline(__always) private func sumGauges(
    _ ring: UnsafePointer<UInt64>,
    _ panes: UnsafePointer<UInt32>,
    _ ends: UnsafePointer<Int>,
    _ windows: Int,
    _ at: Places,
    _ gauges: Int,
    _ first: Int,
    _ count: Int,
    _ totals: Totals
) {
    var sums: Sums = (Q(), Q(), Q(), Q(), SIMD4<UInt32>())
    var next = 0
    var window = 0
    while window < windows {
        let end = unsafe ends[window]
        while next < end {
            unsafe add(ring + Int(panes[next]), at, first, count, &sums)
            next &+= 1
        }
        unsafe store(sums, totals, window &* gauges &+ first)
        window &+= 1
    }
}

/// Where the panes begin whose index is the one that is wanted there, and how many each window has.
@inline(__always) private func findPanes(
    _ ring: UnsafePointer<UInt64>,
    _ shape: UnsafePointer<Int>,
    _ place: Int,
    _ epoch: Int64,
    _ lengths: UnsafePointer<Int>,
    _ windows: Int,
    _ panes: UnsafeMutablePointer<UInt32>,
    _ ends: UnsafeMutablePointer<Int>
) {
    let (count, width) = unsafe (shape[0], shape[1])
    var pane = place &* width
    var wanted = UInt64(bitPattern: epoch)
    var (live, back, window) = (0, 0, 0)
    while window < windows {
        let length = unsafe lengths[window]
        while back < length {
            unsafe panes[live] = UInt32(truncatingIfNeeded: pane)
            live &+= unsafe ring[pane] == wanted ? 1 : 0
            pane = (pane == 0 ? count &* width : pane) &- width
            wanted &-= 1
            back &+= 1
        }
        unsafe ends[window] = live
        window &+= 1
    }
}

/// Adds up the panes that hold readings of the windows' time, window by window, each beginning with
/// the sums of the one before.
///
/// ring[shape[0]][shape[1]] are the panes, with the shape of ``addReading``, the newest at `place`
/// with the index `epoch`; lengths[windows] are in panes, ascending, at most as many as there are.
/// panes[longest] and ends[windows] take where the panes begin and how many each window has;
/// sums[4][stride] sums, counts, squares (lower 64 bits, then what is above them), an entry for
/// each window and gauge, maxima[stride] likewise. Up to three elements behind the last entry are
/// written too, and something where squares or maxima are not kept.
@inline(never) public func sumWindows(
    _ ring: UnsafePointer<UInt64>,
    _ shape: UnsafePointer<Int>,
    _ place: Int,
    _ epoch: Int64,
    _ lengths: UnsafePointer<Int>,
    _ windows: Int,
    _ panes: UnsafeMutablePointer<UInt32>,
    _ ends: UnsafeMutablePointer<Int>,
    _ sums: UnsafeMutablePointer<UInt64>,
    _ maxima: UnsafeMutablePointer<UInt32>,
    _ stride: Int
) {
    unsafe findPanes(ring, shape, place, epoch, lengths, windows, panes, ends)
    let (gauges, first) = unsafe (shape[2], shape[3])
    if gauges == 0 { return }
    let squares = unsafe shape[4] < 0 ? first : shape[4]
    let largest = unsafe shape[5] < 0 ? 2 &* first : shape[5]
    let at = (sums: first, counts: first &+ gauges, squares: squares, maxima: largest)
    let totals: Totals = unsafe (sums, maxima, stride)
    if gauges < 4 {
        unsafe sumGauges(ring, panes, ends, windows, at, gauges, 0, gauges, totals)
        return
    }
    var gauge = 0
    while true {
        unsafe sumGauges(ring, panes, ends, windows, at, gauges, gauge, 4, totals)
        if gauge &+ 4 == gauges { return }
        // The last four overlap those before where their number is no multiple of four.
        gauge = gauge &+ 8 <= gauges ? gauge &+ 4 : gauges &- 4
    }
}

// MARK: - Statistics

/// `n * sum(q^2) - sum(q)^2` as the nearest Double; counts below 2^20, steps below 2^32.
///
/// Numbers are taken apart into words of 32 bits, whose products are exact.
@inline(__always) private func spread(_ sum: Q, _ n: Q, _ squares: Q, _ above: Q) -> D {
    let shift = Q(repeating: 32)
    let mask = lower32
    let a = n &* (squares & mask)
    let b = n &* (squares &>> shift) &+ a &>> shift
    let c = n &* (above & mask) &+ b &>> shift
    let (low, high) = (sum & mask, sum &>> shift)
    let d = low &* low
    let product = low &* high
    let e = product &+ product &+ d &>> shift
    let f = high &* high &+ e &>> shift
    let minuend = b &<< shift | a & mask
    let subtrahend = e &<< shift | d & mask
    let lower = minuend &- subtrahend
    let upper =
        c &- f
        &- Q(repeating: 0).replacing(
            with: Q(repeating: 1),
            where: minuend .< subtrahend
        )
    // Two numbers of at most 52 bits, of which the first times 2^52 is exact: one rounding.
    let bottom = lower & Q(repeating: 0xF_FFFF_FFFF_FFFF)
    let top = lower &>> Q(repeating: 52) | upper &<< Q(repeating: 12)
    return double(top) * D(repeating: 4_503_599_627_370_496) + double(bottom)
}

/// Mean, standard deviation and maximum of `count` entries, a multiple of four -> [3][count] from
/// `start` of y.
///
/// totals[4][count] and maxima[count] are those of ``sumWindows``, cells[2][count] the lower bound
/// and the step of each entry's gauge. Right where an entry's count is 2 to 2^20 - 1.
@inline(never) public func windowStatistics(
    _ totals: UnsafePointer<UInt64>,
    _ maxima: UnsafePointer<UInt32>,
    _ cells: UnsafePointer<Double>,
    _ count: Int,
    _ to: UnsafeMutablePointer<Double>,
    _ start: Int
) {
    let y = unsafe to + start
    var i = 0
    while i < count {
        let sum = unsafe load(totals, i)
        let n = unsafe load(totals, count &+ i)
        let squares = unsafe load(totals, 2 &* count &+ i)
        let above = unsafe load(totals, 3 &* count &+ i)
        let lowerBound = unsafe load(cells, i)
        let step = unsafe load(cells, count &+ i)
        let readings = double(n & lower32)
        unsafe store(lowerBound + double(sum) / readings * step, y, i)
        let pairs = readings * (readings - D(repeating: 1))
        let variance = spread(sum, n & lower32, squares, above) / pairs
        unsafe store(squareRoot(variance) * step, y, count &+ i)
        let (first, second) = unsafe (UInt64(maxima[i]), UInt64(maxima[i &+ 1]))
        let (third, fourth) = unsafe (UInt64(maxima[i &+ 2]), UInt64(maxima[i &+ 3]))
        let maximum = Q(first, second, third, fourth)
        unsafe store(lowerBound + double(maximum) * step, y, 2 &* count &+ i)
        i &+= 4
    }
}

// MARK: - Scaling

/// Four numbers of inputs[place[i]], scaled.
@inline(__always) private func scale(
    _ inputs: UnsafePointer<Double>,
    _ places: UnsafePointer<Int>,
    _ scaling: (centers: UnsafePointer<Double>, scales: UnsafePointer<Double>, clip: Double),
    _ x: UnsafeMutablePointer<Double>,
    _ y: UnsafeMutablePointer<Float>,
    _ i: Int
) {
    let (first, second) = unsafe (inputs[places[i]], inputs[places[i &+ 1]])
    let (third, fourth) = unsafe (inputs[places[i &+ 2]], inputs[places[i &+ 3]])
    var v = D(first, second, third, fourth)
    unsafe store(v, x, i)
    v = unsafe (v - load(scaling.centers, i)) / load(scaling.scales, i)
    let clip = unsafe scaling.clip
    v.replace(with: D(repeating: -clip), where: D(repeating: -clip) .>= v)
    v.replace(with: D(repeating: clip), where: v .> D(repeating: clip))
    let row = SIMD4<Float>(Float(v[0]), Float(v[1]), Float(v[2]), Float(v[3]))
    unsafe UnsafeMutableRawPointer(y + i).storeBytes(of: row, as: SIMD4<Float>.self)
}

/// inputs[place] -> x[count]; (x - center) / scale, not beyond `clip` on either side -> y[count].
///
/// At least four.
@inline(never) public func scaleRow(
    _ inputs: UnsafePointer<Double>,
    _ places: UnsafePointer<Int>,
    _ centers: UnsafePointer<Double>,
    _ scales: UnsafePointer<Double>,
    _ clip: Double,
    _ x: UnsafeMutablePointer<Double>,
    _ y: UnsafeMutablePointer<Float>,
    _ count: Int
) {
    var i = 0
    while i &+ 4 <= count {
        unsafe scale(inputs, places, (centers, scales, clip), x, y, i)
        i &+= 4
    }
    // The last four overlap those before.
    if i < count { unsafe scale(inputs, places, (centers, scales, clip), x, y, count &- 4) }
}
