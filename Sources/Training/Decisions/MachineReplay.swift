// SPDX-License-Identifier: MIT

internal import Features
internal import Integrity
internal import ModelRuntime

/// One machine's record as a bundle's engine makes it of a log.
///
/// It is what the server had where the log begins with the machine's first reading, and no reading
/// is missing since: each row tells how many the record had taken in. Where the beginning is not in
/// the log, or rows were dropped, the record is the server's again once all that it forgets is
/// forgotten: the panes before, the timestamps of the last 16 readings, and the last value of each
/// sensor. Sums since a machine's start are never forgotten.
struct MachineReplay {
    private typealias Row = DecisionHistory.Row

    /// What is known of the record.
    private enum Knowledge {
        /// Nothing has come yet that begins it.
        case none
        /// It began with the pane of that index, in the middle of the machine's past.
        case partial(firstPane: Int64, timestampCount: Int, missing: Set<Int>)
        /// It is the server's.
        case whole
    }

    private static let rememberedTimestamps = 16

    private let model: LoadedModel
    private let engine: FeatureEngine
    private var scratch: FeatureScratch
    private var record: [UInt64]
    private var knowledge = Knowledge.none
    private var standing = RecordStanding()
    private var matrix: [Float] = []

    init(_ model: LoadedModel) {
        self.model = model
        engine = model.engine
        scratch = engine.makeScratch()
        record = Array(repeating: 0, count: engine.records.wordCount)
    }

    /// Scores the rows of a machine, but for those with a history of their own.
    ///
    /// - Returns: The scores, and whether the bundle is the one that predicted.
    mutating func scores(
        _ history: DecisionHistory,
        _ number: Int
    ) -> [(Replay.Score, isOwn: Bool)] {
        let machine = history.machines[number]
        let rows = machine.rows.filter { !$0.decision.hasHistory }
        var columns: [String: SensorColumns] = [:]
        var comparable: [Bool] = []
        for row in rows {
            guard let logged = history.model(of: row) else { continue }
            let known =
                columns[logged.digest]
                ?? SensorColumns(from: logged.schema, to: engine.transform.schema)
            columns[logged.digest] = known
            scratch.values = known.values(history.values(of: row))
            comparable.append(take(row, logged, id: machine.id))
            engine.finishRow(&scratch)
            matrix.append(contentsOf: scratch.row)
        }
        let logits = logits(count: rows.count)
        let id = String(decoding: machine.id, as: UTF8.self)
        return rows.indices.map { index in
            let logged = history.model(of: rows[index])
            let score = Replay.Score(
                equipmentID: id,
                timestamp: rows[index].decision.time.timestamp,
                version: logged?.version ?? "",
                logged: rows[index].decision.probability,
                replayed: model.probability(ofLogit: logits[index]),
                isComparable: comparable[index]
            )
            return (score, isOwn: logged?.digest == model.digest.hex)
        }
    }

    private func logits(count: Int) -> [Float] {
        var logits = [Float](repeating: 0, count: count)
        guard count > 0 else { return logits }
        let forward = ForwardScratch(for: model.network)
        var target = logits.mutableSpan
        model.network.forward(rows: matrix.span, into: &target, scratch: forward)
        return logits
    }

    /// Takes a row in, and says whether the server had the same record.
    private mutating func take(_ row: Row, _ logged: LoggedModel, id: [UInt8]) -> Bool {
        let decision = row.decision
        let engine = engine
        guard engine.transform.schema.hasState else {
            engine.observeAlone(decision.time, scratch: &scratch)
            return true
        }
        var words: [UInt64] = []
        swap(&words, &record)
        defer { swap(&words, &record) }
        meet(row, id: id, &words)
        if decision.standing.firstPane > standing.firstPane {
            standing.firstPane = decision.standing.firstPane
            let pane = Int64(logged.paneSeconds) * Timestamp.microsecondsPerSecond
            var span = words.mutableSpan
            engine.records.beginAnew(&span, at: 0, timestamp: standing.firstPane * pane)
        }
        if decision.admission == .stale {
            // Scored from the reading alone, whatever the record holds.
            engine.observeAlone(decision.time, scratch: &scratch)
            return true
        }
        guard hasBegun(row) else {
            engine.observeAlone(decision.time, scratch: &scratch)
            return false
        }
        let isWhole = isWhole(for: decision.time)
        if decision.admission == .duplicate, !isWhole {
            // What it repeats may lie before the log.
            engine.observeAlone(decision.time, scratch: &scratch)
            return false
        }
        note(scratch.values, decision)
        var span = words.mutableSpan
        _ = engine.observe(decision.time, in: &span, at: 0, scratch: &scratch)
        return isWhole
    }

