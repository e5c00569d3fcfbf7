// SPDX-License-Identifier: MIT

import ModelRuntime
import Platform
import Testing

/// Every variant that this CPU runs against the scalar reference in Double.
struct KernelTests {
    /// A matrix with unused columns behind each row.
    private func matrix(_ values: [Float], rows: Int, columns: Int) -> MatrixView {
        let stride = columns + 16
        let floats = AlignedFloats(count: rows * stride)
        for row in 0..<rows {
            for column in 0..<columns {
                floats[row * stride + column] = values[row * columns + column]
            }
        }
        return MatrixView(floats, rows: rows, columns: columns, stride: stride)
    }

    private func values(_ matrix: MatrixView) -> [Double] {
        (0..<matrix.rows).flatMap { row in
            (0..<matrix.columns).map { column in
                Double(matrix.floats[matrix.offset + row * matrix.stride + column])
            }
        }
    }

    private func worst(_ actual: [Double], _ expected: [Double]) -> Double {
        #expect(actual.count == expected.count)
        return zip(actual, expected).map { abs($0 - $1) }.max() ?? 0
    }

    @Test func saysWhichVariantsThisCPULacks() {
        for variant in KernelVariant.allCases where !variant.isAvailable {
            print("NOT TESTED HERE: this CPU does not run the \(variant.rawValue) kernels")
        }
        #expect(KernelVariant.available.contains(.baseline))
        #expect(KernelVariant.best.isAvailable)
    }

    @Test(arguments: KernelVariant.available)
    func denseEqualsTheReference(variant: KernelVariant) throws {
        var noise = Noise()
        for (inputs, outputs, rows) in [(1, 1, 1), (7, 5, 3), (30, 128, 50), (129, 33, 13)] {
            for activation in Layer.Activation.allCases {
                let layers = [
                    Layer(inputs: inputs, outputs: outputs, activation: activation),
                    Layer(inputs: outputs, outputs: 1, activation: .sigmoid),
                ]
                let tensors = SampleNetwork.tensors(layers)
                let network = try Network(layers: layers, tensors: tensors, variant: variant)
                let x = noise.floats(inputs * rows)
                let hidden = ScalarReference.dense(
                    x.map(Double.init),
                    tensors[0].weight.map(Double.init),
                    tensors[0].bias.map(Double.init),
                    inputs: inputs,
                    activation: activation
                )
                let logits = ScalarReference.dense(
                    hidden,
                    tensors[1].weight.map(Double.init),
                    tensors[1].bias.map(Double.init),
                    inputs: outputs,
                    activation: .identity
                )
                // Two sums of up to 130 terms below 2, in Float.
                #expect(worst(network.logits(x).map(Double.init), logits) <= 4e-6)
            }
        }
    }

