// SPDX-License-Identifier: MIT
//
// Dense-network kernels. This one source is compiled once per instruction set, by the targets
// KernelsBaseline, KernelsAVX2 and KernelsAVX512 (symbolic links to this file).
//
// A generic library function specialised here would be a weak symbol that the linker may share with
// code that runs on older CPUs. Hence the rules, checked by scripts/check-kernels:
//   1. import nothing, define no type, closure or stored global; entry points take pointers and
//      numbers only;
//   2. all but the entry points is private and always inlined;
//   3. only operators, addingProduct, replacing, halves, InlineArray, loadUnaligned and storeBytes.
//
// SAFETY: every pointer stands for a whole matrix whose rows, columns and distances are the numbers
// beside it; the one caller, ModelRuntime's Kernels, checks them against the storage, and no kernel
// reads or writes beyond them or keeps a pointer.

#if AVX512
    private typealias V = SIMD16<Float>
    private typealias U = SIMD16<UInt32>
    private typealias I = SIMD16<Int32>
    /// The vectors of 32 columns.
    private typealias Group = InlineArray<2, V>
#elseif AVX2
    private typealias V = SIMD8<Float>
    private typealias U = SIMD8<UInt32>
    private typealias I = SIMD8<Int32>
    private typealias Group = InlineArray<4, V>
#else
    private typealias V = SIMD4<Float>
    private typealias U = SIMD4<UInt32>
    private typealias I = SIMD4<Int32>
    private typealias Group = InlineArray<8, V>
#endif

private typealias Source = UnsafePointer<Float>
private typealias Target = UnsafeMutablePointer<Float>

// MARK: - Vectors

@inline(__always) private var lanes: Int { V.scalarCount }

/// Vectors per group of 32 columns.
@inline(__always) private var groupCount: Int { 32 / lanes }

/// Rows of the register tile: as many as leave room for two weight vectors and a broadcast.
@inline(__always) private var tileRows: Int {
    #if AVX512 || arch(arm64)
        8
    #elseif AVX2
        6
    #else
        4
    #endif
}

@inline(__always) private func load(_ p: Source, _ i: Int) -> V {
    unsafe UnsafeRawPointer(p + i).loadUnaligned(as: V.self)
}

@inline(__always) private func load(_ p: Target, _ i: Int) -> V {
    unsafe UnsafeRawPointer(p + i).loadUnaligned(as: V.self)
}

@inline(__always) private func store(_ v: V, _ p: Target, _ i: Int) {
    unsafe UnsafeMutableRawPointer(p + i).storeBytes(of: v, as: V.self)
}

/// a * b + c, in one rounding where the instruction set has it.
@inline(__always) private func madd(_ a: V, _ b: V, _ c: V) -> V {
    #if AVX2 || AVX512 || arch(arm64)
        c.addingProduct(a, b)
    #else
        c + a * b
    #endif
}

/// The greater of the two; NaN in `v` stays.
@inline(__always) private func atLeast(_ v: V, _ floor: V) -> V {
    v.replacing(with: floor, where: v .< floor)
}

