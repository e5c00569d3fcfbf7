// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import ModelRuntime
internal import OTLP

/// Answers the prediction requests of one model from body bytes to body bytes.
///
/// It owns all working memory, so each event loop and each batch on a queue has one of its own.
/// Methods that a request goes through are mutating though they may change nothing: one that
/// borrows it, called by one that changes it, is given a copy of a kilobyte.
struct Scorer: ~Copyable {
    let model: ServedModel
    private let metrics: ServiceMetrics
    private let log: Log
    private let telemetry: Telemetry?
    let slot: Int
    var rows: ReadingRows
    var decoder: ReadingDecoder
    var predictor: RowPredictor
    /// When the first of the readings that have come together was read, and whether all are scored.
    var joinedMoment: RequestMoment?
    var areJoinedScored = false
    /// Which of them are traced, a bit of each.
    var tracedJoined: UInt64 = 0

    /// `slot` is the writer's share of the metrics: the event loop's index, or that of all batches.
    init(
        model: ServedModel,
        metrics: ServiceMetrics,
        log: Log,
        telemetry: Telemetry?,
        slot: Int
    ) {
        self.model = model
        self.metrics = metrics
        self.log = log
        self.telemetry = telemetry
        self.slot = slot
        rows = ReadingRows(sensorCount: model.format.fields.count)
        decoder = ReadingDecoder(format: model.format)
        predictor = RowPredictor(model: model, slot: slot)
    }

    /// Answers one reading.
    ///
    /// - Throws: ``ServiceError``; nothing was taken in then.
    mutating func predict(
        _ body: Span<UInt8>,
        _ moment: RequestMoment,
        to output: inout [UInt8]
    ) throws(ServiceError) {
        rows.reset()
        decoder.begin(arrival: moment.arrival)
        var mark = moment.mark
        try decoder.readSingle(body, into: &rows)
        moment.end(.parse, since: &mark)
        predictor.score(&rows, model: model, moment: moment)
        if let refusal = rows.firstRefusal { throw refusal }
        let nanoseconds = moment.elapsedNanoseconds
        encode(0, body, .whole, microseconds: nanoseconds / 1000, to: &output)
        count(arrival: moment.arrival)
        answering(0).counts.observeLatency(nanoseconds, slot: slot, trace: moment.trace)
    }

    /// Answers one reading, and hands out what was noted of it and which model answered.
    ///
    /// - Throws: ``ServiceError``; nothing was taken in then.
    mutating func predictAndNote(
        _ body: Span<UInt8>,
        _ moment: RequestMoment,
        to output: inout [UInt8]
    ) throws(ServiceError) -> (reading: ObservedReading?, by: ServedModel) {
        predictor.notesReadings = true
        defer { predictor.notesReadings = false }
        try predict(body, moment, to: &output)
        return (predictor.takeNoted(), answering(0))
    }

    /// Gives back what a large batch has taken of memory; another may be long in coming.
    mutating func rest() { rows.reset() }

    /// The model that answered a row: the one in service, or that on trial beside it.
    func answering(_ index: Int) -> ServedModel {
        guard predictor.outcomes[index].isFromTrial, let trial = model.trial else { return model }
        return trial.model
    }

    private mutating func encode(
        _ index: Int,
        _ body: Span<UInt8>,
        _ form: PredictionEncoder.Form,
        microseconds: Int,
        to output: inout [UInt8]
    ) {
        if predictor.outcomes[index].isFromTrial, let trial = model.trial {
            encode(index, by: trial.encoder, body, form, microseconds, to: &output)
        } else {
            encode(index, by: model.encoder, body, form, microseconds, to: &output)
        }
    }

    /// The encoder is used where it is: a copy has many references, which the loops would share.
    private mutating func encode(
        _ index: Int,
        by encoder: borrowing PredictionEncoder,
        _ body: Span<UInt8>,
        _ form: PredictionEncoder.Form,
        _ microseconds: Int,
        to output: inout [UInt8]
    ) {
        encoder.append(
            index,
            of: &predictor,
            rows,
            body: body,
            form: form,
            microseconds: microseconds,
            to: &output
        )
    }

    /// Answers a batch as one JSON document.
    ///
    /// - Returns: False where it has more readings than `countMax`; nothing was done then.
    /// - Throws: ``ServiceError``; but for a store that is full, nothing was taken in then.
    mutating func predictBatch(
        _ job: BatchJob,
        _ body: Span<UInt8>,
        countMax: Int = .max,
        to response: inout Response
    ) throws(ServiceError) -> Bool {
        let moment = job.moment
        guard try read(job, body, countMax: countMax) else { return false }
        try score(job)
        writeDocument(body, moment, to: &response.body)
        model.counts.observeLatency(moment.elapsedNanoseconds, slot: slot, trace: moment.trace)
        return true
    }

