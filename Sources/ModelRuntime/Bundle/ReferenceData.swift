// SPDX-License-Identifier: MIT

/// What training rows looked like, for drift: `reference.safetensors`.
///
///     sample     [n][features]   scaled values, as the network takes them, each feature ascending
///     quantiles  [q][features]   each feature's quantiles at the levels 0, 1/(q-1), .., 1
///
/// and what ``FleetCounts`` tells, which bundles of before lack.
package struct ReferenceData: Equatable, Sendable {
    private static let sampleName = "sample"
    private static let quantilesName = "quantiles"

    /// The number of features.
    package let featureCount: Int
    /// sample[n][features].
    package let sample: [Float]
    /// quantiles[q][features].
    package let quantiles: [Float]
    /// Rows by age and machine, for live drift; nil where nobody counted them.
    package let fleet: FleetCounts?

    /// Takes rows over; both arrays hold at least one whole row.
    package init(
        featureCount: Int,
        sample: [Float],
        quantiles: [Float],
        fleet: FleetCounts? = nil
    ) {
        precondition(featureCount > 0 && !sample.isEmpty && !quantiles.isEmpty)
        precondition(sample.count % featureCount == 0 && quantiles.count % featureCount == 0)
        self.featureCount = featureCount
        self.sample = sample
        self.quantiles = quantiles
        self.fleet = fleet
    }

    /// Reads and checks the file's bytes.
    ///
    /// - Throws: ``SafeTensorsError``.
    package init(
        _ bytes: [UInt8],
        featureCount: Int,
        limits: BundleLimits = BundleLimits()
    ) throws(SafeTensorsError) {
        var tensors = TensorSet(try SafeTensors.read(bytes, limits: limits))
        self.featureCount = featureCount
        sample = try tensors.take(Self.sampleName, columns: featureCount)
        quantiles = try tensors.take(Self.quantilesName, columns: featureCount)
        fleet = try FleetCounts(&tensors, featureCount: featureCount)
        try tensors.requireEmpty()
        for index in quantiles.indices.dropFirst(featureCount)
        where quantiles[index] < quantiles[index - featureCount] {
            throw .notAscending(tensor: Self.quantilesName, index: index)
        }
    }

    /// The file's bytes.
    package var bytes: [UInt8] {
        let rows = [(Self.sampleName, sample), (Self.quantilesName, quantiles)]
        let tensors = rows.map { name, values in
            let shape = [values.count / featureCount, featureCount]
            return Tensor(name: name, shape: shape, values: values)
        }
        return SafeTensors.write(tensors + (fleet?.tensors ?? []))
    }
}
