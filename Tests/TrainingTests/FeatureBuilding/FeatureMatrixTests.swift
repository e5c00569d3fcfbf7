// SPDX-License-Identifier: MIT

import Features
import Testing
import Training

struct FeatureMatrixTests {
    private let folder: TestFolder
    private let table = SampleReadings.table(machines: 4, hours: 40)

    init() throws { folder = try TestFolder() }

    /// A machine's record and the words of its engine, as the server keeps them.
    private struct Server {
        let engine: FeatureEngine
        let store: StateStore

        init(_ transform: FeatureTransform) throws {
            engine = try FeatureEngine(transform)
            store = StateStore(
                records: engine.records,
                horizonMicroseconds: transform.layout.horizonMicroseconds,
                limits: StateLimits()
            )
        }

        func row(_ table: ReadingTable, _ row: Int) throws -> [Float] {
            var scratch = engine.makeScratch()
            for sensor in table.values.indices {
                scratch.values[sensor] = table.values[sensor][row]
            }
            let moment = table.timestamps?[row] ?? 0
            let time = ReadingTime(timestamp: moment, isTimestamped: true, arrival: moment)
            let id = Array(table.entityName(row: row).utf8)
            _ = try store.observe(time, id: id.span, engine: engine, scratch: &scratch)
            engine.finishRow(&scratch)
            return scratch.row
        }
    }

    @Test func isNotReadWithAnotherFitThanItsOwn() throws {
        let transform = try SampleReadings.transform(table)
        let path = "\(folder.path)/features.csv"
        try FeatureMatrix(table, engine: try FeatureEngine(transform)).write(path)
        _ = try FeatureMatrix(path: path, transform: transform)
        var other = transform
        other.scaling[0].center += 1
        let error = #expect(throws: TrainingError.self) {
            try FeatureMatrix(path: path, transform: other)
        }
        #expect(error?.description.contains("made by another fit") == true)
    }

    @Test func rowsAreThoseOfTheServer() throws {
        var raw = table
        raw.values[0][5] = -999
        raw.values[1][6] = .nan
        raw.values[0][40] = .nan
        raw.timestamps?[60] -= 3 * SampleReadings.hour + 1
        raw.timestamps?[70] -= SampleReadings.hour
        raw.timestamps?[90] -= 30 * SampleReadings.hour
        let transform = try SampleReadings.transform(raw)
        let matrix = FeatureMatrix(raw, engine: try FeatureEngine(transform))
        // Machines taken turn by turn: who reports in between changes nothing.
        let server = try Server(transform)
        for step in 0..<40 {
            for machine in [2, 0, 3, 1] {
                let row = machine * 40 + step
                let width = matrix.names.count
                let offline = matrix.values[row * width..<(row + 1) * width]
                #expect(offline.map(\.bitPattern) == (try server.row(raw, row)).map(\.bitPattern))
            }
        }
    }

    @Test func windowsSeeContextRowsWhichAreNotInTheOutput() throws {
        let transform = try SampleReadings.transform(table)
        let engine = try FeatureEngine(transform)
        let whole = FeatureMatrix(table, engine: engine)
        var marked = table
        for row in marked.labels.indices { marked.isContext[row] = row % 40 < 30 }
        let part = FeatureMatrix(marked, engine: engine)
        let own = marked.ownRows
        #expect(part.rowCount == 40)
        #expect(part.timestamps == own.map { table.timestamps?[$0] ?? 0 })
        #expect(part.labels == own.map { table.labels[$0] })
        let width = whole.names.count
        for (place, row) in own.enumerated() {
            let expected = whole.values[row * width..<(row + 1) * width]
            #expect(part.values[place * width..<(place + 1) * width] == expected)
        }
        let bare = FeatureMatrix(table.rows(own, isContext: own.map { _ in false }), engine: engine)
        #expect(bare.values != part.values)
    }

    @Test func readsBackTheSameBits() throws {
        let transform = try SampleReadings.transform(table)
        var matrix = FeatureMatrix(table, engine: try FeatureEngine(transform))
        // Numbers whose shortest decimals are long, tiny, huge, subnormal, or near a midpoint.
        let hard: [Float] = [
            .leastNonzeroMagnitude, .leastNormalMagnitude, -0.0, 0.1, 1 / 3, 16_777_216,
            7.038531e-26, 0x1.fffffep-1, 0x1.000002p0, -0x1.fffffcp-126, 8.5899346e9, 3.3554436e7,
            2.3509886e-38, 4.7683716e-7, Float(bitPattern: 0x007F_FFFF), 1e15, -1e15,
            Float(bitPattern: 0x8000_0003),
        ]
        var generator = SeededGenerator(seed: 5)
        for index in matrix.values.indices {
            if index < hard.count {
                matrix.values[index] = hard[index]
            } else {
                let value = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
                matrix.values[index] = value.magnitude <= 1e15 ? value : 0
            }
        }
        let path = "\(folder.path)/features.csv"
        try matrix.write(path)
        let again = try FeatureMatrix(path: path, transform: transform)
        #expect(again.values.map(\.bitPattern) == matrix.values.map(\.bitPattern))
        #expect(again.names == matrix.names)
        #expect(again.labels == matrix.labels)
        #expect(again.entities == matrix.entities)
        #expect(again.timestamps == matrix.timestamps)
    }

    @Test func refusesAFileOfAnotherFit() throws {
        let transform = try SampleReadings.transform(table)
        let path = "\(folder.path)/features.csv"
        try FeatureMatrix(table, engine: try FeatureEngine(transform)).write(path)
        var fewer = transform
        let name = fewer.featureNames[1]
        fewer.features.remove(at: 1)
        fewer.scaling.remove(at: 1)
        let extra = refusal { () throws(TrainingError) in
            try FeatureMatrix(path: path, transform: fewer)
        }
        #expect(extra == "\(path): line 1, column 4 (\(name)): none of the fitted features")
        try FeatureMatrix(table, engine: try FeatureEngine(fewer)).write(path)
        let missing = refusal { () throws(TrainingError) in
            try FeatureMatrix(path: path, transform: transform)
        }
        #expect(missing?.hasPrefix("\(path): line 1: no column \(name); there are ") == true)
    }

    @Test(arguments: [(Float.infinity, "nothing"), (2e15, "2000000000000000.0")])
    func namesThePlaceOfANumberThatIsNone(value: Float, found: String) throws {
        let transform = try SampleReadings.transform(table)
        var matrix = FeatureMatrix(table, engine: try FeatureEngine(transform))
        matrix.values[matrix.names.count * 2 + 1] = value
        let path = "\(folder.path)/features.csv"
        try matrix.write(path)
        let error = refusal { () throws(TrainingError) in
            try FeatureMatrix(path: path, transform: transform)
        }
        let place = "\(path): line 4, column 4 (\(matrix.names[1]))"
        #expect(
            error?.hasPrefix("\(place): expected a number of at most 1e15 in magnitude, found ")
                == true
        )
        #expect(error?.hasSuffix(found) == true, "\(error ?? "")")
    }
}
