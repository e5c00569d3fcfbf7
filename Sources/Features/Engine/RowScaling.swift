// SPDX-License-Identifier: MIT

/// Where a row's features stand among the inputs, and how they are scaled.
struct RowScaling: Sendable {
    let places: KernelTable<Int>
    /// The last place; none is negative.
    let placeMax: Int
    let centers: KernelTable<Double>
    let scales: KernelTable<Double>
    /// Scaled values are not beyond it on either side.
    let clip: Double

    init(_ transform: FeatureTransform, _ places: [Int]) {
        precondition(places.allSatisfy { $0 >= 0 }, "a place is missing")
        self.places = KernelTable(places)
        placeMax = places.max() ?? 0
        centers = KernelTable(transform.scaling.map(\.center))
        scales = KernelTable(transform.scaling.map(\.scale))
        clip = transform.scaledClip ?? .infinity
    }

    /// What the kernels do for four features and more.
    func scalePlainly(_ scratch: inout FeatureScratch) {
        for index in 0..<places.count {
            scratch.features[index] = scratch.inputs[places[index]]
            let scaled = (scratch.features[index] - centers[index]) / scales[index]
            scratch.row[index] = Float(min(max(scaled, -clip), clip))
        }
    }
}
