// SPDX-License-Identifier: MIT

import Features
import JSON
import Testing
import Training

struct TransformFitterTests {
    private let table = SampleReadings.table(machines: 5, hours: 40)

    /// The unscaled features of the rows that are not context, by feature.
    private func columns(_ table: ReadingTable, _ engine: FeatureEngine) -> [[Double]] {
        let width = engine.transform.features.count
        let replay = FeatureReplay(engine: engine, table: table)
        let rows = replay.unscaledRows()
        return (0..<width).map { column in
            stride(from: column, to: rows.count, by: width).map { rows[$0] }
        }
    }

    @Test func dropsColumnsThatAreConstantOnTrainingRows() throws {
        var table = table
        table.values[1] = table.values[1].map { _ in 10 }
        let transform = try SampleReadings.transform(table)
        let all = try SampleReadings.spec.resolved(for: table.schema)
            .map { $0.name(in: table.schema) }
        let dropped = Set(all).subtracting(transform.featureNames)
        let windows = ["mean", "std", "max"].flatMap { ["load_\($0)_6h", "load_\($0)_24h"] }
        #expect(dropped == Set(windows + ["load", "load_rate", "load_deviation_24h"]))
        #expect(transform.featureNames == all.filter { !dropped.contains($0) })
    }

    @Test func seesNothingOfContextRowsButTheirWindows() throws {
        var context = table
        for row in context.labels.indices where row % 40 >= 30 { context.isContext[row] = true }
        let transform = try SampleReadings.transform(context)
        var other = context
        // The last rows of each machine are context: what they hold changes no row before them.
        for row in other.labels.indices where other.isContext[row] { other.values[0][row] = 77 }
        let parameters = try SampleReadings.parameters(context)
        let again = try TransformFitter.fit(
            SampleReadings.spec,
            specPath: "sample",
            parameters: parameters,
            table: other
        )
        #expect(again == transform)
        #expect(transform.isFitted(with: parameters))
        #expect(!transform.isFitted(with: try SampleReadings.parameters(table)))
    }

    @Test func medianAndQuartilesAreThoseOfItsColumns() throws {
        let transform = try SampleReadings.transform(table)
        let columns = columns(table, try FeatureEngine(transform))
        for (column, scaling) in zip(columns, transform.scaling) {
            let sorted = column.sorted()
            let spread =
                TransformFitter.quantile(0.75, ofSorted: sorted)
                - TransformFitter.quantile(0.25, ofSorted: sorted)
            #expect(scaling.center == TransformFitter.quantile(0.5, ofSorted: sorted))
            #expect(scaling.scale == (spread == 0 ? 1 : spread))
        }
        #expect(TransformFitter.scaling(of: [4, 4, 4, 4, 9]) == .init(center: 4, scale: 1))
    }

    @Test func refusesASpecThatDoesNotFit() throws {
        let parameters = try SampleReadings.parameters(table)
        func error(_ elements: [FeatureSpec.Element], _ table: ReadingTable) -> String? {
            refusal { () throws(TrainingError) in
                try TransformFitter.fit(
                    FeatureSpec(name: "odd", elements: elements),
                    specPath: "odd.json",
                    parameters: parameters,
                    table: table
                )
            }
        }
        #expect(
            error([.product("heat", "cold")], table) == "odd.json: the schema has no sensor cold"
        )
        var flat = table
        flat.values[0] = flat.values[0].map { _ in 1 }
        #expect(error([.raw(.named(["heat"]))], flat) == "odd.json: odd: every feature is constant")
        var onlyContext = table
        onlyContext.isContext = table.labels.map { _ in true }
        let none = error([.raw(.named(["heat"]))], onlyContext)
        #expect(none == "odd.json: odd: every feature is constant")
    }

    /// Against scikit-learn's RobustScaler and numpy's percentile; see robust_scaler.py.
    @Test func scalesAsScikitLearnDoes() throws {
        let path = repositoryFile("Tests/TrainingTests/Fixtures/robust_scaler.json")
        let file = JSONView(try JSONFile.read(path))
        let cases = try file.required("cases").array
        #expect(cases.count == 14)
        for sample in cases {
            let values = try sample.required("values").doubles
            let sorted = values.sorted()
            let percentiles = try sample.required("percentiles").doubles
            for (q, expected) in zip([0, 0.1, 0.25, 0.5, 0.75, 0.99, 1], percentiles) {
                let value = TransformFitter.quantile(q, ofSorted: sorted)
                // Interpolation between neighbours may cancel.
                let near = sorted.map(abs).filter { $0 >= abs(expected) }.min() ?? 0
                #expect(abs(value - expected) <= 1e-12 * near)
            }
            let scaling = TransformFitter.scaling(of: values)
            let center = try sample.required("center").double
            let scale = try sample.required("scale").double
            #expect(abs(scaling.center - center) <= 1e-12 * abs(center))
            #expect(abs(scaling.scale - scale) <= 1e-12 * scale)
            for (value, expected) in zip(values, try sample.required("scaled").doubles) {
                let scaled = (value - scaling.center) / scaling.scale
                #expect(abs(scaled - expected) <= 1e-12 * max(1, abs(expected)))
            }
        }
    }
}
