// SPDX-License-Identifier: MIT

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
#endif
internal import KernelsBaseline
internal import Platform

extension Kernels {
    /// The moments of each slice of z, rows of a batch from `first` on, which begins a slice.
    package func moments(of z: MatrixView, first: Int, into sums: SliceSums) {
        sums.eachSlice(of: z, first: first) { slice, index in
            // SAFETY: a view's extent lies within its storage; the sums' place was checked.
            let (pz, to) = unsafe (slice.constant, sums.pointer(index))
            let (ld, rows, width) = (slice.stride, slice.rows, slice.columns)
            #if arch(x86_64)
                switch variant {
                case .avx2: return unsafe KernelsAVX2.columnMoments(pz, ld, rows, width, to)
                case .avx512: return unsafe KernelsAVX512.columnMoments(pz, ld, rows, width, to)
                case .baseline: break
                }
            #endif
            // SAFETY: as above.
            unsafe KernelsBaseline.columnMoments(pz, ld, rows, width, to)
        }
    }

    /// z, rows of a batch of `rows` from `first` on, <- itself normalised by the moments of the
    /// whole batch; a <- dropout(ReLU(gamma z + beta)).
    ///
    /// Of a batch one call alone `keeps`: moves the running moments by 1 - momentum.
    package func normalize(
        _ z: MatrixView,
        first: Int,
        of rows: Int,
        by sums: SliceSums,
        into a: MatrixView,
        _ view: NormalizationView,
        keeps: Bool,
        epsilon: Float,
        momentum: Float,
        dropout: DropoutMask
    ) {
        let (ld, count, width, size) = (z.stride, z.rows, z.columns, sums.size)
        view.check(width: width)
        sums.check(rows: rows, width: width)
        precondition(first >= 0 && first + count <= rows)
        precondition(a.rows == count && a.columns == width && a.stride == ld)
        let (keep, drop, keys) = (dropout.keepScale, dropout.threshold, dropout.keys)
        let keeps = keeps ? 1 : 0
        // SAFETY: the views' extents and the parameters' ranges were checked.
        let (pz, pa, from) = unsafe (z.pointer, a.pointer, UnsafePointer(sums.pointer(0)))
        let p = unsafe UnsafePointer(view.parameters.base)
        let (gamma, beta) = unsafe (p + view.gamma, p + view.beta)
        let kept = unsafe view.moments.base
        // SAFETY: as above, for all three; one line of arguments per build.
        // swift-format-ignore
        switch variant {
        #if arch(x86_64)
        case .avx2: unsafe KernelsAVX2.normalizeForward(
            pz, pa, ld, first, count, width, from, size, rows, gamma, beta, kept, keeps,
            epsilon, momentum, keep, drop, keys.0, keys.1)
        case .avx512: unsafe KernelsAVX512.normalizeForward(
            pz, pa, ld, first, count, width, from, size, rows, gamma, beta, kept, keeps,
            epsilon, momentum, keep, drop, keys.0, keys.1)
        #endif
        // SAFETY: as above.
        default: unsafe KernelsBaseline.normalizeForward(
            pz, pa, ld, first, count, width, from, size, rows, gamma, beta, kept, keeps,
            epsilon, momentum, keep, drop, keys.0, keys.1)
        }
    }

    /// The way back through dropout and ReLU: d, rows of a batch from `first` on, <- dL/d(gamma z +
    /// beta) from dL/da, and its sums of each slice, of which `first` begins one.
    package func gradientSums(
        _ d: MatrixView,
        first: Int,
        normalized z: MatrixView,
        output a: MatrixView,
        dropout: DropoutMask,
        into sums: SliceSums
    ) {
        precondition(z.rows == d.rows && z.columns == d.columns && z.stride == d.stride)
        precondition(a.rows == d.rows && a.columns == d.columns && a.stride == d.stride)
        let keep = dropout.keepScale
        sums.eachSlice(of: d, first: first) { slice, index in
            let start = (index * sums.size - first) * d.stride
            // SAFETY: the slice lies within d, and z and a have the shape of d.
            let (pz, pa) = unsafe (z.constant + start, a.constant + start)
            let (pd, to) = unsafe (slice.pointer, sums.pointer(index))
            let (ld, rows, n) = (slice.stride, slice.rows, slice.columns)
            #if arch(x86_64)
                switch variant {
                case .avx2:
                    return unsafe KernelsAVX2.gradientSums(pd, pz, pa, ld, rows, n, keep, to)
                // SAFETY: as above.
                case .avx512:
                    return unsafe KernelsAVX512.gradientSums(pd, pz, pa, ld, rows, n, keep, to)
                case .baseline: break
                }
            #endif
            // SAFETY: as above.
            unsafe KernelsBaseline.gradientSums(pd, pz, pa, ld, rows, n, keep, to)
        }
    }

