// SPDX-License-Identifier: MIT

#if arch(x86_64)
    internal import KernelsAVX2
    internal import KernelsAVX512
#endif
internal import KernelsBaseline
package import Platform

/// The kernels of one variant behind checked sizes: the only caller of the kernel modules.
///
/// Every output element is accumulated in one fixed order, whatever the number of rows.
package struct Kernels: Sendable {
    /// The build that is called.
    package let variant: KernelVariant

    /// Chooses a build that this CPU runs.
    package init(_ variant: KernelVariant = .best) {
        precondition(variant.isAvailable)
        self.variant = variant
    }

    /// Columns per panel of packed weights.
    package var panelWidth: Int {
        #if arch(x86_64)
            switch variant {
            case .avx2: return KernelsAVX2.panelWidth()
            case .avx512: return KernelsAVX512.panelWidth()
            case .baseline: break
            }
        #endif
        return KernelsBaseline.panelWidth()
    }
}

// MARK: - Forward pass

extension Kernels {
    /// x[rows][inputs] from row `first` of a span -> y[rows][width], for the first layer.
    func dense(
        _ x: Span<Float>,
        firstRow first: Int,
        rows: Int,
        _ layer: PackedDense,
        into y: AlignedFloats
    ) {
        precondition(first >= 0 && rows >= 0 && (first + rows) * layer.inputs <= x.count)
        // SAFETY: the rows were checked to lie within the span, which outlives the closure.
        unsafe x.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe dense(base + first * layer.inputs, stride: layer.inputs, rows, layer, y)
        }
    }

    /// x[rows][stride] -> y[rows][width], for the layers after the first.
    func dense(
        _ x: AlignedFloats,
        stride: Int,
        rows: Int,
        _ layer: PackedDense,
        into y: AlignedFloats
    ) {
        precondition(rows >= 0 && stride >= layer.inputs && rows * stride <= x.count)
        // SAFETY: the rows were checked to lie within `x`.
        unsafe dense(UnsafePointer(x.base), stride: stride, rows, layer, y)
    }

    private func dense(
        _ x: UnsafePointer<Float>,
        stride ldx: Int,
        _ rows: Int,
        _ layer: PackedDense,
        _ y: AlignedFloats
    ) {
        precondition(layer.panelWidth == panelWidth && rows * layer.width <= y.count)
        let (k, n, width, floor) = (layer.inputs, layer.panels, layer.width, layer.floor)
        // SAFETY: x was checked by the callers, y above; weights are [panels][1 + k][panelWidth].
        let (w, to) = unsafe (layer.floats.base, y.base)
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.dense(x, ldx, rows, k, w, n, floor, to, width)
            case .avx512: return unsafe KernelsAVX512.dense(x, ldx, rows, k, w, n, floor, to, width)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.dense(x, ldx, rows, k, w, n, floor, to, width)
    }

    /// y[rows][width] <- sigmoid or tanh of itself.
    func squash(_ y: AlignedFloats, rows: Int, width: Int, hyperbolic: Bool) {
        precondition(rows >= 0 && width % panelWidth == 0 && rows * width <= y.count)
        let kind = hyperbolic ? 1 : 0
        // SAFETY: the size was checked above.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.squash(y.base, width, rows, width, kind)
            case .avx512: return unsafe KernelsAVX512.squash(y.base, width, rows, width, kind)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.squash(y.base, width, rows, width, kind)
    }

    /// x[rows][inputs] dot w[inputs] + bias -> y[first...] for a network without hidden layers.
    func dot(
        _ x: Span<Float>,
        firstRow first: Int,
        rows: Int,
        _ w: ConstantFloats,
        bias: Float,
        into y: inout MutableSpan<Float>
    ) {
        precondition(first >= 0 && rows >= 0 && (first + rows) * w.count <= x.count)
        precondition(first + rows <= y.count)
        // SAFETY: both row ranges were checked; the spans outlive the closures.
        unsafe x.withUnsafeBufferPointer { source in
            unsafe y.withUnsafeMutableBufferPointer { target in
                guard let x = source.baseAddress, let y = target.baseAddress else { return }
                unsafe dot(x + first * w.count, w.count, rows, w.count, w.base, bias, y + first)
            }
        }
    }

    /// x[rows][stride] dot w[inputs] + bias -> y[first...], the last layer.
    func dot(
        _ x: AlignedFloats,
        stride: Int,
        rows: Int,
        _ w: ConstantFloats,
        bias: Float,
        into y: inout MutableSpan<Float>,
        at first: Int
    ) {
        precondition(rows >= 0 && stride >= w.count && rows * stride <= x.count)
        precondition(first >= 0 && first + rows <= y.count)
        // SAFETY: both row ranges were checked; the span outlives the closure.
        unsafe y.withUnsafeMutableBufferPointer { target in
            guard let y = target.baseAddress else { return }
            unsafe dot(UnsafePointer(x.base), stride, rows, w.count, w.base, bias, y + first)
        }
    }

    func dot(
        _ x: UnsafePointer<Float>,
        _ stride: Int,
        _ rows: Int,
        _ k: Int,
        _ w: UnsafePointer<Float>,
        _ bias: Float,
        _ y: UnsafeMutablePointer<Float>
    ) {
        // SAFETY: the callers checked x and y for `rows` and w for `k`.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.dot(x, stride, rows, k, w, bias, y)
            case .avx512: return unsafe KernelsAVX512.dot(x, stride, rows, k, w, bias, y)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        unsafe KernelsBaseline.dot(x, stride, rows, k, w, bias, y)
    }
}

// MARK: - Yardstick

extension Kernels {
    /// Runs the variant's peak loop: multiplications and additions in registers, nothing else.
    ///
    /// - Returns: The number of floating-point operations done.
    package func runPeakLoop(rounds: Int) -> Int {
        let factors = ConstantFloats([Float](repeating: 0.5, count: panelWidth))
        let sums = AlignedFloats(count: panelWidth)
        // SAFETY: both hold a panel's width of floats, two vectors.
        #if arch(x86_64)
            switch variant {
            case .avx2: return unsafe KernelsAVX2.peak(factors.base, rounds, sums.base)
            case .avx512: return unsafe KernelsAVX512.peak(factors.base, rounds, sums.base)
            case .baseline: break
            }
        #endif
        // SAFETY: as above.
        return unsafe KernelsBaseline.peak(factors.base, rounds, sums.base)
    }
}
