// SPDX-License-Identifier: MIT

internal import ModelRuntime

/// Fits the rising function that is closest to the labels, by pooling neighbours that fall.
///
/// Logits in between are interpolated, as scikit-learn's `IsotonicRegression` does with
/// `out_of_bounds="clip"`.
enum IsotonicFit {
    private struct Block {
        var first: Double
        var last: Double
        var sum: Double
        var count: Double
        var mean: Double { sum / count }
    }

    /// The calibration of at least one row.
    static func calibrator(logits: [Float], labels: [UInt8]) -> Calibrator {
        var blocks: [Block] = []
        for row in equalLogits(logits, labels) {
            blocks.append(row)
            while blocks.count > 1, blocks[blocks.count - 2].mean >= blocks[blocks.count - 1].mean {
                let falling = blocks.removeLast()
                blocks[blocks.count - 1].last = falling.last
                blocks[blocks.count - 1].sum += falling.sum
                blocks[blocks.count - 1].count += falling.count
            }
        }
        var points: [(logit: Double, probability: Double)] = []
        for block in blocks {
            points.append((block.first, block.mean))
            if block.last > block.first { points.append((block.last, block.mean)) }
        }
        while points.count > Calibrator.pointsMax {
            points = points.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        }
        return .isotonic(logits: points.map(\.logit), probabilities: points.map(\.probability))
    }

    /// One block for each distinct logit, in ascending order.
    private static func equalLogits(_ logits: [Float], _ labels: [UInt8]) -> [Block] {
        var blocks: [Block] = []
        for (logit, label) in zip(logits, labels).sorted(by: { $0.0 < $1.0 }) {
            let x = Double(logit)
            if blocks.last?.first == x {
                blocks[blocks.count - 1].sum += Double(label)
                blocks[blocks.count - 1].count += 1
            } else {
                blocks.append(Block(first: x, last: x, sum: Double(label), count: 1))
            }
        }
        return blocks
    }
}
