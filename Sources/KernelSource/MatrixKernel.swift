// SPDX-License-Identifier: MIT
//
// What moves matrices and computes nothing. As Kernel.swift, this source is compiled once per
// instruction set, under the same rules.
//
// SAFETY: as in Kernel.swift.

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