    @Test(arguments: KernelVariant.available, [false, true])
    func multiplyEqualsTheReference(variant: KernelVariant, transposed: Bool) {
        var noise = Noise()
        let kernels = Kernels(variant)
        for m in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 48, 50] {
            for (k, n) in [(1, 32), (5, 64), (128, 96)] {
                let a = noise.floats(m * k)
                let b = noise.floats(k * n)
                let c = matrix([Float](repeating: .nan, count: m * n), rows: m, columns: n)
                let left =
                    transposed
                    ? matrix(
                        ScalarReference.transpose(a.map(Double.init), rows: m, columns: k)
                            .map { Float($0) },
                        rows: k,
                        columns: m
                    ) : matrix(a, rows: m, columns: k)
                kernels.multiply(
                    left,
                    transposed: transposed,
                    matrix(b, rows: k, columns: n),
                    into: c
                )
                let expected = ScalarReference.multiply(
                    a.map(Double.init),
                    b.map(Double.init),
                    m: m,
                    k: k,
                    n: n
                )
                #expect(worst(values(c), expected) <= 1e-5)
                // Nothing was written behind the rows.
                #expect(c.floats[n] == 0)
            }
        }
    }

    @Test(arguments: KernelVariant.available)
    func transposeAndGatherCopyExactly(variant: KernelVariant) {
        var noise = Noise()
        let kernels = Kernels(variant)
        for (rows, columns) in [(1, 1), (5, 3), (33, 70)] {
            let b = noise.floats(rows * columns)
            let c = matrix([Float](repeating: 0, count: b.count), rows: columns, columns: rows)
            kernels.transpose(matrix(b, rows: rows, columns: columns), into: c)
            let expected = ScalarReference.transpose(
                b.map(Double.init),
                rows: rows,
                columns: columns
            )
            #expect(values(c) == expected)
            let order = (0..<rows + 2).map { Int32($0 * 7 % rows) }
            let zeros = [Float](repeating: 0, count: order.count * columns)
            let picked = matrix(zeros, rows: order.count, columns: columns)
            kernels.gather(b.span, rows: order.span, into: picked)
            let rowsWanted = order.flatMap { b[Int($0) * columns..<(Int($0) + 1) * columns] }
            #expect(values(picked) == rowsWanted.map(Double.init))
        }
    }

    private func normalization(_ gamma: [Float], _ beta: [Float]) -> NormalizationView {
        let width = gamma.count
        let parameters = AlignedFloats(count: 2 * width)
        for column in 0..<width {
            parameters[column] = gamma[column]
            parameters[width + column] = beta[column]
        }
        return NormalizationView(
            parameters: parameters,
            gamma: 0,
            beta: width,
            moments: AlignedFloats(count: 3 * width)
        )
    }

    /// Sums of slices of 16 rows: in the test the first and the others are done as by two threads.
    private func sums(_ rows: Int, _ width: Int) -> SliceSums {
        let count = SliceSums.count(rows: rows, width: width, size: 16)
        return SliceSums(AlignedFloats(count: count), width: width, size: 16)
    }

    private func backward(
        _ gradient: MatrixView,
        _ parts: [Range<Int>],
        _ kernels: Kernels,
        _ forward: (normalized: MatrixView, output: MatrixView),
        _ view: NormalizationView,
        _ mask: DropoutMask,
        into gradients: AlignedFloats
    ) {
        let sums = sums(gradient.rows, gradient.columns)
        for part in parts {
            kernels.gradientSums(
                gradient.rows(part),
                first: part.lowerBound,
                normalized: forward.normalized.rows(part),
                output: forward.output.rows(part),
                dropout: mask,
                into: sums
            )
        }
        for part in parts {
            kernels.normalizeBackward(
                gradient.rows(part),
                of: gradient.rows,
                by: sums,
                normalized: forward.normalized.rows(part),
                view,
                keeps: part.lowerBound == 0,
                into: gradients
            )
        }
    }

    @Test(arguments: KernelVariant.available, [0.0, 0.3])
    func normalizationEqualsTheReference(variant: KernelVariant, rate: Double) {
        var noise = Noise()
        let kernels = Kernels(variant)
        for (rows, width) in [(2, 32), (37, 96), (128, 128)] {
            let z = noise.floats(rows * width).map { 3 * $0 + 1 }
            let (gamma, beta) = (noise.floats(width).map { $0 + 1.5 }, noise.floats(width))
            let view = normalization(gamma, beta)
            let mask = DropoutMask(rate: rate, seed: 0x0123_4567_89ab_cdef)
            let normalized = matrix(z, rows: rows, columns: width)
            let output = matrix(z, rows: rows, columns: width)
            let (first, moments) = (min(16, rows), sums(rows, width))
            let parts = [0..<first, first..<rows].filter { !$0.isEmpty }
            for part in parts {
                kernels.moments(of: normalized.rows(part), first: part.lowerBound, into: moments)
            }
            for part in parts {
                kernels.normalize(
                    normalized.rows(part),
                    first: part.lowerBound,
                    of: rows,
                    by: moments,
                    into: output.rows(part),
                    view,
                    keeps: part.lowerBound == 0,
                    epsilon: 1e-3,
                    momentum: 0.75,
                    dropout: mask
                )
            }
            let forward = ScalarReference.normalize(
                z.map(Double.init),
                gamma: gamma.map(Double.init),
                beta: beta.map(Double.init),
                epsilon: 1e-3,
                dropout: mask
            )
            // Values up to 4 are taken off a mean of their size, and may then be scaled by 30.
            #expect(worst(values(normalized), forward.normalized) <= 1e-5)
            #expect(worst(values(output), forward.output) <= 1.5e-5)
            let means = (0..<width).map { Double(view.moments[$0]) * 4 }
            let variances = (0..<width).map { Double(view.moments[width + $0]) * 4 }
            #expect(worst(means, forward.mean) <= 2e-6)
            #expect(worst(variances, forward.variance) <= 1e-5)

            let upstream = noise.floats(rows * width)
            let gradient = matrix(upstream, rows: rows, columns: width)
            let gradients = AlignedFloats(count: 2 * width)
            backward(gradient, parts, kernels, (normalized, output), view, mask, into: gradients)
            let backward = ScalarReference.normalizeBackward(
                upstream.map(Double.init),
                forward,
                gamma: gamma.map(Double.init),
                epsilon: 1e-3,
                dropout: mask
            )
            // With two rows the deviation may be near 0 and its inverse near 30.
            #expect(worst(values(gradient), backward.z) <= 2e-4)
            let toGamma = (0..<width).map { Double(gradients[$0]) }
            let toBeta = (0..<width).map { Double(gradients[width + $0]) }
            #expect(worst(toGamma, backward.gamma) <= 5e-5)
            #expect(worst(toBeta, backward.beta) <= 5e-5)
        }
    }

    @Test(arguments: [0.0, 0.1, 0.3, 0.9])
    func dropoutFallsAtItsRate(rate: Double) {
        let count = 200_000
        let mask = DropoutMask(rate: rate, seed: 99)
        let kept = (0..<count).count { ScalarReference.isKept($0, mask) }
        let share = 1 - Double(kept) / Double(count)
        // Five standard deviations.
        #expect(abs(share - rate) <= 5 * (rate * (1 - rate) / Double(count)).squareRoot())
    }

    @Test(arguments: KernelVariant.available)
    func adamEqualsTheReference(variant: KernelVariant) {
        let count = 48
        var noise = Noise()
        let p = AlignedFloats(count: count)
        let parts = (AlignedFloats(count: count), AlignedFloats(count: count))
        let (m, v) = (AlignedFloats(count: count), AlignedFloats(count: count))
        var (expected, first, second) = ([Double](), [Double](), [Double]())
        for index in 0..<count {
            p[index] = noise.float()
            expected.append(Double(p[index]))
            first.append(0)
            second.append(0)
        }
        for _ in 1...20 {
            for index in 0..<count {
                // Some gradients are 0 throughout, some tiny.
                let size: Float = index % 3 == 1 ? 1 : 1e-12
                parts.0[index] = index % 3 == 0 ? 0 : noise.float() * size
                parts.1[index] = index % 3 == 0 ? 0 : noise.float() * size
                let gradient = Double(parts.0[index] + parts.1[index])
                first[index] = 0.9 * first[index] + 0.1 * gradient
                second[index] = 0.999 * second[index] + 0.001 * gradient * gradient
                expected[index] -= 0.01 * first[index] / (second[index].squareRoot() + 1e-7)
            }
            for range in [0..<16, 16..<count] {
                Kernels(variant).adam(
                    range,
                    of: p,
                    parts,
                    first: m,
                    second: v,
                    rate: 0.01,
                    beta1: 0.9,
                    beta2: 0.999,
                    epsilon: 1e-7
                )
            }
        }
        #expect(worst((0..<count).map { Double(p[$0]) }, expected) <= 2e-5)
    }

    @Test func refusesShapesThatDoNotFit() async {
        await #expect(processExitsWith: .failure) {
            let floats = AlignedFloats(count: 64)
            _ = MatrixView(floats, rows: 2, columns: 33, stride: 33)
        }
        await #expect(processExitsWith: .failure) {
            let floats = AlignedFloats(count: 64)
            let view = MatrixView(floats, rows: 1, columns: 31, stride: 31)
            Kernels().multiply(MatrixView(floats, rows: 1, columns: 1, stride: 1), view, into: view)
        }
    }
}