    /// Answers readings that stand in lines, each in a line; the first is that of an index.
    ///
    /// - Returns: How many there were.
    mutating func answerLines(
        _ lines: Span<UInt8>,
        _ firstIndex: Int,
        _ moment: RequestMoment,
        room: BatchRoom?,
        to output: inout [UInt8]
    ) throws(ServiceError) -> LineCounts {
        rows.reset()
        decoder.begin(arrival: moment.arrival)
        var mark = moment.mark
        decoder.readLines(lines, into: &rows)
        moment.end(.parse, since: &mark)
        try room?.grow(by: rows.rows.count * model.encoder.answerByteCountMax)
        predictor.score(&rows, model: model, moment: moment)
        let microseconds = moment.elapsedNanoseconds / 1000
        output.reserveCapacity(output.count + rows.rows.count * 384)
        for index in rows.rows.indices {
            if !rows.refused.isEmpty, let error = rows.refused[index] {
                let line = ProblemDocument.inPlace(error, index: firstIndex + index)
                output.append(contentsOf: line)
            } else {
                append(index, lines, .whole, microseconds: microseconds, to: &output)
            }
            output.append(UInt8(ascii: "\n"))
        }
        count(arrival: moment.arrival)
        model.counts.observeLatency(moment.elapsedNanoseconds, slot: slot, trace: moment.trace)
        return LineCounts(rows: rows.rows.count, blankBytes: rows.blankByteCount)
    }

    /// Reads a batch whole and deals its rows out to so many parts.
    ///
    /// - Throws: ``ServiceError``; nothing was taken in then.
    mutating func deal(
        _ job: BatchJob,
        _ body: Span<UInt8>,
        partCount: Int
    ) throws(ServiceError) -> [BatchPart] {
        _ = try read(job, body)
        var parts = [BatchPart](repeating: BatchPart(of: rows), count: partCount)
        for place in rows.rows.indices {
            let id = rows.ids.span.extracting(rows.rows[place].id)
            parts[(model.state?.shard(of: id) ?? place) % partCount].take(place, of: rows)
        }
        return parts
    }

    /// Scores a part of a batch, of whose body it encodes the predictions.
    ///
    /// - Throws: ``ServiceError/stateFull(limit:)``.
    mutating func answer(
        _ part: BatchPart,
        of job: BatchJob,
        _ body: Span<UInt8>
    ) throws(ServiceError) -> PartAnswer {
        rows = part.rows
        try score(job)
        var answer = PartAnswer()
        answer.bytes.reserveCapacity(rows.rows.count * 256)
        answer.ends.reserveCapacity(rows.rows.count)
        for index in rows.rows.indices {
            append(index, body, .element, microseconds: 0, to: &answer.bytes)
            answer.ends.append(answer.bytes.count)
        }
        return answer
    }

    /// Scores the rows of a batch and counts them.
    ///
    /// - Throws: What the first row is refused for, where that fails the batch. The others have
    ///   been taken in like those of any batch: sent again they are duplicates, of which no alarm
    ///   and no log would hear.
    private mutating func score(_ job: BatchJob) throws(ServiceError) {
        predictor.score(&rows, model: model, moment: job.moment)
        count(arrival: job.moment.arrival, tellsRefused: job.skipsErrors)
        if !job.skipsErrors, let refusal = rows.firstRefusal { throw refusal }
    }

    private mutating func read(
        _ job: BatchJob,
        _ body: Span<UInt8>,
        countMax: Int = .max
    ) throws(ServiceError) -> Bool {
        rows.reset()
        decoder.begin(arrival: job.moment.arrival)
        var mark = job.moment.mark
        let isWhole = try decoder.readBatch(
            body,
            skipsErrors: job.skipsErrors,
            countMax: countMax,
            into: &rows
        )
        guard isWhole else { return false }
        job.moment.end(.parse, since: &mark)
        // Before anything is taken in: a batch that finds no room may be sent again.
        try job.room?.grow(by: rows.rows.count * model.encoder.answerByteCountMax)
        return true
    }

    private mutating func writeDocument(
        _ body: Span<UInt8>,
        _ moment: RequestMoment,
        to output: inout [UInt8]
    ) {
        // Most elements take less; a second look for room costs a copy of what there is.
        output.reserveCapacity(output.count + rows.rows.count * 256 + 256)
        output.append(contentsOf: PredictionEncoder.Keys.predictions)
        for index in rows.rows.indices {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(index, body, .element, microseconds: 0, to: &output)
        }
        model.encoder.appendBatchEnd(
            count: rows.rows.count,
            microseconds: moment.elapsedNanoseconds / 1000,
            to: &output
        )
    }

