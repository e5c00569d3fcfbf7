// SPDX-License-Identifier: MIT

package import Features
internal import Platform

/// Feeds the rows of a table through the feature engine, each machine's in the table's order.
///
/// Machines do not touch each other, so they are dealt out to the usable cores in parts; the result
/// is the same whatever their number.
package struct FeatureReplay: Sendable {
    private let engine: FeatureEngine
    private let table: ReadingTable
    /// The rows by machine, each machine's in the table's order.
    private let order: [Int32]
    /// Where in `order` the parts end.
    private let partEnds: [Int]
    private let coldStart: ColdStart?

    /// Sorts the rows by machine and cuts them into at most so many parts of whole machines.
    ///
    /// `coldStart` says which rows have their history cut short; nil for none.
    package init(
        engine: FeatureEngine,
        table: ReadingTable,
        coldStart: ColdStart? = nil,
        partCountMax: Int = 4 * UsableCores.count
    ) {
        self.engine = engine
        self.table = table
        self.coldStart = coldStart
        let rowsPerPart = max(1, (table.rowCount + partCountMax - 1) / partCountMax)
        guard let entities = table.entities, table.timestamps != nil else {
            order = table.labels.indices.map { Int32($0) }
            let starts = stride(
                from: rowsPerPart,
                to: max(rowsPerPart, table.rowCount),
                by: rowsPerPart
            )
            partEnds = starts + [table.rowCount]
            return
        }
        var ends = Array(repeating: 0, count: entities.categories.count)
        for code in entities.codes { ends[Int(code)] += 1 }
        for machine in ends.indices.dropFirst() { ends[machine] += ends[machine - 1] }
        partEnds = Self.parts(ends, rowsPerPart)
        var order = Array(repeating: Int32(0), count: table.rowCount)
        // From the last row on: each machine's rows are put in from their end.
        for row in table.labels.indices.reversed() {
            ends[Int(entities.codes[row])] -= 1
            order[ends[Int(entities.codes[row])]] = Int32(row)
        }
        self.order = order
    }

    /// The scaled row of each row that is not context, in the table's order.
    package func scaledRows() -> [Float] { rows { $1.write($0.row, at: $2) } }

    /// Likewise the unscaled features.
    package func unscaledRows() -> [Double] { rows { $1.write($0.features, at: $2) } }

    private func rows<Number: BitwiseCopyable & Sendable>(
        _ write: @Sendable (borrowing FeatureScratch, borrowing RowTarget<Number>, Int) -> Void
    ) -> [Number] {
        let width = engine.transform.features.count
        var places = Array(repeating: Int32(-1), count: table.rowCount)
        var ownCount = 0
        for index in table.labels.indices where !table.isContext[index] {
            places[index] = Int32(ownCount)
            ownCount += 1
        }
        return concurrentRows(rowCount: ownCount, width: width, parts: partEnds.count) {
            [places] part, target in
            var count = 0
            run(rows(of: part)) { index, engine, scratch in
                engine.finishRow(&scratch)
                write(scratch, target, Int(places[index]))
                count += 1
            }
            target.didWrite(count)
        }
    }

    /// What the engine notes of the rows of a table, context rows left out, that are asked for by
    /// their place among the others.
    package func observed(_ wanted: [Int]) -> [ObservedReading] {
        let own = table.ownRows
        var places: [Int: Int] = [:]
        for (place, row) in wanted.enumerated() { places[own[row]] = place }
        let parts = concurrentMap(count: partEnds.count) { [places] part in
            var found: [(place: Int, reading: ObservedReading)] = []
            run(rows(of: part)) { row, _, scratch in
                if let place = places[row] { found.append((place, scratch.observed)) }
            }
            return found
        }
        return parts.joined().sorted { $0.place < $1.place }.map(\.reading)
    }

    private static func parts(_ machineEnds: [Int], _ rowsPerPart: Int) -> [Int] {
        var ends: [Int] = []
        for end in machineEnds where end - (ends.last ?? 0) >= rowsPerPart { ends.append(end) }
        if let last = machineEnds.last, last > ends.last ?? 0 { ends.append(last) }
        return ends
    }

    private func rows(of part: Int) -> ArraySlice<Int32> {
        order[(part == 0 ? 0 : partEnds[part - 1])..<partEnds[part]]
    }

    private func run(
        _ rows: ArraySlice<Int32>,
        _ body: (Int, FeatureEngine, inout FeatureScratch) -> Void
    ) {
        // Of its own, so that the parts do not pass reference counts to and fro.
        let engine = engine.copy()
        var scratch = engine.makeScratch()
        var record = Array(repeating: UInt64(0), count: engine.records.wordCount)
        var words = record.mutableSpan
        let codes = table.timestamps == nil ? nil : table.entities?.codes
        var machine: Int32 = -1
        var cut = CutHistory(coldStart, engine)
        for row in rows.lazy.map({ Int($0) }) {
            read(row, into: &scratch)
            let moment = table.timestamps?[row] ?? 0
            let time = ReadingTime(timestamp: moment, isTimestamped: true, arrival: moment)
            if let codes {
                if codes[row] != machine {
                    machine = codes[row]
                    engine.records.reset(&words, at: 0, id: [UInt8]().span)
                    cut.begin(table.entityName(row: row), first: moment)
                }
                _ = engine.observe(time, in: &words, at: 0, scratch: &scratch)
                if cut.isCold(at: moment) {
                    read(row, into: &scratch)
                    cut.observe(time, scratch: &scratch)
                }
            } else {
                engine.observeAlone(time, scratch: &scratch)
            }
            guard !table.isContext[row] else { continue }
            body(row, engine, &scratch)
        }
    }

    private func read(_ row: Int, into scratch: inout FeatureScratch) {
        for sensor in table.values.indices {
            scratch.values[sensor] = table.values[sensor][row]
        }
    }
}
