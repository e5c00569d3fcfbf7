// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

struct RegimeFitterTests {
    private static let loads: [(Double, Double)] = [
        (0, 100), (10, 100), (20, 100), (25, 60), (35, 100), (42, 100),
    ]

    /// Rows whose settings jump between six regimes and whose gauges depend on them: `heat` varies
    /// in each, `still` is one number per regime.
    private func table(_ seed: UInt64, noise: Double = 0.002) -> ReadingTable {
        var generator = SeededGenerator(seed: seed)
        var values: [[Double]] = [[], [], [], []]
        for _ in 0..<600 {
            let regime = generator.uniform(below: 6)
            values[0].append(Self.loads[regime].0 + noise * generator.normal())
            values[1].append(Self.loads[regime].1)
            values[2].append(Double(regime) * 100 + (Double(regime) + 1) * generator.normal())
            values[3].append(0.1 * Double(regime))
        }
        return ReadingTable(
            schema: Schema(
                name: "regimes",
                entityColumn: "unit",
                time: .init(column: "t", unit: .hours),
                sensors: [
                    Sensor(name: "altitude", kind: .setting),
                    Sensor(name: "throttle", kind: .setting),
                    Sensor(name: "heat"), Sensor(name: "still"),
                ],
                label: .column("y"),
                horizonHours: nil
            ),
            entities: CategoryColumn(
                categories: ["A", "B"],
                codes: (0..<600).map { Int32($0 / 300) }
            ),
            timestamps: (0..<600).map { Int64($0) * SampleReadings.hour },
            values: values,
            labels: (0..<600).map { $0 % 2 == 0 ? 0 : 1 }
        )
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func findsRegimesAndWhatIsUsualInThem(seed: UInt64) {
        let table = table(seed)
        let regimes = RegimeFitter(.init(), [2, 3]).fit(table)
        #expect(regimes.centers.count == 6)
        #expect(regimes == RegimeFitter(.init(), [2, 3]).fit(table))
        for (regime, center) in regimes.centers.enumerated() {
            let settings = zip(regimes.settings, center).map { $0.center + $1 * $0.scale }
            #expect(abs(settings[0] - Self.loads[regime].0) < 0.001)
            #expect(abs(settings[1] - Self.loads[regime].1) < 1e-9)
            #expect(abs(regimes.gauges[0].centers[regime] - Double(regime) * 100) < 1.5)
            #expect(abs(regimes.gauges[0].scales[regime] / Double(regime + 1) - 1) < 0.25)
            // To the bit, or standing still would become noise.
            #expect(regimes.gauges[1].centers[regime] == 0.1 * Double(regime))
            #expect(regimes.gauges[1].scales[regime] == 1)
        }
    }

    @Test func settingsThatVaryEvenlyAreOneRegime() {
        let regimes = RegimeFitter(.init(), [2]).fit(table(1, noise: 200))
        #expect(regimes.centers == [[0, 0]] || regimes.centers.count == 1)
        #expect(regimes.gauges[0].centers.count == 1)
        // Fewer are allowed than there are.
        #expect(RegimeFitter(.init(countMax: 5), [2]).fit(table(1)).centers.count == 1)
        // Unless less has to be explained.
        let coarse = RegimeFitter(.init(countMax: 5, explained: 0.9), [2]).fit(table(1))
        #expect((2...5).contains(coarse.centers.count))
    }

    @Test func missingValuesAndContextPlayNoPart() {
        var table = table(1)
        let expected = RegimeFitter(.init(), [2, 3]).fit(table)
        let more = (0..<1200).map { $0 % 600 }
        table = table.rows(more, isContext: more.indices.map { $0 >= 600 })
        for row in 600..<1200 { for sensor in 0..<4 { table.values[sensor][row] = 7 } }
        #expect(RegimeFitter(.init(), [2, 3]).fit(table) == expected)
        for sensor in 0..<4 { for row in 0..<table.rowCount { table.values[sensor][row] = .nan } }
        let empty = RegimeFitter(.init(), [2, 3]).fit(table)
        #expect(empty.centers == [[0, 0]])
        #expect(empty.gauges.map(\.scales) == [[1], [1]])
    }

    @Test func windowsHoldStandardisedReadings() throws {
        let table = table(1)
        var spec = FeatureSpec(
            name: "regimes",
            elements: [.raw(.gauges), .window([.mean], hours: [6], .gauges)]
        )
        spec.regimes = .init()
        let parameters = try SampleReadings.parameters(table)
        let transform = try TransformFitter.fit(
            spec,
            specPath: "regimes",
            parameters: parameters,
            table: table
        )
        // What stands still in every regime is constant.
        #expect(transform.featureNames == ["heat", "heat_mean_6h"])
        #expect(transform.cleaning[2] == .init(imputed: 0, clip: -6...6))
        #expect(transform.isFitted(with: parameters))
        let engine = try FeatureEngine(transform)
        let rows = FeatureReplay(engine: engine, table: table).unscaledRows()
        let heat = stride(from: 0, to: rows.count, by: 2).map { rows[$0] }
        let mean = heat.reduce(0, +) / 600
        #expect(abs(mean) < 1e-9)
        #expect(abs(heat.reduce(0) { $0 + $1 * $1 } / 600 - 1) < 1e-9)
        #expect(abs(rows[11] - heat[..<6].reduce(0, +) / 6) < 1e-6)
    }

    @Test func keepsTheRegimesOfTheModelThatServes() throws {
        var spec = FeatureSpec(name: "regimes", elements: [.window([.mean], hours: [6], .gauges)])
        spec.regimes = .init()
        func fit(_ layout: StateLayout?, _ seed: UInt64) throws -> FeatureTransform {
            let table = table(seed)
            let parameters = try CleaningParameters(
                table: table,
                isTest: table.isContext,
                forwardFill: true,
                zThreshold: 6,
                layout: layout
            )
            return try TransformFitter.fit(
                spec,
                specPath: "regimes",
                parameters: parameters,
                table: table
            )
        }
        let first = try fit(nil, 1)
        #expect(try fit(nil, 2).layout.regimes != first.layout.regimes)
        #expect(try fit(first.layout, 2).layout == first.layout)
        spec.regimes = nil
        #expect(throws: TrainingError.self) { try fit(first.layout, 2) }
    }
}
