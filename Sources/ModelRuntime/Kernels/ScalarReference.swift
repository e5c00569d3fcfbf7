// SPDX-License-Identifier: MIT

/// The kernels in plain loops and Double: what they are compared with, never called to serve.
package enum ScalarReference {
    /// a[m][k] times b[k][n] -> c[m][n].
    package static func multiply(
        _ a: [Double],
        _ b: [Double],
        m: Int,
        k: Int,
        n: Int
    ) -> [Double] {
        var c = [Double](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                for step in 0..<k { c[i * n + j] += a[i * k + step] * b[step * n + j] }
            }
        }
        return c
    }

    /// b[rows][columns] -> c[columns][rows].
    package static func transpose(_ b: [Double], rows: Int, columns: Int) -> [Double] {
        (0..<rows * columns).map { b[$0 % rows * columns + $0 / rows] }
    }

    /// activation(x[rows][inputs] W + b) -> y[rows][outputs] with W[inputs][outputs].
    package static func dense(
        _ x: [Double],
        _ weight: [Double],
        _ bias: [Double],
        inputs: Int,
        activation: Layer.Activation
    ) -> [Double] {
        let outputs = bias.count
        let rows = x.count / inputs
        let sums = multiply(x, weight, m: rows, k: inputs, n: outputs)
        return sums.indices.map { index in
            let z = sums[index] + bias[index % outputs]
            return switch activation {
            case .identity: z
            case .relu: max(0, z)
            case .sigmoid: PortableMath.sigmoid(z)
            case .tanh: 2 * PortableMath.sigmoid(2 * z) - 1
            }
        }
    }

    /// Whether dropout keeps element `index` of a layer's output, row-major without padding beyond
    /// the width given to the kernel.
    package static func isKept(_ index: Int, _ mask: DropoutMask) -> Bool {
        var h = UInt32(truncatingIfNeeded: index) ^ mask.keys.0
        h = (h ^ (h >> 16)) &* 0x7feb_352d
        h = (h ^ (h >> 15)) &* 0x846c_a68b
        h ^= h >> 16
        h = (h ^ mask.keys.1) &* 0x9e37_79b1
        return h ^ (h >> 15) >= mask.threshold
    }

    /// What normalising one batch gives.
    package struct Normalized: Sendable {
        /// z less its column's mean, over its column's deviation.
        package var normalized: [Double]
        /// Dropout of ReLU of scale and offset.
        package var output: [Double]
        /// Mean of each column.
        package var mean: [Double]
        /// Variance (over n) of each column.
        package var variance: [Double]
    }

    /// Normalises the columns of z[rows][width], then ReLU and dropout.
    package static func normalize(
        _ z: [Double],
        gamma: [Double],
        beta: [Double],
        epsilon: Double,
        dropout: DropoutMask
    ) -> Normalized {
        let width = gamma.count
        let rows = z.count / width
        var result = Normalized(normalized: z, output: z, mean: [], variance: [])
        for column in 0..<width {
            let values = (0..<rows).map { z[$0 * width + column] }
            let mean = values.reduce(0, +) / Double(rows)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rows)
            result.mean.append(mean)
            result.variance.append(variance)
            for row in 0..<rows {
                let index = row * width + column
                let x = (z[index] - mean) / (variance + epsilon).squareRoot()
                let y = max(0, gamma[column] * x + beta[column])
                result.normalized[index] = x
                result.output[index] = isKept(index, dropout) ? y / (1 - dropout.rate) : 0
            }
        }
        return result
    }

    /// The way back through `normalize`: gradients of z, gamma and beta from that of the output.
    package static func normalizeBackward(
        _ gradient: [Double],
        _ forward: Normalized,
        gamma: [Double],
        epsilon: Double,
        dropout: DropoutMask
    ) -> (z: [Double], gamma: [Double], beta: [Double]) {
        let width = gamma.count
        let rows = gradient.count / width
        var result = (z: gradient, gamma: [Double](), beta: [Double]())
        for column in 0..<width {
            let places = (0..<rows).map { $0 * width + column }
            let passed = places.map { index in
                forward.output[index] > 0 ? gradient[index] / (1 - dropout.rate) : 0
            }
            let sum = passed.reduce(0, +)
            let product = zip(places, passed).reduce(0) { $0 + forward.normalized[$1.0] * $1.1 }
            result.beta.append(sum)
            result.gamma.append(product)
            let factor = gamma[column] / (forward.variance[column] + epsilon).squareRoot()
            for (index, value) in zip(places, passed) {
                let x = forward.normalized[index]
                result.z[index] = factor * (value - (sum + x * product) / Double(rows))
            }
        }
        return result
    }
}
