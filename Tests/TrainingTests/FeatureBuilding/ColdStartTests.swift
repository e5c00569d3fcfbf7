// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

struct ColdStartTests {
    private static let spec: FeatureSpec = {
        var spec = SampleReadings.spec
        spec.elements += [.sinceStart([.mean, .slope], .gauges), .windowFill(hours: [6, 24])]
        return spec
    }()

    private let table = SampleReadings.table(machines: 30, hours: 200)

    private func engine() throws -> FeatureEngine {
        let transform = try TransformFitter.fit(
            Self.spec,
            specPath: "sample",
            parameters: try SampleReadings.parameters(table),
            table: table
        )
        return try FeatureEngine(transform)
    }

    @Test(arguments: [0.1, 0.5, 1])
    func fillsWindowsFromNothingInItsShareOfTheRows(share: Double) throws {
        let engine = try engine()
        let coldStart = ColdStart(share: share, transform: engine.transform)
        let matrix = FeatureMatrix(table, engine: engine, coldStart: coldStart)
        let fill = try #require(matrix.windowFill)
        let full = try #require(FeatureMatrix(table, engine: engine).windowFill)
        let changed = fill.indices.filter { fill[$0] != full[$0] }
        // The last reading of a stretch has a full window either way: 23 of 24 readings differ.
        let expected = share * 23 / 24 * Double(table.rowCount)
        #expect(abs(Double(changed.count) - expected) < 0.12 * Double(table.rowCount))
        for quarter in 0..<4 {
            let part = changed.filter { Int(fill[$0] * 4) == quarter }
            #expect(abs(Double(part.count) / Double(changed.count) - 0.25) < 0.06)
        }
        // All else is as it was.
        let plain = FeatureMatrix(table, engine: engine)
        #expect(matrix.labels == plain.labels)
        for row in fill.indices where fill[row] == full[row] && fill[row] < 1 {
            let cells = row * matrix.names.count..<(row + 1) * matrix.names.count
            #expect(matrix.values[cells] == plain.values[cells])
        }
    }

    /// Every row of a machine whose history is cut is that of a machine which started there.
    @Test func rowsAreThoseOfAMachineThatHasJustStarted() throws {
        let engine = try engine()
        let coldStart = ColdStart(share: 1, transform: engine.transform)
        let matrix = FeatureMatrix(table, engine: engine, coldStart: coldStart)
        let fill = try #require(matrix.windowFill)
        let width = matrix.names.count
        var start = 0
        for row in 0..<table.rowCount {
            // A new stretch: the only reading of its window.
            if fill[row] < 1.5 / 24 { start = row }
            guard row % 17 == 0 else { continue }
            let rows = Array(start...row)
            let part = table.rows(rows, isContext: rows.map { $0 < row })
            let alone = FeatureMatrix(part, engine: engine)
            #expect(Array(matrix.values[row * width..<(row + 1) * width]) == alone.values)
        }
    }

    @Test(arguments: [1, 3, 7, 1000])
    func partsDoNotChangeTheRows(partCountMax: Int) throws {
        let engine = try engine()
        let coldStart = ColdStart(share: 0.3, transform: engine.transform)
        let replay = FeatureReplay(
            engine: engine,
            table: table,
            coldStart: coldStart,
            partCountMax: partCountMax
        )
        #expect(
            replay.scaledRows() == FeatureMatrix(table, engine: engine, coldStart: coldStart).values
        )
    }

    @Test func needsAShareAndWindows() throws {
        let transform = try engine().transform
        #expect(ColdStart(share: 0, transform: transform) == nil)
        #expect(ColdStart(share: 0.1, transform: transform) != nil)
        var lone = transform
        lone.features = [.raw(sensor: 0)]
        #expect(ColdStart(share: 0.1, transform: lone) == nil)
    }

    @Test func scoresAreGivenByFill() throws {
        let fill = [0.1, 0.25, 0.26, 0.6, 0.98, 1, 1, 1]
        let scores = FillScores(
            fill: fill,
            probabilities: [0.2, 0.9, 0.5, 0.1, 0.1, 0.1, 0.8, 0.9],
            labels: [0, 1, 1, 0, 0, 0, 1, 0],
            threshold: 0.5
        )
        #expect(scores.parts.map(\.rowCount) == [2, 1, 1, 1, 3])
        #expect(scores.parts.map(\.lower) == [0, 0.25, 0.5, 0.75, 0.99])
        #expect(scores.parts[0].prAUC == 1)
        #expect(scores.parts[0].failureRate == 0.5)
        #expect(abs(scores.parts[0].probability - 0.55) < 1e-12)
        #expect(scores.parts[1].rocAUC == nil)
        #expect(scores.parts[4].prAUC == 0.5)
        #expect(scores.lines.count == 6)
    }
}
