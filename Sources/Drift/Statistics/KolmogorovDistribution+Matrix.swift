// SPDX-License-Identifier: MIT

internal import Glibc

extension KolmogorovDistribution {
    /// The chance of a distance below `x`, as an element of the power of a matrix: exact.
    ///
    /// After Marsaglia, Tsang and Wang, "Evaluating Kolmogorov's distribution" (2003).
    ///
    /// - Complexity: O((n x)^3 log n).
    static func cumulativeByMatrix(_ x: Double, _ n: Int) -> Double {
        let t = Double(n) * x
        let k = Int(t.rounded(.down)) + 1
        let h = Double(k) - t
        var power = ScaledMatrix(band: k, h)
        var result = ScaledMatrix(identity: 2 * k - 1)
        var rest = n
        while rest > 0 {
            if rest & 1 == 1 { result = result.times(power) }
            rest >>= 1
            if rest > 0 { power = power.times(power) }
        }
        var value = result[k - 1, k - 1]
        var exponent = result.exponent
        // n! / n^n, kept within range as the matrix is.
        for i in 1...n {
            value *= Double(i) / Double(n)
            if value < ScaledMatrix.tiny {
                value *= ScaledMatrix.huge
                exponent -= ScaledMatrix.step
            }
        }
        return scalbn(value, Int32(exponent))
    }
}

/// A square matrix times a power of two.
private struct ScaledMatrix {
    static let step = 450
    static let huge = 0x1p450
    static let tiny = 0x1p-450

    let width: Int
    var values: [Double]
    var exponent = 0

    init(identity width: Int) {
        self.width = width
        values = Array(repeating: 0, count: width * width)
        for i in 0..<width { values[i * width + i] = 1 }
    }

    /// The matrix H of the paper.
    init(band k: Int, _ h: Double) {
        self.init(identity: 2 * k - 1)
        for i in 0..<width {
            for j in 0..<width { values[i * width + j] = i - j + 1 < 0 ? 0 : 1 }
        }
        for i in 0..<width {
            values[i * width] -= pow(h, Double(i + 1))
            values[(width - 1) * width + i] -= pow(h, Double(width - i))
        }
        let corner = (width - 1) * width
        if 2 * h - 1 > 0 { values[corner] += pow(2 * h - 1, Double(width)) }
        for i in 0..<width {
            for j in 0...min(i + 1, width - 1) {
                for divisor in stride(from: 1, through: i - j + 1, by: 1) {
                    values[i * width + j] /= Double(divisor)
                }
            }
        }
    }

    subscript(row: Int, column: Int) -> Double { values[row * width + column] }

    func times(_ other: ScaledMatrix) -> ScaledMatrix {
        var product = ScaledMatrix(identity: width)
        for i in 0..<width {
            var row = Array(repeating: 0.0, count: width)
            for k in 0..<width {
                let factor = values[i * width + k]
                for j in 0..<width { row[j] += factor * other.values[k * width + j] }
            }
            for j in 0..<width { product.values[i * width + j] = row[j] }
        }
        product.exponent = exponent + other.exponent
        let middle = width / 2
        if product[middle, middle] > Self.huge {
            for index in product.values.indices { product.values[index] *= Self.tiny }
            product.exponent += Self.step
        }
        return product
    }
}