@inline(__always) private var ramp: U {
    #if AVX512
        U(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    #elseif AVX2
        U(0, 1, 2, 3, 4, 5, 6, 7)
    #else
        U(0, 1, 2, 3)
    #endif
}

/// e^v within 1.3 ulp, v clamped to [-87, 88].
@inline(__always) private func exponential(_ v: V) -> V {
    var x = atLeast(v, V(repeating: -87))
    x = x.replacing(with: V(repeating: 88), where: x .> V(repeating: 88))
    // Adding and taking off 1.5 * 2^23 rounds to the nearest integer, kept in the low bits.
    let magic = V(repeating: 12_582_912)
    let shifted = madd(x, V(repeating: 1.442_695_04), magic)
    let n = shifted - magic
    var r = madd(n, V(repeating: -0.693_359_375), x)
    r = madd(n, V(repeating: 2.121_944_4e-4), r)
    // Cephes expf, degree 5.
    var p = V(repeating: 1.987_569_15e-4)
    p = madd(p, r, V(repeating: 1.398_199_95e-3))
    p = madd(p, r, V(repeating: 8.333_451_9e-3))
    p = madd(p, r, V(repeating: 4.166_579_6e-2))
    p = madd(p, r, V(repeating: 1.666_666_55e-1))
    p = madd(p, r, V(repeating: 5.000_000_1e-1))
    p = madd(p, r * r, r) + V(repeating: 1)
    let bits = unsafe unsafeBitCast(shifted, to: I.self)
    let exponent = (bits &- I(repeating: 0x4b40_0000) &+ I(repeating: 127)) &<< I(repeating: 23)
    return p * (unsafe unsafeBitCast(exponent, to: V.self))
}

@inline(__always) private func sigmoid(_ v: V) -> V {
    V(repeating: 1) / (V(repeating: 1) + exponential(V(repeating: 0) - v))
}

/// 1 / sqrt(v) within 2 ulp for positive v, and finite for 0: the library's square root of a vector
/// is one scalar call per lane.
///
/// A guess from the bits, then three steps of Newton's method.
@inline(__always) private func inverseRoot(_ v: V) -> V {
    let bits = unsafe unsafeBitCast(v, to: I.self)
    let guess = I(repeating: 0x5f37_59df) &- (bits &>> I(repeating: 1))
    var y = unsafe unsafeBitCast(guess, to: V.self)
    let half = v * V(repeating: -0.5)
    y *= madd(half * y, y, V(repeating: 1.5))
    y *= madd(half * y, y, V(repeating: 1.5))
    y *= madd(half * y, y, V(repeating: 1.5))
    return y
}

// MARK: - Register tiles

/// x[rows][k] (row distance `ldx`, step distance `step`) times b[k][2V] (row distance `ldb`), added
/// to `first` and `second` and not below `floor` -> y[rows][2V] (row distance `ldy`).
private typealias Operands = (
    x: Source, ldx: Int, step: Int, k: Int,
    b: Source, ldb: Int, first: V, second: V, floor: V,
    y: Target, ldy: Int
)

/// R rows from `row` on, each element adding in the order of k.
@inline(__always) private func tile<let R: Int>(
    _: InlineArray<R, V>.Type,
    _ o: Operands,
    _ row: Int
) {
    let x = unsafe o.x + row &* o.ldx
    let y = unsafe o.y + row &* o.ldy
    var a0 = unsafe InlineArray<R, V>(repeating: o.first)
    var a1 = unsafe InlineArray<R, V>(repeating: o.second)
    let (k, ldx, step, ldb) = unsafe (o.k, o.ldx, o.step, o.ldb)
    var i = 0
    while i < k {
        let w0 = unsafe load(o.b, i &* ldb)
        let w1 = unsafe load(o.b, i &* ldb &+ lanes)
        for r in 0..<R {
            let value = unsafe V(repeating: x[r &* ldx &+ i &* step])
            unsafe a0[unchecked: r] = madd(value, w0, a0[unchecked: r])
            unsafe a1[unchecked: r] = madd(value, w1, a1[unchecked: r])
        }
        i &+= 1
    }
    for r in 0..<R {
        unsafe store(atLeast(a0[unchecked: r], o.floor), y, r &* o.ldy)
        unsafe store(atLeast(a1[unchecked: r], o.floor), y, r &* o.ldy &+ lanes)
    }
}

/// All rows of one panel of 2V columns, in tiles of similar height.
@inline(__always) private func panel(_ o: Operands, _ rows: Int) {
    var row = 0
    while row < rows {
        let left = rows &- row
        var take = left
        if left > tileRows {
            // 8 rows as 4 + 4 are 12 % faster than as 6 + 2.
            take = left < 2 &* tileRows ? (left &+ 1) / 2 : tileRows
        }
        switch take {
        case 1: unsafe tile(InlineArray<1, V>.self, o, row)
        case 2: unsafe tile(InlineArray<2, V>.self, o, row)
        case 3: unsafe tile(InlineArray<3, V>.self, o, row)
        #if AVX512 || AVX2 || arch(arm64)
            case 4: unsafe tile(InlineArray<4, V>.self, o, row)
            case 5: unsafe tile(InlineArray<5, V>.self, o, row)
            #if AVX512 || arch(arm64)
                case 6: unsafe tile(InlineArray<6, V>.self, o, row)
                case 7: unsafe tile(InlineArray<7, V>.self, o, row)
                default: unsafe tile(InlineArray<8, V>.self, o, row)
            #else
                default: unsafe tile(InlineArray<6, V>.self, o, row)
            #endif
        #else
            default: unsafe tile(InlineArray<4, V>.self, o, row)
        #endif
        }
        row &+= take
    }
}

/// x[R][k] through P / 2 packed panels of w[..][1 + k][2V] from `first` on, the bias before the
/// weights -> y: the many sums in flight hide the latency of an addition when rows are few.
@inline(__always) private func wide<let R: Int, let P: Int>(
    _: InlineArray<R, InlineArray<P, V>>.Type,
    _ o: Operands,
    _ first: Int
) {
    let (x, k, ldx, ldy) = unsafe (o.x, o.k, o.ldx, o.ldy)
    let stride = (k &+ 1) &* 2 &* lanes
    let w = unsafe o.b + first &* stride
    let y = unsafe o.y + first &* 2 &* lanes
    var a = InlineArray<R, InlineArray<P, V>>(repeating: InlineArray<P, V>(repeating: V()))
    for r in 0..<R {
        for p in 0..<P {
            let place = (p / 2) &* stride &+ (p & 1) &* lanes
            unsafe a[unchecked: r][unchecked: p] = load(w, place)
        }
    }
    var i = 0
    while i < k {
        for p in 0..<P {
            let place = (p / 2) &* stride &+ (i &+ 1) &* 2 &* lanes &+ (p & 1) &* lanes
            let weights = unsafe load(w, place)
            for r in 0..<R {
                let value = unsafe V(repeating: x[r &* ldx &+ i])
                let sum = unsafe a[unchecked: r][unchecked: p]
                unsafe a[unchecked: r][unchecked: p] = madd(value, weights, sum)
            }
        }
        i &+= 1
    }
    for r in 0..<R {
        for p in 0..<P {
            let sum = unsafe a[unchecked: r][unchecked: p]
            unsafe store(atLeast(sum, o.floor), y, r &* ldy &+ p &* lanes)
        }
    }
}

/// One or two rows over all packed panels.
@inline(__always) private func fewRows(_ o: Operands, _ rows: Int, _ panels: Int) {
    var p = 0
    if rows == 1 {
        while panels &- p >= 4 {
            unsafe wide(InlineArray<1, InlineArray<8, V>>.self, o, p)
            p &+= 4
        }
        while panels &- p >= 2 {
            unsafe wide(InlineArray<1, InlineArray<4, V>>.self, o, p)
            p &+= 2
        }
        if p < panels { unsafe wide(InlineArray<1, InlineArray<2, V>>.self, o, p) }
    } else {
        while panels &- p >= 2 {
            unsafe wide(InlineArray<2, InlineArray<4, V>>.self, o, p)
            p &+= 2
        }
        if p < panels { unsafe wide(InlineArray<2, InlineArray<2, V>>.self, o, p) }
    }
}

// MARK: - Forward pass

/// Columns of a panel: two vectors.
@inline(never) public func panelWidth() -> Int { 2 &* lanes }

/// x[rows][k], w[panels][1 + k][2V] with the bias first -> y[rows][panels * 2V], not below `floor`
/// (0 is ReLU, minus infinity nothing).
///
/// Each element adds its bias and then k products in order, whatever the number of rows.
@inline(never) public func dense(
    _ x: UnsafePointer<Float>,
    _ ldx: Int,
    _ rows: Int,
    _ k: Int,
    _ w: UnsafePointer<Float>,
    _ panels: Int,
    _ floor: Float,
    _ y: UnsafeMutablePointer<Float>,
    _ ldy: Int
) {
    let least = V(repeating: floor)
    let width = 2 &* lanes
    if rows <= 2 {
        let o = unsafe (x, ldx, 1, k, w, width, V(), V(), least, y, ldy)
        if rows > 0 { unsafe fewRows(o, rows, panels) }
        return
    }
    var p = 0
    while p < panels {
        let b = unsafe w + p &* (k &+ 1) &* width
        let (first, second) = unsafe (load(b, 0), load(b, lanes))
        let to = unsafe y + p &* width
        unsafe panel((x, ldx, 1, k, b + width, width, first, second, least, to, ldy), rows)
        p &+= 1
    }
}

/// x[rows][k] dot w[k] + bias -> y[rows]: eight partial sums at every width, halved, then the rest.
@inline(never) public func dot(
    _ x: UnsafePointer<Float>,
    _ ldx: Int,
    _ rows: Int,
    _ k: Int,
    _ w: UnsafePointer<Float>,
    _ bias: Float,
    _ y: UnsafeMutablePointer<Float>
) {
    var r = 0
    while r < rows {
        let row = unsafe x + r &* ldx
        var sums = SIMD8<Float>()
        var i = 0
        while i &+ 8 <= k {
            let a = unsafe UnsafeRawPointer(row + i).loadUnaligned(as: SIMD8<Float>.self)
            let b = unsafe UnsafeRawPointer(w + i).loadUnaligned(as: SIMD8<Float>.self)
            #if AVX2 || AVX512 || arch(arm64)
                sums = sums.addingProduct(a, b)
            #else
                sums = sums + a * b
            #endif
            i &+= 8
        }
        let four = sums.lowHalf + sums.highHalf
        let two = four.lowHalf + four.highHalf
        var sum = two.x + two.y
        while i < k {
            unsafe sum += row[i] * w[i]
            i &+= 1
        }
        unsafe y[r] = sum + bias
        r &+= 1
    }
}

/// y[rows][width] <- sigmoid (kind 0) or tanh (kind 1) of itself, width a multiple of V.
@inline(never) public func squash(
    _ y: UnsafeMutablePointer<Float>,
    _ ldy: Int,
    _ rows: Int,
    _ width: Int,
    _ kind: Int
) {
    var r = 0
    while r < rows {
        var i = r &* ldy
        let end = i &+ width
        while i < end {
            let v = unsafe load(y, i)
            if kind == 0 {
                unsafe store(sigmoid(v), y, i)
            } else {
                // tanh(v) = 2 sigmoid(2 v) - 1, absolute error below 2e-7.
                let twice = sigmoid(v + v)
                unsafe store(twice + twice - V(repeating: 1), y, i)
            }
            i &+= lanes
        }
        r &+= 1
    }
}

// MARK: - Training

/// a[m][k] (row distance `lda`, step distance `step`) times b[k][n] -> c[m][n], n a multiple of 32.
///
/// With lda = 1 and step = row distance it multiplies by the transposed matrix.
@inline(never) public func multiply(
    _ a: UnsafePointer<Float>,
    _ lda: Int,
    _ step: Int,
    _ m: Int,
    _ k: Int,
    _ b: UnsafePointer<Float>,
    _ ldb: Int,
    _ n: Int,
    _ c: UnsafeMutablePointer<Float>,
    _ ldc: Int
) {
    let none = V(repeating: -.infinity)
    var column = 0
    while column < n {
        let (from, to) = unsafe (b + column, c + column)
        unsafe panel((a, lda, step, k, from, ldb, V(), V(), none, to, ldc), m)
        column &+= 2 &* lanes
    }
}

/// b[rows][columns] -> c[columns][rows].
@inline(never) public func transpose(
    _ b: UnsafePointer<Float>,
    _ ldb: Int,
    _ rows: Int,
    _ columns: Int,
    _ c: UnsafeMutablePointer<Float>,
    _ ldc: Int
) {
    var j = 0
    while j < columns {
        var i = 0
        while i < rows {
            unsafe c[j &* ldc &+ i] = b[i &* ldb &+ j]
            i &+= 1
        }
        j &+= 1
    }
}

/// Row index[i] of x[..][k] -> y[i][k] for i in 0..<rows.
@inline(never) public func gather(
    _ x: UnsafePointer<Float>,
    _ ldx: Int,
    _ index: UnsafePointer<Int32>,
    _ rows: Int,
    _ k: Int,
    _ y: UnsafeMutablePointer<Float>,
    _ ldy: Int
) {
    var r = 0
    while r < rows {
        let from = unsafe x + Int(index[r]) &* ldx
        let to = unsafe y + r &* ldy
        var i = 0
        while i &+ lanes <= k {
            unsafe store(load(from, i), to, i)
            i &+= lanes
        }
        while i < k {
            unsafe to[i] = from[i]
            i &+= 1
        }
        r &+= 1
    }
}

/// Mean of each column of z[rows][width] and sum of the squared differences from it, width a
/// multiple of 32 -> sums[2][width].
@inline(never) public func columnMoments(
    _ z: UnsafePointer<Float>,
    _ ld: Int,
    _ rows: Int,
    _ width: Int,
    _ sums: UnsafeMutablePointer<Float>
) {
    let share = V(repeating: 1 / Float(rows))
    var column = 0
    while column < width {
        var mean = Group(repeating: V())
        var squares = Group(repeating: V())
        var r = 0
        while r < rows {
            for g in 0..<groupCount {
                unsafe mean[unchecked: g] += load(z, r &* ld &+ column &+ g &* lanes)
            }
            r &+= 1
        }
        for g in 0..<groupCount { unsafe mean[unchecked: g] *= share }
        r = 0
        while r < rows {
            for g in 0..<groupCount {
                let x = unsafe load(z, r &* ld &+ column &+ g &* lanes)
                let d = unsafe x - mean[unchecked: g]
                unsafe squares[unchecked: g] = madd(d, d, squares[unchecked: g])
            }
            r &+= 1
        }
        for g in 0..<groupCount {
            let c = column &+ g &* lanes
            unsafe store(mean[unchecked: g], sums, c)
            unsafe store(squares[unchecked: g], sums, width &+ c)
        }
        column &+= 32
    }
}

/// Mean and variance (over n) of 32 columns of a batch from those of its slices.
///
/// Slices of `size` rows but the last, which has what is left of `rows`, each with sums[2][width].
@inline(__always) private func moments(
    _ sums: Source,
    _ width: Int,
    _ size: Int,
    _ rows: Int,
    _ mean: inout Group,
    _ variance: inout Group
) {
    let share = V(repeating: 1 / Float(rows))
    var (from, start) = unsafe (sums, 0)
    while start < rows {
        let count = V(repeating: Float(rows &- start < size ? rows &- start : size))
        for g in 0..<groupCount {
            let sum = unsafe mean[unchecked: g]
            unsafe mean[unchecked: g] = madd(load(from, g &* lanes), count, sum)
        }
        unsafe from += 2 &* width
        start &+= size
    }
    for g in 0..<groupCount { unsafe mean[unchecked: g] *= share }
    unsafe from = sums
    start = 0
    while start < rows {
        let count = V(repeating: Float(rows &- start < size ? rows &- start : size))
        for g in 0..<groupCount {
            let d = unsafe load(from, g &* lanes) - mean[unchecked: g]
            unsafe variance[unchecked: g] += load(from, width &+ g &* lanes)
            unsafe variance[unchecked: g] = madd(d * d, count, variance[unchecked: g])
        }
        unsafe from += 2 &* width
        start &+= size
    }
    for g in 0..<groupCount { unsafe variance[unchecked: g] *= share }
}

/// Batch normalisation, ReLU and dropout of z[count][width], rows of a batch from `first` on, by
/// the moments that `columnMoments` found of the batch's slices.
///
/// z <- (z - mean) / sqrt(variance + epsilon), the variance over n;
/// a <- max(0, gamma z + beta) * keepScale, 0 where the element's random number is below `drop`.
/// The random number hashes the element's index and two keys: the same at every width. Where
/// `keeps` is not 0, moments[3][width] are kept: running mean and variance <- running * momentum +
/// (1 - momentum) * moment, and 1 / sqrt(variance + epsilon).
@inline(never) public func normalizeForward(
    _ z: UnsafeMutablePointer<Float>,
    _ a: UnsafeMutablePointer<Float>,
    _ ld: Int,
    _ first: Int,
    _ count: Int,
    _ width: Int,
    _ sums: UnsafePointer<Float>,
    _ size: Int,
    _ rows: Int,
    _ gamma: UnsafePointer<Float>,
    _ beta: UnsafePointer<Float>,
    _ kept: UnsafeMutablePointer<Float>,
    _ keeps: Int,
    _ epsilon: Float,
    _ momentum: Float,
    _ keepScale: Float,
    _ drop: UInt32,
    _ key0: UInt32,
    _ key1: UInt32
) {
    var column = 0
    while column < width {
        var mean = Group(repeating: V())
        var scale = Group(repeating: V())
        unsafe moments(sums + column, width, size, rows, &mean, &scale)
        let old = V(repeating: momentum)
        let new = V(repeating: 1 - momentum)
        for g in 0..<groupCount {
            let c = column &+ g &* lanes
            let variance = unsafe scale[unchecked: g]
            unsafe scale[unchecked: g] = inverseRoot(variance + V(repeating: epsilon))
            if keeps != 0 {
                unsafe store(load(kept, c) * old + mean[unchecked: g] * new, kept, c)
                let running = unsafe load(kept, width &+ c) * old + variance * new
                unsafe store(running, kept, width &+ c)
                unsafe store(scale[unchecked: g], kept, 2 &* width &+ c)
            }
        }
        var r = 0
        while r < count {
            for g in 0..<groupCount {
                let c = column &+ g &* lanes
                let i = r &* ld &+ c
                let x = unsafe (load(z, i) - mean[unchecked: g]) * scale[unchecked: g]
                unsafe store(x, z, i)
                var y = unsafe atLeast(madd(load(gamma, c), x, load(beta, c)), V())
                y *= V(repeating: keepScale)
                if drop > 0 {
                    let element = (first &+ r) &* width &+ c
                    let h = hash(UInt32(truncatingIfNeeded: element), key0, key1)
                    y = y.replacing(with: V(), where: h .< U(repeating: drop))
                }
                unsafe store(y, a, i)
            }
            r &+= 1
        }
        column &+= 32
    }
}

/// A random number for each of V elements from `index` on.
@inline(__always) private func hash(_ index: UInt32, _ key0: UInt32, _ key1: UInt32) -> U {
    // C. Wellons' lowbias32 between two keyed steps.
    var h = (ramp &+ U(repeating: index)) ^ U(repeating: key0)
    h = (h ^ (h &>> U(repeating: 16))) &* U(repeating: 0x7feb_352d)
    h = (h ^ (h &>> U(repeating: 15))) &* U(repeating: 0x846c_a68b)
    h ^= h &>> U(repeating: 16)
    h = (h ^ U(repeating: key1)) &* U(repeating: 0x9e37_79b1)
    return h ^ (h &>> U(repeating: 15))
}

/// The first half of the way back through `normalizeForward`: d[rows][width] <- dL/d(gamma z +
/// beta) from dL/da, given the normalised z and a.
///
/// Its sums over the rows, and those of its products with z, go to sums[2][width].
@inline(never) public func gradientSums(
    _ d: UnsafeMutablePointer<Float>,
    _ z: UnsafePointer<Float>,
    _ a: UnsafePointer<Float>,
    _ ld: Int,
    _ rows: Int,
    _ width: Int,
    _ keepScale: Float,
    _ sums: UnsafeMutablePointer<Float>
) {
    let keep = V(repeating: keepScale)
    var column = 0
    while column < width {
        var sum = Group(repeating: V())
        var product = Group(repeating: V())
        var r = 0
        while r < rows {
            for g in 0..<groupCount {
                let i = r &* ld &+ column &+ g &* lanes
                // Kept by dropout and passed by ReLU is where the output is positive.
                let passed = unsafe load(a, i) .> V()
                let y = unsafe V().replacing(with: load(d, i) * keep, where: passed)
                unsafe store(y, d, i)
                unsafe sum[unchecked: g] += y
                unsafe product[unchecked: g] = madd(y, load(z, i), product[unchecked: g])
            }
            r &+= 1
        }
        for g in 0..<groupCount {
            let c = column &+ g &* lanes
            unsafe store(sum[unchecked: g], sums, c)
            unsafe store(product[unchecked: g], sums, width &+ c)
        }
        column &+= 32
    }
}

/// The second half, for `count` rows of a batch of `rows`, given the sums[2][width] that
/// `gradientSums` found of each of its slices: d <- dL/dz.
///
/// Where `keeps` is not 0 the batch's sums are kept, which are the gradients of beta and gamma.
@inline(never) public func normalizeBackward(
    _ d: UnsafeMutablePointer<Float>,
    _ z: UnsafePointer<Float>,
    _ ld: Int,
    _ count: Int,
    _ width: Int,
    _ sums: UnsafePointer<Float>,
    _ size: Int,
    _ rows: Int,
    _ gamma: UnsafePointer<Float>,
    _ inverse: UnsafePointer<Float>,
    _ gammaGradient: UnsafeMutablePointer<Float>,
    _ betaGradient: UnsafeMutablePointer<Float>,
    _ keeps: Int
) {
    let share = V(repeating: 1 / Float(rows))
    var column = 0
    while column < width {
        var sum = Group(repeating: V())
        var product = Group(repeating: V())
        var (from, start) = unsafe (sums + column, 0)
        while start < rows {
            for g in 0..<groupCount {
                unsafe sum[unchecked: g] += load(from, g &* lanes)
                unsafe product[unchecked: g] += load(from, width &+ g &* lanes)
            }
            unsafe from += 2 &* width
            start &+= size
        }
        for g in 0..<groupCount {
            if keeps != 0 {
                unsafe store(sum[unchecked: g], betaGradient, column &+ g &* lanes)
                unsafe store(product[unchecked: g], gammaGradient, column &+ g &* lanes)
            }
            unsafe sum[unchecked: g] *= share
            unsafe product[unchecked: g] *= share
        }
        var r = 0
        while r < count {
            for g in 0..<groupCount {
                let c = column &+ g &* lanes
                let i = r &* ld &+ c
                let factor = unsafe load(gamma, c) * load(inverse, c)
                let centred =
                    unsafe load(d, i) - sum[unchecked: g]
                    - load(z, i) * product[unchecked: g]
                unsafe store(centred * factor, d, i)
            }
            r &+= 1
        }
        column &+= 32
    }
}

/// Adam over `count` parameters (a multiple of 16), whose gradient g is the sum of two parts:
/// m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2, p <- p - rate m / (sqrt(v) + epsilon); the
/// bias corrections are in `rate`.
@inline(never) public func adam(
    _ p: UnsafeMutablePointer<Float>,
    _ g0: UnsafePointer<Float>,
    _ g1: UnsafePointer<Float>,
    _ m: UnsafeMutablePointer<Float>,
    _ v: UnsafeMutablePointer<Float>,
    _ count: Int,
    _ rate: Float,
    _ b1: Float,
    _ b2: Float,
    _ epsilon: Float
) {
    var i = 0
    while i < count {
        let gradient = unsafe load(g0, i) + load(g1, i)
        let first = unsafe load(m, i) * V(repeating: b1) + gradient * V(repeating: 1 - b1)
        let second =
            unsafe load(v, i) * V(repeating: b2)
            + gradient * gradient * V(repeating: 1 - b2)
        unsafe store(first, m, i)
        unsafe store(second, v, i)
        let root = second * inverseRoot(second)
        let step = V(repeating: rate) * first / (root + V(repeating: epsilon))
        unsafe store(load(p, i) - step, p, i)
        i &+= lanes
    }
}

/// Reads a float of each cache line of x[count], which fetches from another core's cache, several
/// lines at a time, what that core has written -> their sum, so that the reads are not left out.
@inline(never) public func touch(_ x: UnsafePointer<Float>, _ count: Int) -> Float {
    var (sum, i) = (Float(0), 0)
    while i < count {
        unsafe sum += x[i]
        i &+= 16
    }
    return sum
}

// MARK: - Yardstick

/// The most multiplications and additions that this build can do: twelve sums of vectors, each
/// added to `rounds` times, from registers only -> the number of operations done.
///
/// `x` holds two vectors of factors; the sums go to y[2V] so that none may be left out. What
/// scripts/bench calls the peak.
@inline(never) public func peak(
    _ x: UnsafePointer<Float>,
    _ rounds: Int,
    _ y: UnsafeMutablePointer<Float>
) -> Int {
    let (a, b) = unsafe (load(x, 0), load(x, lanes))
    var sums = InlineArray<12, V>(repeating: V())
    var round = 0
    while round < rounds {
        for i in 0..<12 { unsafe sums[unchecked: i] = madd(a, b, sums[unchecked: i]) }
        round &+= 1
    }
    var total = V()
    for i in 0..<12 { total = unsafe total + sums[unchecked: i] }
    unsafe store(total, y, 0)
    return rounds &* 12 &* lanes &* 2
}