    mutating func append(
        _ index: Int,
        _ body: Span<UInt8>,
        _ form: PredictionEncoder.Form,
        microseconds: Int,
        to output: inout [UInt8]
    ) {
        if !rows.refused.isEmpty, let error = rows.refused[index] {
            output.append(contentsOf: ProblemDocument.inPlace(error))
        } else {
            var form = form
            if predictor.outcomes[index].isFromTrial, case .element = form {
                form = .versionedElement
            }
            encode(index, body, form, microseconds: microseconds, to: &output)
        }
    }

    /// Counts what became of the rows; `tellsRefused` where those that found no room are answered
    /// in their place, and not with an error that is counted by itself.
    mutating func count(arrival: Int64, tellsRefused: Bool = true) {
        model.decisions?.add(
            rows,
            predictor,
            trial: model.trial?.model.decisions,
            arrival: arrival,
            slot: slot
        )
        var failures = 0
        var ofTrial = (failures: 0, all: 0)
        var unknown = 0
        var admissions = AdmissionCounts()
        for index in rows.rows.indices {
            if !rows.refused.isEmpty, rows.refused[index] != nil { continue }
            let outcome = predictor.outcomes[index]
            failures += outcome.prediction
            if outcome.isFromTrial {
                ofTrial.failures += outcome.prediction
                ofTrial.all += 1
            }
            unknown += rows.rows[index].unknownCount
            admissions.add(outcome.admission)
            metrics.observeConfidence(
                outcome.probability,
                prediction: outcome.prediction,
                slot: slot
            )
            if outcome.hasTurnedHigh { logRisk(index) }
            if let telemetry, telemetry.takesEvent() { send(index, to: telemetry) }
            countQuality(index)
        }
        let answered = rows.rows.count - rows.refused.count - ofTrial.all
        failures -= ofTrial.failures
        model.counts.add(failures: failures, others: answered - failures, slot: slot)
        if ofTrial.all > 0 {
            model.trial?.model.counts.add(
                failures: ofTrial.failures,
                others: ofTrial.all - ofTrial.failures,
                slot: slot
            )
        }
        metrics.count(admissions)
        if unknown > 0 { metrics.countUnknownFields(unknown) }
        if tellsRefused, !rows.refused.isEmpty { metrics.count(refusedRows: rows.refused.values) }
    }

    private mutating func countQuality(_ index: Int) {
        let windows = model.encoder.windowCount
        if windows > 0 {
            let longest = predictor.windowFill[(index + 1) * windows - 1]
            metrics.observeWindowFill(longest, slot: slot)
        }
        let sensors = rows.sensorCount
        var isFlagged = false
        for sensor in 0..<sensors {
            let flags = predictor.flags[index * sensors + sensor]
            // As in the encoder: comparing with the empty set costs more.
            guard flags.rawValue != 0 else { continue }
            model.counts.count(flags, sensor: sensor)
            isFlagged = true
        }
        if isFlagged { log.event(.readingFlagged, flagFields(index)) }
    }

    private func flagFields(_ index: Int) -> [(name: String, value: LogValue)] {
        var sensors: [String] = []
        for (sensor, field) in model.format.fields.enumerated() {
            let flags = predictor.flags[index * rows.sensorCount + sensor]
            let names = PredictionEncoder.Keys.sensorFlags.filter { flags.contains($0.value) }
            guard !names.isEmpty else { continue }
            sensors.append("\(field.name) \(names.map(\.text).joined(separator: "+"))")
        }
        return [
            ("equipment_id", .string(id(index))),
            ("sensors", .string(sensors.joined(separator: ", "))),
        ]
    }

    private func logRisk(_ index: Int) {
        let outcome = predictor.outcomes[index]
        log.event(
            .machineAtRisk,
            [
                ("equipment_id", .string(id(index))),
                ("probability", .number(outcome.probability)),
                ("timestamp", .string(Timestamp.text(outcome.timestamp))),
                ("model_version", .string(answering(index).version)),
            ]
        )
    }

    private func send(_ index: Int, to telemetry: Telemetry) {
        let outcome = predictor.outcomes[index]
        telemetry.add(
            TelemetryEvent(
                time: telemetry.now,
                name: "ModelPrediction",
                isError: false,
                attributes: [
                    ("microsoft.custom_event.name", "ModelPrediction"),
                    ("equipment_id", .string(id(index))),
                    ("prediction", .integer(outcome.prediction)),
                    ("probability", .number(outcome.probability)),
                    ("risk_level", .string(outcome.riskLevel.rawValue)),
                    ("timestamp", .string(Timestamp.text(outcome.timestamp))),
                    ("model_version", .string(answering(index).version)),
                ]
            )
        )
    }

    private func id(_ index: Int) -> String {
        RequestText.string(rows.ids.span, rows.rows[index].id)
    }
}
