// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

struct LeakageTests {
    private let train: FeatureMatrix
    private let test: FeatureMatrix

    init() throws {
        let table = SampleReadings.table(machines: 6, hours: 20)
        let engine = try FeatureEngine(try SampleReadings.transform(table))
        train = FeatureMatrix(table, engine: engine)
        var other = FeatureMatrix(table, engine: engine)
        other.entities = train.entities.map {
            CategoryColumn(categories: $0.categories.map { "other \($0)" }, codes: $0.codes)
        }
        test = other
    }

    /// The training rows with a first column made from the row's number.
    private func train(_ value: (Int) -> Float) -> FeatureMatrix {
        var changed = train
        for row in 0..<train.rowCount { changed.values[row * train.names.count] = value(row) }
        return changed
    }

    private func warnings(_ train: FeatureMatrix) -> [String] {
        Leakage.warnings(train: train, test: test)
    }

    @Test func hasNothingToSayOfHonestRows() {
        #expect(warnings(train) == [])
    }

    @Test func namesMachinesOnBothSidesAndTheirTimes() {
        #expect(
            Leakage.warnings(train: train, test: train) == [
                "6 machines have training and test rows, unless names were given twice:"
                    + " M0, M1, M2, ...",
                "the training and test rows of 6 machines overlap in time",
            ]
        )
        var later = train
        later.timestamps = train.timestamps?.map { $0 + 1000 * SampleReadings.hour }
        #expect(Leakage.warnings(train: train, test: later).count == 1)
        var lone = train
        lone.entities = nil
        #expect(Leakage.warnings(train: lone, test: train) == [])
    }

    @Test func findsAFeatureThatIsTheLabel() {
        let labels = train.labels
        let name = train.names[0]
        #expect(
            warnings(train { 3 - Float(labels[$0]) * 2 }) == ["feature \(name) equals the label"]
        )
        #expect(warnings(train { $0 == 7 ? 9 : Float(labels[$0]) }) == [])
        #expect(warnings(train { _ in 1 }) == [])
    }

    @Test func findsNumbersOfRowsAndMachines() {
        let codes = train.entities?.codes ?? []
        let name = train.names[0]
        #expect(warnings(train { Float($0) }) == ["feature \(name) rises with the row's number"])
        #expect(
            warnings(train { Float((codes[$0] * 5) % 7) }) == ["feature \(name) names the machine"]
        )
        #expect(warnings(train { Float(codes[$0] / 2) }) == [])
    }
}
