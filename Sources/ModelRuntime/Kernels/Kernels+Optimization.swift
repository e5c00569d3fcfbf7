// SPDX-License-Identifier: MIT

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
#endif
internal import KernelsBaseline
internal import Platform

extension Kernels {
    /// z <- z normalised by its own columns; a <- dropout(ReLU(gamma z + beta)); running moments
    /// move by 1 - momentum.
    ///
    /// The columns, and the bounds of those that are done, are multiples of 32.
    package func normalize(
        _ z: MatrixView,
        columns: Range<Int>,
        into a: MatrixView,
        _ view: NormalizationView,
        epsilon: Float,
        momentum: Float,
        dropout: DropoutMask
    ) {
        let (ld, rows, width) = (z.stride, z.rows, z.columns)
        view.check(width: width, columns)
        let (from, to) = (columns.lowerBound, columns.upperBound)
        precondition(rows > 0 && a.rows == rows && a.columns == width && a.stride == ld)
        let (keep, drop, keys) = (dropout.keepScale, dropout.threshold, dropout.keys)
        // SAFETY: the views' extents and the parameters' ranges were checked.
        let (pz, pa) = unsafe (z.pointer, a.pointer)
        let p = unsafe UnsafePointer(view.parameters.base)
        let (gamma, beta) = unsafe (p + view.gamma, p + view.beta)
        let mean = unsafe view.moments.base
        let (variance, inverse) = unsafe (mean + width, mean + 2 * width)
        // SAFETY: as above, for all three; one line of arguments per build.
        // swift-format-ignore
        switch variant {
        #if arch(x86_64)
        case .avx2: unsafe KernelsAVX2.normalizeForward(
            pz, pa, ld, rows, width, from, to, gamma, beta, inverse, mean, variance,
            epsilon, momentum, keep, drop, keys.0, keys.1)
        case .avx512: unsafe KernelsAVX512.normalizeForward(
            pz, pa, ld, rows, width, from, to, gamma, beta, inverse, mean, variance,
            epsilon, momentum, keep, drop, keys.0, keys.1)
        #endif
        // SAFETY: as above.
        default: unsafe KernelsBaseline.normalizeForward(
            pz, pa, ld, rows, width, from, to, gamma, beta, inverse, mean, variance,
            epsilon, momentum, keep, drop, keys.0, keys.1)
        }
    }

    /// The way back through ``normalize(_:columns:into:_:epsilon:momentum:dropout:)``: d <- dL/dz
    /// from dL/da; the gradients of gamma and beta go to their places in `gradients`.
    package func normalizeBackward(
        _ d: MatrixView,
        columns: Range<Int>,
        normalized z: MatrixView,
        output a: MatrixView,
        _ view: NormalizationView,
        dropout: DropoutMask,
        into gradients: AlignedFloats
    ) {
        let (ld, rows, width) = (d.stride, d.rows, d.columns)
        view.check(width: width, columns)
        let (from, to) = (columns.lowerBound, columns.upperBound)
        precondition(gradients.count == view.parameters.count && rows > 0)
        precondition(z.rows == rows && z.columns == width && z.stride == ld)
        precondition(a.rows == rows && a.columns == width && a.stride == ld)
        let keep = dropout.keepScale
        // SAFETY: the views' extents and the parameters' ranges were checked.
        let (pd, pz, pa) = unsafe (d.pointer, z.constant, a.constant)
        let gamma = unsafe UnsafePointer(view.parameters.base + view.gamma)
        let inverse = unsafe UnsafePointer(view.moments.base + 2 * width)
        let toGamma = unsafe gradients.base + view.gamma
        let toBeta = unsafe gradients.base + view.beta
        // SAFETY: as above, for all three; one line of arguments per build.
        // swift-format-ignore
        switch variant {
        #if arch(x86_64)
        case .avx2: unsafe KernelsAVX2.normalizeBackward(
            pd, pz, pa, ld, rows, from, to, gamma, inverse, keep, toGamma, toBeta)
        // SAFETY: as above.
        case .avx512: unsafe KernelsAVX512.normalizeBackward(
            pd, pz, pa, ld, rows, from, to, gamma, inverse, keep, toGamma, toBeta)
        #endif
        // SAFETY: as above.
        default: unsafe KernelsBaseline.normalizeBackward(
            pd, pz, pa, ld, rows, from, to, gamma, inverse, keep, toGamma, toBeta)
        }
    }

    /// One step of Adam over a range of the parameters, its bounds multiples of 16; the bias
    /// corrections are in `rate`.
    package func adam(
        _ range: Range<Int>,
        of parameters: AlignedFloats,
        _ gradients: AlignedFloats,
        first: AlignedFloats,
        second: AlignedFloats,
        rate: Float,
        beta1 b1: Float,
        beta2 b2: Float,
        epsilon: Float
    ) {
        let (start, n, count) = (range.lowerBound, range.count, parameters.count)
        precondition(start >= 0 && range.upperBound <= count && start % 16 == 0 && n % 16 == 0)
        precondition(gradients.count == count && first.count == count && second.count == count)
        // SAFETY: all four hold the range.
        let (p, g) = unsafe (parameters.base + start, UnsafePointer(gradients.base + start))
        let (m, v) = unsafe (first.base + start, second.base + start)
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.adam(p, g, m, v, n, rate, b1, b2, epsilon)
            case .avx512: return unsafe KernelsAVX512.adam(p, g, m, v, n, rate, b1, b2, epsilon)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.adam(p, g, m, v, n, rate, b1, b2, epsilon)
    }
}
