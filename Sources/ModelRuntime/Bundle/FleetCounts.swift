// SPDX-License-Identifier: MIT

/// How the training fleet's rows fall into bins, by the age of their machines: part of
/// `reference.safetensors`.
///
///     fleet_ages     [s][1]          the least age of each stratum, as the network takes it
///     fleet_borders  [15][columns]   borders between the bins of a column, each ascending
///     fleet_machines [1][1]          the number of machines
///     fleet_counts   [s 256][columns]  rows by stratum, then group of machines, then bin
///
/// Columns are the features, then the logit. There are sixteen groups and sixteen bins.
package struct FleetCounts: Equatable, Sendable {
    static let agesName = "fleet_ages"
    private static let bordersName = "fleet_borders"
    private static let machinesName = "fleet_machines"
    private static let countsName = "fleet_counts"
    private static let borderCount = 15
    private static let cellCount = 256

    /// The least age of each stratum, ascending.
    package let ages: [Float]
    /// The number of machines; of rows where they belong to none.
    package let machineCount: Float
    /// borders[15][columns].
    package let borders: [Float]
    /// counts[strata][groups][bins][columns], whole numbers.
    package let counts: [Float]

    /// Takes the arrays over; their sizes fit each other.
    package init(ages: [Float], machineCount: Int, borders: [Float], counts: [Float]) {
        precondition(!ages.isEmpty && borders.count % Self.borderCount == 0)
        precondition(counts.count * Self.borderCount == borders.count * ages.count * Self.cellCount)
        self.ages = ages
        self.machineCount = Float(machineCount)
        self.borders = borders
        self.counts = counts
    }

    /// Takes the tensors of a file out, where they are there.
    ///
    /// - Throws: ``SafeTensorsError``.
    init?(_ tensors: inout TensorSet, featureCount: Int) throws(SafeTensorsError) {
        guard tensors.contains(Self.agesName) else { return nil }
        let columns = featureCount + 1
        ages = try tensors.take(Self.agesName, columns: 1)
        machineCount = try tensors.take(Self.machinesName, shape: [1, 1])[0]
        borders = try tensors.take(Self.bordersName, shape: [Self.borderCount, columns])
        let rows = ages.count * Self.cellCount
        counts = try tensors.take(Self.countsName, shape: [rows, columns])
        for index in ages.indices.dropFirst() where ages[index] < ages[index - 1] {
            throw .notAscending(tensor: Self.agesName, index: index)
        }
        for index in borders.indices.dropFirst(columns)
        where borders[index] < borders[index - columns] {
            throw .notAscending(tensor: Self.bordersName, index: index)
        }
        if let index = counts.firstIndex(where: { UInt32(exactly: $0) == nil }) {
            throw .notCount(tensor: Self.countsName, index: index)
        }
    }

    /// The tensors with their names.
    var tensors: [Tensor] {
        let columns = borders.count / Self.borderCount
        return [
            Tensor(name: Self.agesName, shape: [ages.count, 1], values: ages),
            Tensor(name: Self.machinesName, shape: [1, 1], values: [machineCount]),
            Tensor(name: Self.bordersName, shape: [Self.borderCount, columns], values: borders),
            Tensor(
                name: Self.countsName,
                shape: [counts.count / columns, columns],
                values: counts
            ),
        ]
    }
}
