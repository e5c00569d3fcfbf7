// SPDX-License-Identifier: MIT

/// Values in ascending order, and what is read off them.
package struct SortedSample: Equatable, Sendable {
    /// The values; none is NaN.
    package let values: [Double]

    /// Sorts values; NaN has to be left out.
    ///
    /// - Complexity: O(n).
    package init(_ values: [Double]) { self.values = RadixSort.sorted(values) }

    /// Takes values that are in ascending order.
    package init(ascending values: [Double]) { self.values = values }

    /// The value below which a share of the values lies, interpolated; nil where there are none.
    package func quantile(_ share: Double) -> Double? {
        guard let last = values.indices.last else { return nil }
        let place = share * Double(last)
        let index = min(Int(place), last)
        let (low, high) = (values[index], values[min(index + 1, last)])
        return low + (place - Double(index)) * (high - low)
    }

    /// The borders of parts that hold equally many values; equal borders are one.
    package func edges(parts: Int) -> [Double] {
        var edges: [Double] = []
        for part in 1..<parts {
            guard let edge = quantile(Double(part) / Double(parts)) else { return [] }
            if edge != edges.last { edges.append(edge) }
        }
        return edges
    }

    /// How many values are up to each edge and no edge before it; the last count is the rest.
    ///
    /// - Complexity: O(edges log n).
    package func counts(edges: [Double]) -> [Int] {
        var counts: [Int] = []
        var before = 0
        for edge in edges {
            let place = firstPlace(above: edge)
            counts.append(place - before)
            before = place
        }
        return counts + [values.count - before]
    }

    private func firstPlace(above edge: Double) -> Int {
        var (low, high) = (0, values.count)
        while low < high {
            let middle = (low + high) / 2
            if values[middle] <= edge { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The chance that two values are equal.
    var tieShare: Double {
        var (sum, run) = (0.0, 0)
        for index in values.indices {
            run += 1
            if index + 1 == values.count || values[index + 1] != values[index] {
                sum += Double(run) * Double(run - 1)
                run = 0
            }
        }
        let count = Double(values.count)
        return count > 1 ? sum / (count * (count - 1)) : 0
    }
}
