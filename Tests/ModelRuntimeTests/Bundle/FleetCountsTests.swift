// SPDX-License-Identifier: MIT

@testable import ModelRuntime
import Testing

@Suite struct FleetCountsTests {
    private static let fleet = FleetCounts(
        ages: [0, 2],
        machineCount: 5,
        borders: (0..<45).map { Float($0 / 3) },
        counts: (0..<2 * 256 * 3).map { Float($0 % 7) }
    )

    private func read(_ change: (inout [Tensor]) -> Void) throws -> FleetCounts? {
        let reference = ReferenceData(
            featureCount: 2,
            sample: [1, 2],
            quantiles: [1, 2, 3, 4],
            fleet: Self.fleet
        )
        var tensors = try SafeTensors.read(reference.bytes)
        change(&tensors)
        return try ReferenceData(SafeTensors.write(tensors), featureCount: 2).fleet
    }

    private func replace(_ tensors: inout [Tensor], _ name: String, at index: Int, with: Float) {
        for place in tensors.indices where tensors[place].name == name {
            var values = tensors[place].values
            values[index] = with
            tensors[place] = Tensor(name: name, shape: tensors[place].shape, values: values)
        }
    }

    @Test func readsWhatWasWritten() throws {
        #expect(try read { _ in } == Self.fleet)
        #expect(try read { $0.removeAll { $0.name.hasPrefix("fleet_") } } == nil)
    }

    @Test(
        arguments: [
            ("fleet_ages", 1, 0, true), ("fleet_ages", 1, -1, false),
            ("fleet_borders", 3, 0, true), ("fleet_borders", 3, -1, false),
            ("fleet_counts", 9, 4_294_967_040, true), ("fleet_counts", 9, 4_294_967_296, false),
            ("fleet_counts", 9, 0.5, false), ("fleet_counts", 9, -1, false),
        ] as [(String, Int, Float, Bool)]
    )
    func checksEveryValue(name: String, index: Int, value: Float, isAccepted: Bool) {
        let fleet = try? read { replace(&$0, name, at: index, with: value) }
        #expect((fleet != nil) == isAccepted)
    }

    @Test(arguments: ["fleet_machines", "fleet_borders", "fleet_counts"])
    func refusesAPart(name: String) {
        #expect(throws: SafeTensorsError.missing(tensor: name)) {
            try read { $0.removeAll { $0.name == name } }
        }
        #expect(throws: SafeTensorsError.self) {
            try read { tensors in
                for place in tensors.indices where tensors[place].name == name {
                    tensors[place] = Tensor(name: name, shape: [1, 2], values: [1, 2])
                }
            }
        }
    }
}
