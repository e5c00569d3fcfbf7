// SPDX-License-Identifier: MIT

/// Where a row's features stand among the inputs, and how they are scaled.
struct RowScaling: Sendable {
    let places: [Int]
    /// The last place; none is negative.
    let placeMax: Int
    let centers: [Double]
    let scales: [Double]
    /// Scaled values are not beyond it on either side.
    let clip: Double

    init(_ transform: FeatureTransform, _ places: [Int]) {
        precondition(places.allSatisfy { $0 >= 0 }, "a place is missing")
        self.places = places
        placeMax = places.max() ?? 0
        centers = transform.scaling.map(\.center)
        scales = transform.scaling.map(\.scale)
        clip = transform.scaledClip ?? .infinity
    }

    /// What the kernels do for four features and more.
    func scalePlainly(_ inputs: [Double], _ features: inout [Double], _ row: inout [Float]) {
        for index in places.indices {
            features[index] = inputs[places[index]]
            let scaled = (features[index] - centers[index]) / scales[index]
            row[index] = Float(min(max(scaled, -clip), clip))
        }
    }
}
