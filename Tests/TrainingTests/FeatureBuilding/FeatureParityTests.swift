// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

/// The offline path and the state that a server keeps, from the same raw readings.
struct FeatureParityTests {
    static let seeds: [UInt64] = [1, 2, 3, 4, 5, 6]

    /// Readings of seven machines in a random interleaving, with gaps, repeats, late rows, missing
    /// and impossible values; a fifth are context.
    private func table(_ generator: inout SeededGenerator) -> ReadingTable {
        let hour = SampleReadings.hour
        let machineCount = 7
        var now = (0..<machineCount).map { Int64($0 % 3 - 1) * 40 * hour }
        var codes: [Int32] = []
        var timestamps: [Int64] = []
        var values: [[Double]] = [[], [], []]
        for _ in 0..<600 {
            let machine = Int.random(in: 0..<machineCount, using: &generator)
            var moment = now[machine]
            switch Int.random(in: 0..<12, using: &generator) {
            case 0: now[machine] += Int64.random(in: 0...60 * hour, using: &generator)
            case 1: moment -= Int64.random(in: 0...30 * hour, using: &generator)
            case 2: break
            default:
                now[machine] += Int64.random(in: 1...2 * hour, using: &generator)
                moment = now[machine]
            }
            codes.append(Int32(machine))
            timestamps.append(moment)
            for sensor in values.indices {
                let usual = Double.random(in: 5...95, using: &generator)
                let unusual = [Double.nan, -999, .infinity, 0, -0.0].randomElement(
                    using: &generator
                )
                let isUsual = Int.random(in: 0..<6, using: &generator) > 0
                values[sensor].append(isUsual ? usual : unusual ?? usual)
            }
        }
        return ReadingTable(
            schema: SampleReadings.schema,
            entities: CategoryColumn(
                categories: (0..<machineCount).map { "M\($0)" },
                codes: codes
            ),
            timestamps: timestamps,
            values: values,
            labels: codes.map { _ in Bool.random(using: &generator) ? 1 : 0 },
            isContext: codes.map { _ in Int.random(in: 0..<5, using: &generator) == 0 }
        )
    }

    /// The rows of the table by the store, machines in another interleaving than the table's.
    private func served(
        _ table: ReadingTable,
        _ engine: FeatureEngine,
        _ generator: inout SeededGenerator
    ) throws -> [[UInt32]] {
        let store = StateStore(
            records: engine.records,
            horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
            limits: StateLimits(machinesMax: 100, shardCount: 4)
        )
        let codes = table.entities?.codes ?? []
        var waiting = (0..<7).map { machine in
            codes.indices.filter { codes[$0] == Int32(machine) }[...]
        }
        var rows = Array(repeating: [UInt32](), count: table.rowCount)
        // One scratch for all machines and many rows, as in a batch.
        var scratch = engine.makeScratch()
        while let machine = waiting.indices.filter({ !waiting[$0].isEmpty }).randomElement(
            using: &generator
        ) {
            let count = Int.random(in: 1...9, using: &generator)
            for row in waiting[machine].prefix(count) {
                for sensor in table.values.indices {
                    scratch.values[sensor] = table.values[sensor][row]
                }
                let moment = table.timestamps?[row] ?? 0
                let id = Array(table.entityName(row: row).utf8)
                _ = try store.observe(
                    ReadingTime(timestamp: moment, isTimestamped: true, arrival: moment),
                    id: id.span,
                    engine: engine,
                    scratch: &scratch
                )
                engine.finishRow(&scratch)
                rows[row] = scratch.row.map(\.bitPattern)
            }
            waiting[machine] = waiting[machine].dropFirst(count)
        }
        return rows
    }

    /// The sample's features, and in regimes of its counter with sums since the start.
    private func engine(hasRegimes: Bool) throws -> FeatureEngine {
        var table = SampleReadings.table(machines: 3, hours: 40)
        guard hasRegimes else { return try FeatureEngine(SampleReadings.transform(table)) }
        table.schema.sensors[2].kind = .setting
        table.values[2] = table.values[2].map { ($0 / 20).rounded(.down) * 40 }
        var spec = SampleReadings.spec
        spec.regimes = .init()
        spec.elements += [.sinceStart([.mean, .slope], .gauges), .windowFill(hours: [24])]
        let transform = try TransformFitter.fit(
            spec,
            specPath: "sample",
            parameters: try SampleReadings.parameters(table),
            table: table
        )
        #expect(transform.layout.regimes?.centers.count == 3)
        return try FeatureEngine(transform)
    }