    /// The way back through the normalisation, by the sums of the whole batch: d <- dL/dz.
    ///
    /// Of a batch one call alone `keeps`: writes the gradients of gamma and beta.
    package func normalizeBackward(
        _ d: MatrixView,
        of rows: Int,
        by sums: SliceSums,
        normalized z: MatrixView,
        _ view: NormalizationView,
        keeps: Bool,
        into gradients: AlignedFloats
    ) {
        let (ld, count, width, size) = (d.stride, d.rows, d.columns, sums.size)
        view.check(width: width)
        sums.check(rows: rows, width: width)
        precondition(gradients.count == view.parameters.count && count <= rows)
        precondition(z.rows == count && z.columns == width && z.stride == ld)
        let keeps = keeps ? 1 : 0
        // SAFETY: the views' extents and the parameters' ranges were checked.
        let (pd, pz, from) = unsafe (d.pointer, z.constant, UnsafePointer(sums.pointer(0)))
        let gamma = unsafe UnsafePointer(view.parameters.base + view.gamma)
        let inverse = unsafe UnsafePointer(view.moments.base + 2 * width)
        let toGamma = unsafe gradients.base + view.gamma
        let toBeta = unsafe gradients.base + view.beta
        // SAFETY: as above, for all three; one line of arguments per build.
        // swift-format-ignore
        switch variant {
        #if arch(x86_64)
        case .avx2: unsafe KernelsAVX2.normalizeBackward(
            pd, pz, ld, count, width, from, size, rows, gamma, inverse, toGamma, toBeta, keeps)
        // SAFETY: as above.
        case .avx512: unsafe KernelsAVX512.normalizeBackward(
            pd, pz, ld, count, width, from, size, rows, gamma, inverse, toGamma, toBeta, keeps)
        #endif
        // SAFETY: as above.
        default: unsafe KernelsBaseline.normalizeBackward(
            pd, pz, ld, count, width, from, size, rows, gamma, inverse, toGamma, toBeta, keeps)
        }
    }

    /// One step of Adam over a range of the parameters, its bounds multiples of 16, whose gradient
    /// is the sum of two parts; the bias corrections are in `rate`.
    package func adam(
        _ range: Range<Int>,
        of parameters: AlignedFloats,
        _ gradients: (AlignedFloats, AlignedFloats),
        first: AlignedFloats,
        second: AlignedFloats,
        rate: Float,
        beta1 b1: Float,
        beta2 b2: Float,
        epsilon e: Float
    ) {
        let (start, n, count) = (range.lowerBound, range.count, parameters.count)
        precondition(start >= 0 && range.upperBound <= count && start % 16 == 0 && n % 16 == 0)
        precondition(gradients.0.count == count && gradients.1.count == count)
        precondition(first.count == count && second.count == count)
        // SAFETY: all five hold the range.
        let (p, g) = unsafe (parameters.base + start, UnsafePointer(gradients.0.base + start))
        let h = unsafe UnsafePointer(gradients.1.base + start)
        let (m, v) = unsafe (first.base + start, second.base + start)
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.adam(p, g, h, m, v, n, rate, b1, b2, e)
            case .avx512: return unsafe KernelsAVX512.adam(p, g, h, m, v, n, rate, b1, b2, e)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.adam(p, g, h, m, v, n, rate, b1, b2, e)
    }

    /// Fetches into this core's cache what other cores have written, faster than reading it where
    /// it is needed.
    package func touch(_ floats: AlignedFloats) {
        // SAFETY: the whole storage is read.
        _ = unsafe KernelsBaseline.touch(UnsafePointer(floats.base), floats.count)
    }
}
