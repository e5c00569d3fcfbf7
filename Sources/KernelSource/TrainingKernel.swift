// SPDX-License-Identifier: MIT
//
// Kernels of training beyond the products of matrices: rows of a batch, batch normalisation there
// and back, Adam. As Kernel.swift, this source is compiled once per instruction set, under the same
// rules; that is why it has its vectors to itself, as the others do.
//
// SAFETY: as in Kernel.swift.

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

@inline(__always) private var lanes: Int { V.scalarCount }

/// Vectors per group of 32 columns.
@inline(__always) private var groupCount: Int { 32 / lanes }

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
