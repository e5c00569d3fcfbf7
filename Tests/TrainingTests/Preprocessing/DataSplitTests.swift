// SPDX-License-Identifier: MIT

import JSON
import Testing
import Training

struct DataSplitTests {
    private let table = SampleReadings.table(machines: 10, hours: 20)

    private func machines(_ flags: [Bool], _ side: Bool) -> Set<Int32> {
        let codes = table.entities?.codes ?? []
        return Set(codes.indices.filter { flags[$0] == side }.map { codes[$0] })
    }

    @Test(arguments: [(0.01, 1), (0.2, 2), (0.25, 3), (0.99, 9)])
    func putsNoMachineOnBothSides(testSize: Double, count: Int) throws {
        let flags = try DataSplit.group(testSize: testSize, seed: 7).isTest(table)
        #expect(machines(flags, true).count == count)
        #expect(machines(flags, true).isDisjoint(with: machines(flags, false)))
    }

    @Test func choosesMachinesBySeed() throws {
        let splits = try (0..<20 as Range<UInt64>).map {
            machines(try DataSplit.group(testSize: 0.2, seed: $0).isTest(table), true)
        }
        #expect(Set(splits).count > 5)
        let again = try DataSplit.group(testSize: 0.2, seed: 3).isTest(table)
        #expect(machines(again, true) == splits[3])
    }

    @Test func keepsTheFailureRateByRow() throws {
        let flags = try DataSplit.stratified(testSize: 0.25, seed: 7).isTest(table)
        for label: UInt8 in [0, 1] {
            let rows = table.labels.indices.filter { table.labels[$0] == label }
            #expect(rows.count { flags[$0] } * 4 == rows.count)
        }
    }

    @Test func judgesOnTheLatestRows() throws {
        let flags = try DataSplit.time(testSize: 0.2).isTest(table)
        let times = try #require(table.timestamps)
        let earliest = try #require(times.indices.filter { flags[$0] }.map { times[$0] }.min())
        let latest = try #require(times.indices.filter { !flags[$0] }.map { times[$0] }.max())
        #expect(latest < earliest)
        #expect(flags.count { $0 } == 40)
    }

    @Test func foldsCoverEachMachineOnce() throws {
        let folds = try (0..<5).map { try DataSplit.fold(index: $0, count: 5).isTest(table) }
        for row in table.labels.indices { #expect(folds.count { $0[row] } == 1) }
        #expect(machines(folds[1], true) == [1, 6])
    }

    @Test func rowsWithoutMachinesStandForThemselves() throws {
        var lone = table
        lone.entities = nil
        let flags = try DataSplit.fold(index: 1, count: 4).isTest(lone)
        #expect(flags.indices.allSatisfy { flags[$0] == ($0 % 4 == 1) })
        let group = try DataSplit.group(testSize: 0.2, seed: 1).isTest(lone)
        #expect(group.count { $0 } == 40)
    }

    @Test(arguments: [
        DataSplit.group(testSize: 0.2, seed: 1), .time(testSize: 0.5),
        .stratified(testSize: 0.2, seed: 1), .fold(index: 4, count: 5),
    ])
    func refusesASideWithoutRows(split: DataSplit) {
        let one = SampleReadings.table(machines: 1, hours: 1)
        let error = refusal { () throws(TrainingError) in try split.isTest(one) }
        #expect(error == "the split leaves one side empty: more machines or rows are needed")
    }

    @Test func needsATimestampToSplitByTime() {
        var timeless = table
        timeless.timestamps = nil
        let error = refusal { () throws(TrainingError) in
            try DataSplit.time(testSize: 0.2).isTest(timeless)
        }
        #expect(error == "a split by time needs a timestamp column in the schema")
    }

    @Test func reportsSeedsThatAreNoInt() throws {
        let json = DataSplit.group(testSize: 0.2, seed: .max).json
        #expect(json["seed"] == .number(Double(UInt64.max)))
    }
}