    /// Begins a new record where the row is not the next of the present one.
    private mutating func meet(_ row: Row, id: [UInt8], _ words: inout [UInt64]) {
        let count = row.decision.standing.readingCount
        let isFirst = row.changesRecord && count == 1
        let expected = standing.readingCount + (row.changesRecord ? 1 : 0)
        guard isFirst || count != expected else {
            standing.readingCount = count
            return
        }
        var span = words.mutableSpan
        engine.records.reset(&span, at: 0, id: id.span)
        standing = RecordStanding(readingCount: count, firstPane: .min)
        knowledge = isFirst ? .whole : .none
    }

    /// Whether the record has begun; one in the middle of a machine's past does with a reading in
    /// order, for before it nobody knows what is late.
    private mutating func hasBegun(_ row: Row) -> Bool {
        guard case .none = knowledge else { return true }
        guard row.changesRecord, row.decision.admission == .inOrder else { return false }
        knowledge = .partial(
            firstPane: engine.records.paneIndex(of: row.decision.time.timestamp),
            timestampCount: 0,
            missing: Set(engine.transform.schema.sensors.indices)
        )
        return true
    }

    private mutating func note(_ values: [Double], _ decision: DecisionRecord) {
        guard case .partial(let firstPane, var count, var missing) = knowledge else { return }
        if decision.time.isTimestamped { count += 1 }
        if decision.admission == .inOrder {
            for sensor in missing where isMeasured(values[sensor], sensor) {
                missing.remove(sensor)
            }
        }
        knowledge = .partial(firstPane: firstPane, timestampCount: count, missing: missing)
    }

    private func isMeasured(_ value: Double, _ sensor: Int) -> Bool {
        guard !value.isNaN else { return false }
        return engine.transform.schema.sensors[sensor].range?.contains(value) ?? true
    }

    private func isWhole(for time: ReadingTime) -> Bool {
        switch knowledge {
        case .none: return false
        case .whole: return true
        case .partial(let firstPane, let count, let missing):
            let age = engine.records.paneIndex(of: time.timestamp) - firstPane
            return age >= Int64(engine.transform.layout.paneCount) && missing.isEmpty
                && (count >= Self.rememberedTimestamps || !time.isTimestamped)
                && !engine.records.remembersStart
        }
    }
}

/// Where the sensors of one schema stand in another, by their names.
private struct SensorColumns {
    /// For each sensor: its place in a logged row, and the codes that its categories become.
    private let sources: [(place: Int, codes: [Double]?)?]

    init(from logged: Schema, to schema: Schema) {
        sources = schema.sensors.map { sensor -> (place: Int, codes: [Double]?)? in
            guard let place = logged.sensorIndex(sensor.name) else { return nil }
            let names = logged.sensors[place].categories
            guard names != sensor.categories else { return (place, nil) }
            let codes = names.map { name in
                sensor.categories.firstIndex(of: name).map { Double($0) } ?? .nan
            }
            return (place, codes)
        }
    }

    func values(_ row: [Double]) -> [Double] {
        sources.map { source in
            guard let source else { return .nan }
            let value = row[source.place]
            guard let codes = source.codes else { return value }
            guard let code = Int(exactly: value), codes.indices.contains(code) else { return .nan }
            return codes[code]
        }
    }
}