    @Test(arguments: seeds, [false, true])
    func offlineRowsHaveTheBytesOfTheStore(seed: UInt64, hasRegimes: Bool) throws {
        var generator = SeededGenerator(seed: seed)
        let table = table(&generator)
        let engine = try engine(hasRegimes: hasRegimes)
        let expected = try served(table, engine, &generator)
        let matrix = FeatureMatrix(table, engine: engine)
        let width = matrix.names.count
        for (place, row) in table.ownRows.enumerated() {
            let offline = matrix.values[place * width..<(place + 1) * width].map(\.bitPattern)
            #expect(offline == expected[row], "seed \(seed) row \(row)")
        }
    }

    /// A maintenance makes of a machine another one, and of each reading of before one of its own.
    @Test(arguments: seeds)
    func resetsBeginMachinesAnew(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var table = table(&generator)
        let engine = try FeatureEngine(
            SampleReadings.transform(SampleReadings.table(machines: 3, hours: 40))
        )
        let expected = try servedWithResets(&table, engine, &generator)
        let matrix = FeatureMatrix(table, engine: engine)
        let width = matrix.names.count
        for (place, row) in table.ownRows.enumerated() {
            let offline = matrix.values[place * width..<(place + 1) * width].map(\.bitPattern)
            #expect(offline == expected[row], "seed \(seed) row \(row)")
        }
    }

    /// The rows of the table, in its order, by a store whose machines are reset now and then; the
    /// table's machines become what the resets make of them.
    private func servedWithResets(
        _ table: inout ReadingTable,
        _ engine: FeatureEngine,
        _ generator: inout SeededGenerator
    ) throws -> [[UInt32]] {
        let store = StateStore(
            records: engine.records,
            horizonMicroseconds: engine.transform.layout.horizonMicroseconds,
            limits: StateLimits(machinesMax: 100, shardCount: 4)
        )
        var scratch = engine.makeScratch()
        var names: [String] = []
        var codes: [Int32] = []
        var reborn = Array(repeating: 0, count: 7)
        var newest = Array(repeating: Int64.min, count: 7)
        let rows = try (0..<table.rowCount).map { row in
            let machine = Int(table.entities?.codes[row] ?? 0)
            let moment = table.timestamps?[row] ?? 0
            let id = Array("M\(machine)".utf8)
            // Behind the pane of the last reading, so that nothing of it is left.
            if newest[machine] != .min, Int.random(in: 0..<15, using: &generator) == 0 {
                let hours = Int64.random(in: 1...3, using: &generator)
                let reset = newest[machine] + hours * SampleReadings.hour
                let isKnown = store.resetWindows(id: id.span, before: reset)
                #expect(isKnown)
                reborn[machine] += 1
            }
            for sensor in table.values.indices {
                scratch.values[sensor] = table.values[sensor][row]
            }
            let admission = try store.observe(
                ReadingTime(timestamp: moment, isTimestamped: true, arrival: moment),
                id: id.span,
                engine: engine,
                scratch: &scratch
            )
            engine.finishRow(&scratch)
            if admission != .stale { newest[machine] = max(newest[machine], moment) }
            let name =
                admission == .stale ? "row \(row)" : "M\(machine) after \(reborn[machine])"
            codes.append(Int32(names.firstIndex(of: name) ?? names.count))
            if codes.last == Int32(names.count) { names.append(name) }
            return scratch.row.map(\.bitPattern)
        }
        #expect(reborn.contains { $0 > 0 })
        table.entities = CategoryColumn(categories: names, codes: codes)
        return rows
    }

    @Test(arguments: seeds, [1, 2, 3, 6, 7, 1000])
    func partsDoNotChangeTheRows(seed: UInt64, partCountMax: Int) throws {
        var generator = SeededGenerator(seed: seed)
        var table = table(&generator)
        if seed == Self.seeds.last { table.entities = nil }
        let engine = try FeatureEngine(
            SampleReadings.transform(SampleReadings.table(machines: 3, hours: 40))
        )
        let width = engine.transform.features.count
        let replay = FeatureReplay(engine: engine, table: table, partCountMax: partCountMax)
        let rows = replay.scaledRows()
        let expected = FeatureMatrix(table, engine: engine).values
        #expect(rows.map(\.bitPattern) == expected.map(\.bitPattern), "seed \(seed)")
        #expect(rows.count == table.ownRows.count * width)
    }
}
