// SPDX-License-Identifier: MIT

internal import Features

/// The column of a feature row that says how full the longest window is, and its scaling.
struct FillColumn: Sendable {
    /// The column's number.
    let index: Int
    private let scaling: FeatureTransform.Scaling

    /// Nil where no window's fill is a feature.
    init?(_ transform: FeatureTransform) {
        var longest = 0
        var found: Int?
        for (index, feature) in transform.features.enumerated() {
            guard case .windowFill(let hours) = feature, hours > longest else { continue }
            (longest, found) = (hours, index)
        }
        guard let found else { return nil }
        index = found
        scaling = transform.scaling[found]
    }

    /// The fill that a scaled value stands for.
    func fill(_ scaled: Float) -> Double { Double(scaled) * scaling.scale + scaling.center }
}
