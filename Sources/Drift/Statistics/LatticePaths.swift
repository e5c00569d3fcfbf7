// SPDX-License-Identifier: MIT

/// Paths of steps right and up from (0, 0) to (m, n), all equally likely: the order in which two
/// samples of one distribution interleave.
enum LatticePaths {
    /// The share of the paths with |i n - j m| >= `steps` at a point (i, j).
    ///
    /// - Complexity: O(m + n) for equal sizes, else O(steps (m + n) / max(m, n)).
    static func shareOutside(_ m: Int, _ n: Int, steps: Int) -> Double {
        guard steps > 0 else { return 1 }
        if m == n { return shareOutsideSquare(n, steps: steps / n) }
        // 2 exp(-2 z^2) bounds the share up to a small factor: below the least double from here on.
        let distance = Double(steps) / (Double(m) * Double(n))
        let size = Double(m) * Double(n) / Double(m + n)
        guard size * distance * distance < 370 else { return 0 }
        return shareOutsideBand(m, n, steps: steps)
    }

    /// By reflection (Gnedenko and Korolyuk): 2 sum over k of (-1)^(k-1) C(2n, n - k h) / C(2n, n).
    private static func shareOutsideSquare(_ n: Int, steps h: Int) -> Double {
        var terms: [Double] = []
        // C(2n, n - a) / C(2n, n), from a = 0 upwards.
        var ratio = 1.0
        for a in 0..<n {
            ratio *= Double(n - a) / Double(n + a + 1)
            if (a + 1) % h == 0 { terms.append(ratio) }
            guard ratio > 0 else { break }
        }
        return 2 * terms.reversed().reduce(0) { $1 - $0 }
    }

    /// The chance that a path was outside by the time it came to a point, diagonal by diagonal.
    ///
    /// A path at (i, j) came from (i - 1, j) with the chance i / (i + j), else from (i, j - 1). So
    /// every chance is a mean of two others: nothing cancels, nothing overflows.
    private static func shareOutsideBand(_ m: Int, _ n: Int, steps: Int) -> Double {
        var chances = Array(repeating: 1.0, count: m + 2)
        var next = chances
        let columns = (0...m + 1).map { Double($0) }
        chances[1] = 0  // of (0, 0); index i + 1, so that there is one to the left of i = 0
        for diagonal in 1...m + n {
            // Inside: |i n - (diagonal - i) m| < steps.
            let low = max(0, diagonal - n, floorDivide(diagonal * m - steps, m + n) + 1)
            let high = min(m, diagonal, floorDivide(diagonal * m + steps - 1, m + n))
            guard low <= high else { return 1 }
            let (length, inverse) = (Double(diagonal), 1 / Double(diagonal))
            for i in low...high {
                let left = columns[i] * chances[i]
                next[i + 1] = (left + (length - columns[i]) * chances[i + 1]) * inverse
            }
            // Its neighbours on either side are outside.
            if low > 0 { next[low] = 1 }
            if high < m { next[high + 2] = 1 }
            swap(&chances, &next)
        }
        return chances[m + 1]
    }

    private static func floorDivide(_ a: Int, _ b: Int) -> Int {
        a >= 0 ? a / b : -((b - 1 - a) / b)
    }
}
