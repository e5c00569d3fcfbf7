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
    private typealias I = SIMD16<Int32>
#elseif AVX2
    private typealias V = SIMD8<Float>
    private typealias I = SIMD8<Int32>
#else
    private typealias V = SIMD4<Float>
    private typealias I = SIMD4<Int32>
#endif

private typealias Source = UnsafePointer<Float>
private typealias Target = UnsafeMutablePointer<Float>

// MARK: - Vectors

@inline(__always) private var lanes: Int { V.scalarCount }

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
