// SPDX-License-Identifier: MIT

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
#endif
internal import KernelsBaseline
internal import Platform

extension Kernels {
    /// c <- a b, or a' b where `transposed`; the columns of b and c are a multiple of 32.
    package func multiply(
        _ a: MatrixView,
        transposed: Bool = false,
        _ b: MatrixView,
        into c: MatrixView
    ) {
        let (m, k) = transposed ? (a.columns, a.rows) : (a.rows, a.columns)
        let (lda, step) = transposed ? (1, a.stride) : (a.stride, 1)
        precondition(b.rows == k && c.rows == m && c.columns == b.columns && b.columns % 32 == 0)
        let (n, ldb, ldc) = (b.columns, b.stride, c.stride)
        // SAFETY: a view's extent lies within its storage; the shapes were checked.
        let (pa, pb, pc) = unsafe (a.constant, b.constant, c.pointer)
        #if arch(x86_64)
            switch variant {
            case .avx2:
                return unsafe KernelsAVX2.multiply(pa, lda, step, m, k, pb, ldb, n, pc, ldc)
            case .avx512:
                return unsafe KernelsAVX512.multiply(pa, lda, step, m, k, pb, ldb, n, pc, ldc)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.multiply(pa, lda, step, m, k, pb, ldb, n, pc, ldc)
    }

    /// x[rows][columns] dot w[columns] + bias -> the first column of y; w starts at `offset`.
    package func dot(
        _ x: MatrixView,
        _ w: AlignedFloats,
        at offset: Int,
        bias: Float,
        into y: MatrixView
    ) {
        precondition(offset >= 0 && offset + x.columns <= w.count && y.rows == x.rows)
        var sums = [Float](repeating: 0, count: x.rows)
        // SAFETY: a view's extent lies within its storage; w was checked; sums holds x.rows.
        unsafe sums.withUnsafeMutableBufferPointer { buffer in
            guard let sums = buffer.baseAddress else { return }
            let weight = unsafe UnsafePointer(w.base + offset)
            unsafe dot(x.constant, x.stride, x.rows, x.columns, weight, bias, sums)
        }
        for row in 0..<x.rows { y.floats[y.offset + row * y.stride] = sums[row] }
    }

    /// c <- b transposed.
    package func transpose(_ b: MatrixView, into c: MatrixView) {
        precondition(c.rows == b.columns && c.columns == b.rows)
        let (rows, columns, ldb, ldc) = (b.rows, b.columns, b.stride, c.stride)
        // SAFETY: a view's extent lies within its storage; the shapes were checked.
        let (from, to) = unsafe (b.constant, c.pointer)
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.transpose(from, ldb, rows, columns, to, ldc)
            case .avx512: return unsafe KernelsAVX512.transpose(from, ldb, rows, columns, to, ldc)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.transpose(from, ldb, rows, columns, to, ldc)
    }

    /// Rows of x[..][columns of y] -> y, in the order of `index`.
    package func gather(_ x: Span<Float>, rows index: Span<Int32>, into y: MatrixView) {
        precondition(index.count == y.rows)
        for i in 0..<index.count {
            precondition(index[i] >= 0 && (Int(index[i]) + 1) * y.columns <= x.count)
        }
        // SAFETY: every index was checked; the spans outlive the closures.
        unsafe x.withUnsafeBufferPointer { source in
            unsafe index.withUnsafeBufferPointer { order in
                guard let x = source.baseAddress, let i = order.baseAddress else { return }
                unsafe gather(x, i, y)
            }
        }
    }

    private func gather(_ x: UnsafePointer<Float>, _ i: UnsafePointer<Int32>, _ y: MatrixView) {
        let (rows, k, ldy) = (y.rows, y.columns, y.stride)
        // SAFETY: the caller checked the indices, MatrixView the rows of y.
        let to = unsafe y.pointer
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.gather(x, k, i, rows, k, to, ldy)
            case .avx512: return unsafe KernelsAVX512.gather(x, k, i, rows, k, to, ldy)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.gather(x, k, i, rows, k, to, ldy)
    }
}
